//! Errors as Sentry tells them, for the calls of its command line: it reads `{"detail": "…"}` and nothing else.

use actix_web::body::{BoxBody, MessageBody, to_bytes_limited};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::{Deserialize, Serialize};

/// Problems are texts of our own and short.
const MAX_PROBLEM: usize = 64 * 1024;

#[derive(Serialize)]
struct Detail {
    detail: String,
}

#[derive(Deserialize)]
struct Told {
    title: String,
    detail: Option<String>,
    #[serde(default)]
    errors: Vec<Field>,
}

#[derive(Deserialize)]
struct Field {
    field: String,
    message: String,
}

/// The same answer, with a problem turned into a detail.
pub(super) async fn in_detail<B: MessageBody + 'static>(
    response: ServiceResponse<B>,
) -> ServiceResponse<BoxBody> {
    let is_problem =
        response.headers().get(CONTENT_TYPE).is_some_and(|value| value == "application/problem+json");
    if !is_problem {
        return response.map_into_boxed_body();
    }
    let (request, response) = response.into_parts();
    let (head, body) = response.into_parts();
    let body = to_bytes_limited(body, MAX_PROBLEM).await.ok().and_then(Result::ok).unwrap_or_default();
    let mut answer: HttpResponseBuilder = HttpResponse::build(head.status());
    for header in head.headers().iter().filter(|(name, _)| *name != CONTENT_TYPE && *name != CONTENT_LENGTH) {
        answer.append_header(header);
    }
    ServiceResponse::new(request, answer.json(Detail { detail: detail(&body) }))
}

fn detail(problem: &[u8]) -> String {
    let Ok(told) = serde_json::from_slice::<Told>(problem) else { return "something went wrong".to_owned() };
    let fields: Vec<String> =
        told.errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect();
    told.detail.unwrap_or_else(|| if fields.is_empty() { told.title } else { fields.join("; ") })
}

#[cfg(test)]
mod tests {
    use super::detail;

    #[test]
    fn what_is_wrong_is_said_in_one_text() {
        let cases = [
            (r#"{"title": "not found", "detail": "there is no release `x`"}"#, "there is no release `x`"),
            (
                r#"{"title": "something given is not valid", "errors": [{"field": "url", "message": "is empty"},
                {"field": "ref", "message": "is empty"}]}"#,
                "url: is empty; ref: is empty",
            ),
            (r#"{"title": "this is not allowed"}"#, "this is not allowed"),
            ("", "something went wrong"),
        ];
        for (problem, expected) in cases {
            assert_eq!(detail(problem.as_bytes()), expected);
        }
    }
}
