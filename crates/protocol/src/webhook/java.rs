//! `webhook/java`: what a servlet filter, an exception mapper or a log appender has at hand.

/// Names that only appenders and servlets use, as the common name they stand for.
pub(super) fn name(squashed: &str) -> Option<&'static str> {
    Some(match squashed {
        "formattedmessage" | "localizedmessage" => "message",
        "thrown" | "throwableproxy" => "exception",
        "mdc" | "contextmap" => "context",
        "principal" | "remoteuser" => "user",
        "timemillis" | "instant" => "timestamp",
        "suppressed" => "causes",
        _ => return None,
    })
}
