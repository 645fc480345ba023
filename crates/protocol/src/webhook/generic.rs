//! `webhook/generic` and `POST /api/error-logging/errors/`: no framework in particular.

/// Names of the older contract, as the common name they stand for.
pub(super) fn name(squashed: &str) -> Option<&'static str> {
    Some(match squashed {
        "source" => "service",
        _ => return None,
    })
}
