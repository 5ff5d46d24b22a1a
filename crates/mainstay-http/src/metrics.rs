//! What the server counts, as Prometheus text. Atomics only: a request costs a handful of additions.
use std::{
    fmt::Write as _,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// The kinds of request that are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    List,
    Read,
    Create,
    Update,
    Delete,
    Changes,
    Other,
}

const KINDS: [(Kind, &str); 7] = [
    (Kind::List, "list"),
    (Kind::Read, "read"),
    (Kind::Create, "create"),
    (Kind::Update, "update"),
    (Kind::Delete, "delete"),
    (Kind::Changes, "changes"),
    (Kind::Other, "other"),
];

const STATUS_CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The upper ends of the duration buckets, in microseconds; the last bucket has none.
const BUCKETS_US: [u64; 14] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000];

/// All counters of one server.
#[derive(Debug, Default)]
pub struct Metrics {
    kinds: [KindCounters; KINDS.len()],
    /// Requests that are being answered.
    pub(crate) in_flight: AtomicU64,
    /// Connections that are open.
    pub(crate) connections: AtomicU64,
    /// Connections that were ever accepted.
    pub(crate) connections_total: AtomicU64,
    /// Answers that failed because of the database.
    pub(crate) database_errors: AtomicU64,
}

#[derive(Debug, Default)]
struct KindCounters {
    by_status: [AtomicU64; STATUS_CLASSES.len()],
    /// One more than there are ends: the last one is for what takes longer.
    by_duration: [AtomicU64; BUCKETS_US.len() + 1],
    duration_us: AtomicU64,
}

impl Metrics {
    /// Counts one answered request.
    pub(crate) fn observe(&self, kind: Kind, status: u16, duration: Duration) {
        let counters = &self.kinds[kind as usize];
        let class = (usize::from(status / 100).max(1) - 1).min(STATUS_CLASSES.len() - 1);
        let duration_us = duration.as_micros().min(u128::from(u64::MAX)) as u64;
        let bucket = BUCKETS_US.iter().position(|end| duration_us <= *end).unwrap_or(BUCKETS_US.len());
        counters.by_status[class].fetch_add(1, Relaxed);
        counters.by_duration[bucket].fetch_add(1, Relaxed);
        counters.duration_us.fetch_add(duration_us, Relaxed);
    }

    /// The Prometheus text of everything, of a node that is elected or not.
    pub(crate) fn text(&self, is_elected: bool) -> String {
        let mut out = String::with_capacity(8 * 1024);
        self.write_requests(&mut out);
        self.write_durations(&mut out);
        let leader = AtomicU64::new(u64::from(is_elected));
        let single = [
            ("mainstay_node_leader", "gauge", "Whether this node does what only one node does.", &leader),
            ("mainstay_http_requests_in_flight", "gauge", "Requests that are being answered.", &self.in_flight),
            ("mainstay_http_connections", "gauge", "Connections that are open.", &self.connections),
            (
                "mainstay_http_connections_total",
                "counter",
                "Connections that were ever accepted.",
                &self.connections_total,
            ),
            (
                "mainstay_database_errors_total",
                "counter",
                "Answers that failed because of the database.",
                &self.database_errors,
            ),
        ];
        for (name, kind, help, value) in single {
            let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {}\n", value.load(Relaxed));
        }
        out
    }

    fn write_requests(&self, out: &mut String) {
        let name = "mainstay_http_requests_total";
        let _ = write!(out, "# HELP {name} Requests that were answered.\n# TYPE {name} counter\n");
        for ((_, kind), counters) in KINDS.iter().zip(&self.kinds) {
            for (class, count) in STATUS_CLASSES.iter().zip(&counters.by_status) {
                let count = count.load(Relaxed);
                if count > 0 {
                    let _ = writeln!(out, "{name}{{kind=\"{kind}\",status=\"{class}\"}} {count}");
                }
            }
        }
    }

    fn write_durations(&self, out: &mut String) {
        let name = "mainstay_http_request_duration_seconds";
        let _ = write!(out, "# HELP {name} How long requests took.\n# TYPE {name} histogram\n");
        for ((_, kind), counters) in KINDS.iter().zip(&self.kinds) {
            let mut total = 0;
            for (at, count) in counters.by_duration.iter().enumerate() {
                total += count.load(Relaxed);
                let end = BUCKETS_US.get(at).map_or_else(|| "+Inf".into(), |end| seconds(*end));
                let _ = writeln!(out, "{name}_bucket{{kind=\"{kind}\",le=\"{end}\"}} {total}");
            }
            let sum = seconds(counters.duration_us.load(Relaxed));
            let _ = write!(out, "{name}_sum{{kind=\"{kind}\"}} {sum}\n{name}_count{{kind=\"{kind}\"}} {total}\n");
        }
    }
}

fn seconds(micros: u64) -> String {
    format!("{}", micros as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_in_every_bucket_that_it_fits() {
        let metrics = Metrics::default();
        metrics.observe(Kind::Read, 200, Duration::from_micros(300));
        metrics.observe(Kind::Read, 404, Duration::from_secs(9));
        let text = metrics.text(true);
        for line in [
            "mainstay_http_requests_total{kind=\"read\",status=\"2xx\"} 1",
            "mainstay_http_requests_total{kind=\"read\",status=\"4xx\"} 1",
            "mainstay_http_request_duration_seconds_bucket{kind=\"read\",le=\"0.00025\"} 0",
            "mainstay_http_request_duration_seconds_bucket{kind=\"read\",le=\"0.0005\"} 1",
            "mainstay_http_request_duration_seconds_bucket{kind=\"read\",le=\"+Inf\"} 2",
            "mainstay_http_request_duration_seconds_count{kind=\"read\"} 2",
            "mainstay_node_leader 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
