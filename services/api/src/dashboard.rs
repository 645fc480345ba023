//! The dashboard: files that `services/dashboard` builds, part of the binary.
//!
//! Every path that nobody else has is a page of it: the browser gets `index.html` and the dashboard finds the way. Paths of
//! APIs stay 404s, so that a typo in a client does not look like success.

use crate::requests::safety;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError};
use bugle_web::{Code, Problem};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../dashboard/dist"]
struct Files;

/// Scripts and styles of this origin only; nothing from elsewhere, no frames, no plug-ins.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
     connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'";
/// Names in this folder carry a hash of their content.
const HASHED: &str = "assets/";
const NOT_BUILT: &str = "The dashboard is not part of this build: run `npm ci` and `npm run build` in services/dashboard, \
     and build bugle again. The API is at /api/v1.\n";

/// Takes the paths that are left over.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.default_service(web::to(handler));
}

async fn handler(request: HttpRequest) -> HttpResponse {
    let path = request.path().trim_start_matches('/');
    let is_page = matches!(*request.method(), Method::GET | Method::HEAD) && !is_of_an_api(path);
    if !is_page {
        let mut answer = Problem::with_detail(Code::NotFound, "there is no such path").error_response();
        safety::add(answer.headers_mut());
        return answer;
    }
    if !path.is_empty()
        && path != "index.html"
        && let Some(found) = find(path, request.headers())
    {
        return asset(path, found, request.headers());
    }
    if path.starts_with(HASHED) {
        // A page of an older build asks for a file that is gone: the page itself would not help it.
        return Problem::with_detail(Code::NotFound, "there is no such file").error_response();
    }
    match find("index.html", request.headers()) {
        Some(found) => page(found),
        None => {
            with_safety(HttpResponse::NotFound()).content_type("text/plain; charset=utf-8").body(NOT_BUILT)
        }
    }
}

fn is_of_an_api(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    matches!(first, "api" | "health" | "metrics" | "tunnel")
}

/// A file, and whether it is compressed with Brotli.
struct Found {
    file: EmbeddedFile,
    is_brotli: bool,
}

fn find(path: &str, headers: &HeaderMap) -> Option<Found> {
    let accepted =
        headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let takes_brotli = accepted.split(',').any(|one| one.trim().split(';').next() == Some("br"));
    if takes_brotli && let Some(file) = Files::get(&format!("{path}.br")) {
        return Some(Found { file, is_brotli: true });
    }
    Files::get(path).map(|file| Found { file, is_brotli: false })
}

fn asset(path: &str, found: Found, headers: &HeaderMap) -> HttpResponse {
    let tag = tag(&found);
    let cache = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish();
    }
    let mut answer = with_safety(HttpResponse::Ok());
    answer.insert_header((header::CACHE_CONTROL, cache)).insert_header((header::ETAG, tag));
    send(answer, media_type(path), found)
}

fn page(found: Found) -> HttpResponse {
    let mut answer = with_safety(HttpResponse::Ok());
    answer.insert_header((header::CACHE_CONTROL, "no-store"));
    send(answer, "text/html; charset=utf-8", found)
}

fn send(mut answer: HttpResponseBuilder, media_type: &str, found: Found) -> HttpResponse {
    if found.is_brotli {
        answer.insert_header((header::CONTENT_ENCODING, "br"));
    }
    answer
        .insert_header((header::VARY, "Accept-Encoding"))
        .content_type(media_type)
        .body(found.file.data.into_owned())
}

fn with_safety(mut answer: HttpResponseBuilder) -> HttpResponseBuilder {
    answer
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header(("cross-origin-opener-policy", "same-origin"))
        .insert_header(("cross-origin-resource-policy", "same-origin"));
    answer
}

fn tag(found: &Found) -> String {
    let digest: String =
        found.file.metadata.sha256_hash().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digest}\"")
}

/// Of what the build makes.
fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" | "map" | "webmanifest" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
