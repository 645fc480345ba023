//! Bodies of forms: what browsers and providers post.

use crate::{Code, Problem, read_body};
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;

/// The media type of a form.
const FORM: &str = "application/x-www-form-urlencoded";

/// A request's body as a form (WHATWG URL, `application/x-www-form-urlencoded`).
#[derive(Debug, Clone, Default)]
pub struct FormBody {
    /// As it was sent, for signatures over it.
    pub raw: Bytes,
    /// Name and value, in the order in which they were sent.
    pub fields: Vec<(String, String)>,
}

impl FormBody {
    /// The first value of a field; empty when it was not sent.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }
}

impl From<Bytes> for FormBody {
    fn from(raw: Bytes) -> Self {
        let fields = url::form_urlencoded::parse(&raw).into_owned().collect();
        Self { raw, fields }
    }
}

impl FromRequest for FormBody {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let media = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = media.unwrap_or(FORM).split(';').next().unwrap_or_default().trim();
        let is_form = essence.eq_ignore_ascii_case(FORM);
        let mut payload = payload.take();
        Box::pin(async move {
            if !is_form {
                let detail = format!("send `Content-Type: {FORM}`");
                return Err(Problem::with_detail(Code::UnsupportedMediaType, detail));
            }
            Ok(Self::from(read_body(&mut payload).await?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_the_first_of_a_name_counts() {
        let form = FormBody::from(Bytes::from_static(b"From=%2B1500&Body=ack+12&Body=x&Empty"));
        assert_eq!(
            ["From", "Body", "Empty", "Missing"].map(|name| form.field(name)),
            ["+1500", "ack 12", "", ""]
        );
        assert_eq!(form.fields.len(), 4);
    }
}
