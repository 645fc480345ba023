//! `webhook/laravel`: what a Laravel (or any PHP) exception handler has at hand.

/// Names that only PHP's handlers use, as the common name they stand for.
pub(super) fn name(squashed: &str) -> Option<&'static str> {
    Some(match squashed {
        "controller" | "controlleraction" => "action",
        "requestpath" => "path",
        "get" => "query",
        "post" => "input",
        "authuser" => "user",
        _ => return None,
    })
}
