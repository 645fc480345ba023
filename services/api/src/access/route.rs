//! The one declaration of an endpoint: method, path, need, handler. The table and what is mounted are made of it.

use super::Need;
use super::detail::in_detail;
use super::guard::guard;
use crate::State;
use crate::openapi::{Gift, Gives, Parameter, Takes};
use crate::requests::once::once;
use crate::requests::parameters::parameters;
use crate::requests::safety::safety;
use crate::requests::version::{Reader, reader, version};
use actix_web::body::BoxBody;
use actix_web::guard::{Any, Not, Options, Post};
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{FromRequest, Handler, Resource, Responder, Route};
use bugle_web::{Code, DeclaredParameters, read, resource_with};
use schemars::{Schema, SchemaGenerator};
use std::collections::BTreeMap;

/// This path is ingest's for POST.
const SHARED_PATH: &str = "/api/error-logging/errors";
/// Below it are the calls of Sentry's command line.
pub(crate) const SENTRY: &str = "/api/0";

/// An endpoint, as the table of access has it.
#[derive(Debug, Clone)]
pub struct Declared {
    /// Its method.
    pub method: Method,
    /// Its path, with `{names}`.
    pub path: &'static str,
    /// What it needs.
    pub need: Need,
    /// The operation's id in the OpenAPI document.
    pub(crate) id: &'static str,
    /// What it does, in a sentence.
    pub(crate) says: &'static str,
    /// The parameters that its query may have.
    pub(crate) query: &'static [Parameter],
    /// The problems it has beyond what need, path, body and query bring.
    pub(crate) problems: &'static [Code],
    /// The schema of its body.
    pub(crate) body: fn(&mut SchemaGenerator) -> Option<Schema>,
    /// Its answer when all goes well.
    pub(crate) gift: fn(&mut SchemaGenerator) -> Gift,
}

/// An endpoint that can be mounted.
pub(crate) struct Endpoint {
    pub(crate) declared: Declared,
    route: Route,
    /// Of a GET: what it would answer.
    reader: Option<Reader>,
}

fn endpoint<F, Args>(method: Method, path: &'static str, need: Need, handler: F) -> Endpoint
where
    F: Handler<Args>,
    Args: FromRequest + Takes + 'static,
    F::Output: Responder + Gives + 'static,
{
    let route = match method {
        // HEAD is answered wherever GET is.
        Method::GET => read(),
        _ => web::method(method.clone()),
    };
    let (body, gift) = (Args::body, F::Output::gift);
    let reader = (method == Method::GET).then(|| reader(handler.clone()));
    let declared = Declared { method, path, need, id: "", says: "", query: &[], problems: &[], body, gift };
    Endpoint { declared, route: route.to(handler), reader }
}

impl Endpoint {
    /// Names it in the OpenAPI document: the operation's id, and a sentence on what it does.
    pub(crate) fn named(mut self, id: &'static str, says: &'static str) -> Self {
        (self.declared.id, self.declared.says) = (id, says);
        self
    }

    /// Declares the parameters of its query.
    pub(crate) fn query(mut self, parameters: &'static [Parameter]) -> Self {
        self.declared.query = parameters;
        self
    }

    /// Declares problems that do not follow from what it needs and takes.
    pub(crate) fn fails(mut self, codes: &'static [Code]) -> Self {
        self.declared.problems = codes;
        self
    }
}

macro_rules! methods {
    ($($name:ident $method:ident),+) => { $(
        /// Declares an endpoint of this method.
        pub(crate) fn $name<F, Args>(path: &'static str, need: Need, handler: F) -> Endpoint
        where
            F: Handler<Args>,
            Args: FromRequest + Takes + 'static,
            F::Output: Responder + Gives + 'static,
        {
            endpoint(Method::$method, path, need, handler)
        }
    )+ };
}
methods!(get GET, post POST, put PUT, patch PATCH, delete DELETE);

/// Mounts endpoints, each behind its guard.
pub(crate) fn mount(config: &mut ServiceConfig, state: &Data<State>, endpoints: Vec<Endpoint>) {
    let mut by_path: BTreeMap<&'static str, Vec<Endpoint>> = BTreeMap::new();
    let mut order = Vec::new();
    for endpoint in endpoints {
        let path = endpoint.declared.path;
        let of_path = by_path.entry(path).or_default();
        if of_path.is_empty() {
            order.push(path);
        }
        of_path.push(endpoint);
    }
    for path in order {
        let endpoints = by_path.remove(path).unwrap_or_default();
        let base = base(path, &endpoints);
        let reader = reader_of_thing(path, &endpoints);
        let resource = endpoints
            .into_iter()
            .fold(base, |resource, endpoint| resource.route(wrapped(endpoint, state, reader.clone())));
        config.service(resource.wrap(from_fn(safety)));
    }
}

/// The route with everything that is before its handler; what is wrapped last comes first.
fn wrapped(endpoint: Endpoint, state: &Data<State>, reader: Option<Reader>) -> Route {
    let Declared { need, query, path, .. } = endpoint.declared;
    let (of_once, of_version, of_guard) = (state.clone(), state.clone(), state.clone());
    let declared = DeclaredParameters(query.iter().map(|parameter| parameter.name).collect());
    let route = endpoint
        .route
        .wrap(from_fn(move |request, next| once(of_once.clone(), request, next)))
        .wrap(from_fn(move |request, next| version(reader.clone(), of_version.clone(), request, next)))
        .wrap(from_fn(move |request, next| parameters(path, query, request, next)))
        .wrap(from_fn(move |request, next| guard(need, declared.clone(), of_guard.clone(), request, next)));
    if !path.starts_with(SENTRY) {
        return route;
    }
    route.wrap(from_fn(async |request, next: Next<BoxBody>| Ok(in_detail(next.call(request).await?).await)))
}

/// The reader of a path that names a single thing which can be changed there, or a document that is put there whole or
/// patched.
fn reader_of_thing(path: &str, endpoints: &[Endpoint]) -> Option<Reader> {
    let changes = |one: &Endpoint| match one.declared.method {
        // Also where no name ends the path; what is made or removed there alone is of a list.
        Method::PUT | Method::PATCH => true,
        _ => path.ends_with('}') && !one.declared.method.is_safe(),
    };
    let is_thing = endpoints.iter().any(changes);
    endpoints.iter().find_map(|one| one.reader.clone()).filter(|_| is_thing)
}

fn base(path: &'static str, endpoints: &[Endpoint]) -> Resource {
    let mut methods: Vec<_> = endpoints.iter().map(|endpoint| endpoint.declared.method.clone()).collect();
    if path == SHARED_PATH {
        methods.push(Method::POST);
        return resource_with(path, &methods).guard(Not(Any(Post()).or(Options())));
    }
    resource_with(path, &methods)
}
