//! Which process answers what: captures go to ingest, the rest to api.

use actix_web::http::Method;

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upstream {
    Ingest,
    Api,
}

/// The upstream for a request. The path is the raw one; its slashes are merged here as the services do it.
pub(crate) fn route(method: &Method, path: &str) -> Upstream {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let capturing = method == Method::POST || method == Method::OPTIONS;
    match parts.as_slice() {
        ["tunnel"] | ["api", "store"] => Upstream::Ingest,
        ["api", "error-logging", "webhook", ..] => Upstream::Ingest,
        ["api", "error-logging", "errors"] if capturing => Upstream::Ingest,
        ["api", "v1", "logs", "frontend"] => Upstream::Ingest,
        // A project's number; 0 is the root of a web API and none of ours.
        ["api", project, _, ..] if is_number(project) && *project != "0" => Upstream::Ingest,
        _ => Upstream::Api,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Upstream::{Api, Ingest};

    #[test]
    fn captures_go_to_ingest_and_the_rest_to_api() {
        let table = [
            ("POST", "/api/2/envelope/", Ingest),
            ("OPTIONS", "/api/2/envelope/", Ingest),
            ("POST", "/api//2///envelope", Ingest),
            ("GET", "/api/2/store/", Ingest),
            ("POST", "/api/store/", Ingest),
            ("POST", "/api/2/security/", Ingest),
            ("POST", "/api/2/minidump/", Ingest),
            ("GET", "/api/2/cron/nightly/", Ingest),
            ("POST", "/api/2/integration/otlp/v1/traces", Ingest),
            ("POST", "/tunnel", Ingest),
            ("POST", "/api/error-logging/webhook/java/", Ingest),
            ("GET", "/api/error-logging/webhook/health/", Ingest),
            ("POST", "/api/error-logging/errors/", Ingest),
            ("OPTIONS", "/api/error-logging/errors/", Ingest),
            ("POST", "/api/v1/logs/frontend/", Ingest),
            ("GET", "/api/error-logging/errors/", Api),
            ("PATCH", "/api/error-logging/errors/7/", Api),
            ("POST", "/api/error-logging/errors/7/resolve/", Api),
            ("POST", "/api/error-logging/errors/7/assign/", Api),
            ("POST", "/api/error-logging/errors/7/escalate/", Api),
            ("GET", "/api/error-logging/errors/stats/", Api),
            ("GET", "/api/error-logging/errors/critical/", Api),
            ("GET", "/api/error-logging/developers/workload/", Api),
            ("GET", "/api/error-logging/notifications/", Api),
            ("GET", "/api/v1/issues", Api),
            ("GET", "/api/v1/live", Api),
            ("POST", "/api/v1/alerts/0f/alertmanager", Api),
            ("POST", "/v2/enqueue", Api),
            ("GET", "/api/v1/projects/2/events/0123", Api),
            ("GET", "/api/0/projects/", Api),
            ("GET", "/health/", Api),
            ("GET", "/metrics", Api),
            ("GET", "/", Api),
        ];
        for (method, path, expected) in table {
            assert_eq!(route(&method.parse().unwrap(), path), expected, "{method} {path}");
        }
    }
}
