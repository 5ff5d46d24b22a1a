//! What came of it, in words.
use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use super::{Violation, site::NODES};

/// Violations that are told; there may be as many as there are writes.
const TOLD_MAX: usize = 20;

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// How often what was broken.
    pub events: BTreeMap<&'static str, u64>,
    /// Entries that were acknowledged.
    pub entries: u64,
    /// Batches among them, which count an account up too.
    pub batches: u64,
    /// Changes that each reader of the feed is to get.
    pub changes: u64,
    /// Attempts that came to nothing and were made again, by what was told.
    pub again: BTreeMap<String, u64>,
    /// The longest that a write took over all its attempts.
    pub slowest: Duration,
    /// The longest that nodes took to be ready after what was broken was mended.
    pub mended: Duration,
    /// The longest that it took until another node was elected than the one that was cut off.
    pub elected: Duration,
    /// What was found to be wrong.
    pub violations: Vec<Violation>,
}

impl Report {
    /// The report in words.
    pub fn text(&self) -> String {
        let Report { events, entries, batches, changes, again, slowest, mended, elected, violations } = self;
        let mut out = String::new();
        // A String cannot fail to be written to.
        for (event, times) in events {
            let _ = writeln!(out, "{event}: {times} times");
        }
        let _ =
            writeln!(out, "acknowledged: {entries} entries, {batches} of them in batches with an account counted up");
        let _ = writeln!(out, "changes for each of {NODES} readers of the feed: {changes}");
        let (slowest, mended) = (slowest.as_millis(), mended.as_millis());
        let _ =
            writeln!(out, "slowest write, over all its attempts: {slowest} ms; slowest to be ready again: {mended} ms");
        let _ = writeln!(out, "slowest to elect another node: {} ms", elected.as_millis());
        for (why, times) in again {
            let _ = writeln!(out, "sent again {times} times: {why}");
        }
        let _ = writeln!(out, "{} lost, done twice, unasked for or refused", violations.len());
        for Violation(text) in violations.iter().take(TOLD_MAX) {
            let _ = writeln!(out, "  {text}");
        }
        out
    }
}
