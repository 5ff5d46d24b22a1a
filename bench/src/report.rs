//! The table for people and the JSON for programs.
use std::fmt::Write as _;

use serde::Serialize;

use crate::compare::{Comparison, Plan};

/// The most that a fresh server may hold, in MiB.
const IDLE_MIB_MAX: f64 = 30.0;
/// The most that it may hold under load.
const LOADED_MIB_MAX: f64 = 90.0;
/// The most that it may take to its first answer, in milliseconds.
const START_MS_MAX: f64 = 100.0;

/// A whole run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What was measured, and against what.
    pub names: [String; 2],
    /// How it was measured.
    pub plan: Plan,
    /// The processors that servers and load generator shared.
    pub processors: usize,
    /// Starts and memory, for each size.
    pub servers: Vec<Resident>,
    /// Everything else.
    pub comparisons: Vec<Comparison>,
}

/// What a server takes to start and to stay.
#[derive(Debug, Serialize)]
pub struct Resident {
    /// Which.
    pub name: String,
    /// Records in the table.
    pub rows: u64,
    /// From the start of the process to its first page of 20, the median of some starts.
    pub start_ms: f64,
    /// Memory after that answer.
    pub idle_mib: f64,
    /// The most memory after any round.
    pub loaded_mib: f64,
    /// Whether the goals are for this one.
    pub judged: bool,
}

impl Report {
    /// Whether every goal was reached.
    pub fn reached(&self) -> bool {
        self.comparisons.iter().all(|comparison| comparison.missed.is_empty())
            && self.servers.iter().all(|resident| resident.missed().is_empty())
    }

    /// Answers that were not 2xx, anywhere.
    pub fn errors(&self) -> u64 {
        self.comparisons.iter().map(|comparison| comparison.base.errors + comparison.subject.errors).sum()
    }

    /// The first of them.
    pub fn first_error(&self) -> Option<&str> {
        let mut rounds = self.comparisons.iter().flat_map(|comparison| comparison.rounds.iter().flatten());
        rounds.find_map(|round| round.first_error.as_deref())
    }

    /// The tables, in Markdown.
    pub fn table(&self) -> String {
        let mut out = String::new();
        self.head(&mut out);
        for comparison in &self.comparisons {
            row(&mut out, comparison);
        }
        out.push_str("\n| server | rows | start ms | idle MiB | loaded MiB | missed |\n|---|--:|--:|--:|--:|---|\n");
        for resident in &self.servers {
            let Resident { name, rows, start_ms, idle_mib, loaded_mib, .. } = resident;
            let missed = resident.missed().join(" ");
            // A String cannot fail to be written to, here and below.
            let _ = writeln!(out, "| {name} | {rows} | {start_ms:.1} | {idle_mib:.1} | {loaded_mib:.1} | {missed} |");
        }
        out
    }

    fn head(&self, out: &mut String) {
        let Plan { rounds, seconds, .. } = self.plan;
        let [base, subject] = &self.names;
        let _ = writeln!(
            out,
            "{subject} against {base} (or what the row names): medians of {rounds} interleaved rounds of {seconds} s on \
             {} processors,\nshared with the load generator. CPU is the server's µs for a request, database that of the database's own processes,\n\
             both the ratio of the two together; goals are in brackets.\n",
            self.processors
        );
        out.push_str("| engine | operation | rows | c | req/s base | subject | ratio | CPU base | subject | ratio |");
        out.push_str(
            " database base | subject | both | p50 µs base | subject | p99 µs base | subject | missed |\n|---|---|",
        );
        out.push_str(&"--:|".repeat(15));
        out.push_str("---|\n");
    }
}

fn row(out: &mut String, comparison: &Comparison) {
    let Comparison { engine, case, rows, connections, base, subject, rate_ratio, cpu_ratio, goal, .. } = comparison;
    let goal_text = |sign: &str, goal: Option<f64>| goal.map(|goal| format!(" ({sign} {goal})")).unwrap_or_default();
    let database = match comparison.subject.database_us {
        0.0 => " | | ".to_owned(),
        of_subject => {
            let goal = goal_text("≤", goal.total_max);
            format!("{:.1} | {of_subject:.1} | {:.2}{goal}", base.database_us, comparison.total_ratio)
        }
    };
    let _ = writeln!(
        out,
        "| {engine} | {case} | {rows} | {connections} | {:.0} | {:.0} | {rate_ratio:.2}{} | {:.1} | {:.1}{} | {cpu_ratio:.2}{} \
         | {database} | {:.0} | {:.0} | {:.0} | {:.0} | {} |",
        base.requests_per_second,
        subject.requests_per_second,
        goal_text("≥", goal.rate_min),
        base.cpu_us,
        subject.cpu_us,
        goal_text("≤", goal.cpu_us_max),
        goal_text("≤", goal.cpu_max),
        base.p50_us,
        subject.p50_us,
        base.p99_us,
        subject.p99_us,
        comparison.missed.join(" "),
    );
}

impl Resident {
    fn missed(&self) -> Vec<&'static str> {
        let checks = [
            ("start", self.start_ms > START_MS_MAX),
            ("idle", self.idle_mib > IDLE_MIB_MAX),
            ("loaded", self.loaded_mib > LOADED_MIB_MAX),
        ];
        checks.into_iter().filter(|(_, missed)| self.judged && *missed).map(|(what, _)| what).collect()
    }
}
