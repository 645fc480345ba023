//! The category that rate limits and client reports count an item under.

/// The rate limit category of an envelope item's type; `default` for types that are not known.
#[must_use]
pub fn item_category(item_type: &str) -> &'static str {
    match item_type {
        "event" => "error",
        "transaction" => "transaction",
        "attachment" => "attachment",
        "session" | "sessions" => "session",
        "check_in" => "monitor",
        "feedback" => "feedback",
        "log" | "otel_log" => "log_item",
        "span" | "otel_span" => "span",
        "profile" => "profile",
        "profile_chunk" => "profile_chunk",
        "profile_chunk_ui" => "profile_chunk_ui",
        "replay_event" | "replay_recording" | "replay_video" => "replay",
        "trace_metric" => "trace_metric",
        "statsd" | "metric_buckets" => "metric_bucket",
        "raw_security" | "security" | "nel" => "security",
        "client_report" => "internal",
        _ => "default",
    }
}
