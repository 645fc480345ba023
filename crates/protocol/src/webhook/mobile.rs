//! `webhook/mobile`: what Flutter, React Native, Android and iOS apps have at hand.

/// Names that apps use, as the common name they stand for.
pub(super) fn name(squashed: &str) -> Option<&'static str> {
    Some(match squashed {
        "name" => "errortype",
        "reason" | "summary" => "message",
        "exceptionasstring" => "exception",
        "page" => "screen",
        "systemname" => "os",
        _ => return None,
    })
}
