//! Counters, gauges and histograms, shown as Prometheus' text (version 0.0.4).
//!
//! A handle costs one atomic to change; making one takes a lock, so make them once and keep them. Label values
//! must come from a closed set: a series is never forgotten.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Upper bounds in seconds for latencies from half a millisecond to a minute.
pub const LATENCY_BUCKETS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// The metrics of a process. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<Mutex<BTreeMap<String, Family>>>);

#[derive(Debug)]
struct Family {
    help: String,
    kind: Kind,
    series: BTreeMap<String, Series>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

#[derive(Debug, Clone)]
enum Series {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}

/// A number that only grows.
#[derive(Debug, Clone, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Adds one.
    pub fn inc(&self) {
        self.add(1);
    }

    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The number now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Debug, Clone, Default)]
pub struct Gauge(Arc<AtomicU64>);

impl Gauge {
    /// Sets the number.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    /// Adds `change`, which may be negative.
    pub fn add(&self, change: f64) {
        add_f64(&self.0, change);
    }

    /// The number now.
    #[must_use]
    pub fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

/// How often values fell below each of some bounds. Durations in seconds.
#[derive(Debug, Clone)]
pub struct Histogram(Arc<Buckets>);

#[derive(Debug)]
struct Buckets {
    /// Upper bound and count of what fell between it and the one before.
    bounds: Vec<(f64, AtomicU64)>,
    above: AtomicU64,
    sum: AtomicU64,
}

impl Histogram {
    fn new(bounds: &[f64]) -> Self {
        let bounds = bounds.iter().map(|bound| (*bound, AtomicU64::new(0))).collect();
        Self(Arc::new(Buckets { bounds, above: AtomicU64::new(0), sum: AtomicU64::new(0) }))
    }

    /// Counts one value.
    pub fn observe(&self, value: f64) {
        let bucket =
            self.0.bounds.iter().find(|(bound, _)| value <= *bound).map_or(&self.0.above, |(_, count)| count);
        bucket.fetch_add(1, Ordering::Relaxed);
        add_f64(&self.0.sum, value);
    }

    /// How many values were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        let below: u64 = self.0.bounds.iter().map(|(_, count)| count.load(Ordering::Relaxed)).sum();
        below + self.0.above.load(Ordering::Relaxed)
    }
}

fn add_f64(cell: &AtomicU64, change: f64) {
    let add = |bits| Some((f64::from_bits(bits) + change).to_bits());
    // The closure never gives None, so this cannot fail.
    let _ = cell.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
}

impl Metrics {
    /// No metrics yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The counter of this name and these labels; made when it is new. By convention the name ends in `_total`.
    #[must_use]
    pub fn counter(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> Counter {
        let made = self.series(name, help, Kind::Counter, labels, || Series::Counter(Counter::default()));
        if let Series::Counter(counter) = made { counter } else { Counter::default() }
    }

    /// The gauge of this name and these labels; made when it is new.
    #[must_use]
    pub fn gauge(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> Gauge {
        let made = self.series(name, help, Kind::Gauge, labels, || Series::Gauge(Gauge::default()));
        if let Series::Gauge(gauge) = made { gauge } else { Gauge::default() }
    }

    /// The histogram of this name and these labels; made when it is new. `buckets` are ascending upper bounds,
    /// such as [`LATENCY_BUCKETS`].
    #[must_use]
    pub fn histogram(&self, name: &str, help: &str, labels: &[(&str, &str)], buckets: &[f64]) -> Histogram {
        let made =
            self.series(name, help, Kind::Histogram, labels, || Series::Histogram(Histogram::new(buckets)));
        if let Series::Histogram(histogram) = made { histogram } else { Histogram::new(buckets) }
    }

    /// A name used for two kinds is a mistake in the code: the second gets a series that is not shown.
    fn series(
        &self,
        name: &str,
        help: &str,
        kind: Kind,
        labels: &[(&str, &str)],
        make: impl Fn() -> Series,
    ) -> Series {
        let mut families = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let family = families.entry(name.to_owned()).or_insert_with(|| Family {
            help: help.to_owned(),
            kind,
            series: BTreeMap::new(),
        });
        debug_assert_eq!(family.kind, kind, "metric {name} is used as two kinds");
        if family.kind != kind {
            return make();
        }
        family.series.entry(label_text(labels)).or_insert_with(make).clone()
    }

    /// All metrics as Prometheus' text.
    #[must_use]
    pub fn render(&self) -> String {
        let families = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = String::new();
        for (name, family) in families.iter() {
            line(
                &mut out,
                format_args!("# HELP {name} {}", family.help.replace('\\', "\\\\").replace('\n', "\\n")),
            );
            line(&mut out, format_args!("# TYPE {name} {}", family.kind.as_str()));
            for (labels, series) in &family.series {
                render_series(&mut out, name, labels, series);
            }
        }
        out
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{text}");
}

fn render_series(out: &mut String, name: &str, labels: &str, series: &Series) {
    let braced = |labels: &str| if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
    match series {
        Series::Counter(counter) => line(out, format_args!("{name}{} {}", braced(labels), counter.get())),
        Series::Gauge(gauge) => line(out, format_args!("{name}{} {}", braced(labels), gauge.get())),
        Series::Histogram(histogram) => {
            let separator = if labels.is_empty() { "" } else { "," };
            let mut total = 0;
            for (bound, count) in &histogram.0.bounds {
                total += count.load(Ordering::Relaxed);
                line(out, format_args!("{name}_bucket{{{labels}{separator}le=\"{bound}\"}} {total}"));
            }
            total += histogram.0.above.load(Ordering::Relaxed);
            line(out, format_args!("{name}_bucket{{{labels}{separator}le=\"+Inf\"}} {total}"));
            let sum = f64::from_bits(histogram.0.sum.load(Ordering::Relaxed));
            line(out, format_args!("{name}_sum{} {sum}", braced(labels)));
            line(out, format_args!("{name}_count{} {total}", braced(labels)));
        }
    }
}

fn label_text(labels: &[(&str, &str)]) -> String {
    let mut labels = labels.to_vec();
    labels.sort_unstable();
    let pairs: Vec<_> = labels
        .iter()
        .map(|(key, value)| {
            format!("{key}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
        })
        .collect();
    pairs.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_prometheus() {
        let metrics = Metrics::new();
        metrics.counter("bugle_items_total", "Items.", &[("outcome", "recorded")]).add(3);
        metrics.counter("bugle_items_total", "Items.", &[("outcome", "in\"va\\lid")]).inc();
        metrics.gauge("bugle_backlog", "Waiting.", &[]).set(2.5);
        let latency = metrics.histogram("bugle_wait_seconds", "Wait.", &[("to", "db")], &[0.1, 1.0]);
        for value in [0.05, 0.1, 0.5, 7.0] {
            latency.observe(value);
        }
        let expected = "\
# HELP bugle_backlog Waiting.
# TYPE bugle_backlog gauge
bugle_backlog 2.5
# HELP bugle_items_total Items.
# TYPE bugle_items_total counter
bugle_items_total{outcome=\"in\\\"va\\\\lid\"} 1
bugle_items_total{outcome=\"recorded\"} 3
# HELP bugle_wait_seconds Wait.
# TYPE bugle_wait_seconds histogram
bugle_wait_seconds_bucket{to=\"db\",le=\"0.1\"} 2
bugle_wait_seconds_bucket{to=\"db\",le=\"1\"} 3
bugle_wait_seconds_bucket{to=\"db\",le=\"+Inf\"} 4
bugle_wait_seconds_sum{to=\"db\"} 7.65
bugle_wait_seconds_count{to=\"db\"} 4
";
        assert_eq!(metrics.render(), expected);
    }

    #[test]
    fn the_same_name_and_labels_are_the_same_series_whatever_their_order() {
        let metrics = Metrics::new();
        metrics.counter("a_total", "A.", &[("x", "1"), ("y", "2")]).inc();
        metrics.clone().counter("a_total", "A.", &[("y", "2"), ("x", "1")]).inc();
        assert!(metrics.render().ends_with("a_total{x=\"1\",y=\"2\"} 2\n"));
    }
}
