//! What Twilio tells: what people reply to an SMS, keys that they press during a call, and what became of both. It proves by its signature that it is Twilio; without
//! a right one it is told nothing, also not whether Twilio is set up here.

pub(in super::super) mod calls;
pub(in super::super) mod messages;
mod said;
pub(in super::super) mod status;

use crate::State;
use crate::openapi::Media;
use crate::signatures::is_twilios;
use actix_web::HttpRequest;
use bugle_web::{Code, FormBody, Problem};
use url::Url;

const SIGNATURE: &str = "x-twilio-signature";
/// Longest id of Twilio's that is kept, in characters; theirs have 34.
const MAX_SID: usize = 64;

/// What Twilio reads.
pub(in super::super) struct Twiml;

impl Media for Twiml {
    const TYPES: &'static [&'static str] = &["text/xml"];
}

/// An answer to Twilio, whose inside is TwiML already.
fn twiml(inside: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>{inside}</Response>\n")
}

/// A text as a part of TwiML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

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
