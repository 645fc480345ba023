//! Query parameters, read one by one so that every mistake is named at once.

use crate::{Cursor, FieldError, Problem};
use actix_web::{HttpMessage, HttpRequest};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// More than this in one query is refused.
const MAX_PARAMETERS: usize = 50;
const DEFAULT_LIMIT: usize = 25;
const MAX_LIMIT: usize = 100;

/// What an endpoint says of its query beforehand. Lies in the request's extensions.
#[derive(Debug, Clone)]
pub struct DeclaredParameters(pub Arc<[&'static str]>);

/// Of a request whose query is meant for another handler. Lies in the request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct WithoutQuery;

/// The parameters of a request that were not taken yet, and what was wrong with those taken.
#[derive(Debug)]
pub struct Params {
    pairs: Vec<(String, String)>,
    errors: Vec<FieldError>,
    declared: Option<DeclaredParameters>,
}

impl Params {
    /// The parameters of a request.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        let extensions = request.extensions();
        if extensions.contains::<WithoutQuery>() {
            return Self::parse("");
        }
        let declared = extensions.get().cloned();
        Self { declared, ..Self::parse(request.query_string()) }
    }

    /// The parameters of a query string.
    #[must_use]
    pub fn parse(query: &str) -> Self {
        let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned();
        let pairs = pairs.take(MAX_PARAMETERS + 1).collect();
        let mut params = Self { pairs, errors: Vec::new(), declared: None };
        if params.pairs.len() > MAX_PARAMETERS {
            params.pairs.clear();
            params.complain("*", format!("more than {MAX_PARAMETERS} parameters"));
        }
        params
    }

    /// Notes a mistake.
    pub fn complain(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(FieldError::new(field, message));
    }

    /// Notes a mistake with a position.
    pub fn complain_at(&mut self, field: &str, message: impl Into<String>, position: usize) {
        self.errors.push(FieldError { position: Some(position), ..FieldError::new(field, message) });
    }

    /// A parameter as text; the last one wins when it is given twice. An empty one counts as not given.
    pub fn text(&mut self, name: &str) -> Option<String> {
        debug_assert!(
            self.declared.as_ref().is_none_or(|declared| declared.0.contains(&name)),
            "the parameter {name} is read and not declared"
        );
        let mut found = None;
        self.pairs.retain_mut(|(key, value)| {
            let mine = key == name;
            if mine {
                found = Some(std::mem::take(value));
            }
            !mine
        });
        if found.as_ref().is_some_and(|value| value.contains('\0')) {
            // PostgreSQL can keep none in a text, so it cannot look for one either.
            self.complain(name, "has a NUL character");
            return None;
        }
        found.filter(|value| !value.is_empty())
    }

    /// A parameter that must be what `parse` understands. `expected` says in words what that is.
    pub fn optional<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(name)?;
        let value = parse(&text);
        if value.is_none() {
            let shown: String = text.chars().take(64).collect();
            self.complain(name, format!("`{shown}` is not {expected}"));
        }
        value
    }

    /// A parameter that has to be there.
    pub fn required<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        if !self.pairs.iter().any(|(key, value)| key == name && !value.is_empty()) {
            self.complain(name, format!("is missing; expected {expected}"));
        }
        self.optional(name, expected, parse)
    }

    /// `limit`: 1 to 100, 25 unless said otherwise.
    pub fn limit(&mut self) -> usize {
        let parse = |text: &str| text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
        self.optional("limit", "a number from 1 to 100", parse).unwrap_or(DEFAULT_LIMIT)
    }

    /// `cursor`: the `next` of the page before.
    pub fn cursor<C: DeserializeOwned>(&mut self) -> Option<C> {
        self.optional("cursor", "the `next` of a page of this list", Cursor::decode)
    }

    /// Forgets the parameters that nobody asked for, for contracts whose clients send more.
    pub fn ignore_others(&mut self) {
        self.pairs.clear();
    }

    /// Every mistake, also each parameter that nobody asked for.
    ///
    /// # Errors
    /// [`crate::Code::Invalid`] with the mistakes.
    pub fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in std::mem::take(&mut self.pairs) {
            let shown: String = name.chars().take(64).collect();
            self.complain(&shown, "no such parameter");
        }
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(self.errors)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(params: Params) -> Vec<(String, String)> {
        let problem = params.finish().unwrap_err();
        problem.errors.into_iter().map(|error| (error.field, error.message)).collect()
    }

    #[test]
    fn takes_what_is_asked_for() {
        let mut params = Params::parse("project=7&status=&limit=3&query=a%20b+c");
        assert_eq!(params.optional("project", "a number", |t| t.parse::<i32>().ok()), Some(7));
        assert_eq!(params.text("status"), None);
        assert_eq!(params.limit(), 3);
        assert_eq!(params.text("query").as_deref(), Some("a b c"));
        params.finish().unwrap();
    }

    #[test]
    fn names_every_mistake() {
        let mut params = Params::parse("project=x&limit=101&cursor=%21&stauts=open");
        params.optional("project", "a project's number", |t| t.parse::<i32>().ok());
        params.limit();
        params.cursor::<i32>();
        params.required("issue", "an issue's number", |t| t.parse::<i64>().ok());
        let named: Vec<_> =
            fields(params).into_iter().map(|(field, message)| format!("{field}: {message}")).collect();
        assert_eq!(
            named,
            [
                "project: `x` is not a project's number",
                "limit: `101` is not a number from 1 to 100",
                "cursor: `!` is not the `next` of a page of this list",
                "issue: is missing; expected an issue's number",
                "stauts: no such parameter",
            ]
        );
    }

    #[test]
    fn a_nul_is_refused_where_it_is() {
        let mut params = Params::parse("query=a%00b&project=1");
        assert_eq!(params.text("query"), None);
        assert_eq!(params.text("project").as_deref(), Some("1"));
        assert_eq!(fields(params), [("query".to_owned(), "has a NUL character".to_owned())]);
    }

    #[test]
    fn a_flood_of_parameters_is_refused() {
        let params = Params::parse(&"a=1&".repeat(100_000));
        assert_eq!(fields(params).len(), 1);
    }
}
