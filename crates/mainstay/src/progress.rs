//! How far a long command is: a bar for people, lines of JSON for programs, nothing else.
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::output::Output;

/// How often programs are told.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// How far a command is.
pub(crate) struct Progress {
    bar: ProgressBar,
    output: Output,
    began: Instant,
    told: Option<Instant>,
    records: u64,
}

impl Progress {
    /// Begins. What is left is told by records, or by bytes.
    pub(crate) fn start(output: Output, by_bytes: bool) -> Progress {
        let bar = if output.for_people() {
            let template = match by_bytes {
                true => "{wide_bar} {msg}, {bytes}/{total_bytes}, {eta} left",
                false => "{wide_bar} {msg}, {percent} %, {eta} left",
            };
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(0).with_style(style)
        } else {
            ProgressBar::hidden()
        };
        let now = Instant::now();
        Progress { bar, output, began: now, told: None, records: 0 }
    }

    /// Whether somebody looks on.
    pub(crate) fn is_shown(&self) -> bool {
        self.output.for_people() || self.output.for_programs()
    }

    /// How much there is in all.
    pub(crate) fn set_length(&self, length: u64) {
        self.bar.set_length(length);
    }

    /// Records done, and how far that is.
    pub(crate) fn set(&mut self, records: u64, position: u64) {
        self.records = records;
        self.bar.set_position(position);
        if self.output.for_people() {
            self.bar.set_message(format!("{records} records, {}/s", self.rate()));
        }
        if self.output.for_programs() && self.told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
            self.told = Some(Instant::now());
            let (done, all) = (position, self.bar.length().unwrap_or(0));
            self.output
                .note(&json!({"progress": {"records": records, "perSecond": self.rate(), "done": done, "of": all}}));
        }
    }

    /// More records are done.
    pub(crate) fn add(&mut self, records: u64) {
        self.set(self.records + records, self.records + records);
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn rate(&self) -> u64 {
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        self.records.saturating_mul(1_000) / millis
    }
}
