//! `webhook/frontend` and the frontend log: what `window.onerror` and an error boundary have at hand.

/// Names that browsers use, as the common name they stand for.
pub(super) fn name(squashed: &str) -> Option<&'static str> {
    Some(match squashed {
        "name" => "errortype",
        "reason" => "error",
        "source" => "file",
        "page" | "location" => "url",
        "component" => "function",
        _ => return None,
    })
}
