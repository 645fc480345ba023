//! What Twilio tells: what people reply to an SMS, and what became of messages. It proves by its signature that it is Twilio; without
//! a right one it is told nothing, also not whether Twilio is set up here.

pub(in super::super) mod messages;
mod said;
pub(in super::super) mod status;

use crate::State;
use crate::signatures::is_twilios;
use actix_web::HttpRequest;
use bugle_web::{Code, FormBody, Problem};
use url::Url;

const SIGNATURE: &str = "x-twilio-signature";

/// Refuses what Twilio has not signed. It signs the address that it calls: the public one, with what the operator has written behind it.
fn signed(state: &State, request: &HttpRequest, form: &FormBody) -> Result<(), Problem> {
    let given = request.headers().get(SIGNATURE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let right = state.config.twilio_auth_token.as_ref().is_some_and(|token| {
        let tries = called(&state.config.public_url, request);
        tries.iter().any(|url| is_twilios(token.reveal(), url, &form.fields, given))
    });
    if right { Ok(()) } else { Err(Problem::new(Code::Forbidden)) }
}

/// What Twilio may have called. The slash at the end, which means nothing here, is gone by now.
fn called(public_url: &Url, request: &HttpRequest) -> [Url; 2] {
    let at = |end: &str| {
        let mut url = public_url.clone();
        let path = request.uri().path().trim_end_matches('/');
        url.set_path(&format!("{}{path}{end}", public_url.path().trim_end_matches('/')));
        url.set_query(request.uri().query());
        url
    };
    [at(""), at("/")]
}
