//! What the tests came to, for people and for programs.
use std::fmt::Write as _;

use serde::Serialize;

use super::coverage::Summary;

/// All results.
#[derive(Default, Serialize)]
pub(super) struct Report {
    #[serde(rename = "tests")]
    pub(super) results: Vec<Tested>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) coverage: Option<Summary>,
}

/// What one test came to.
#[derive(Serialize)]
pub(super) struct Tested {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) passed: bool,
    pub(super) requests: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<Failed>,
}

/// The request that was not answered as expected; the test ends there.
#[derive(Serialize)]
pub(super) struct Failed {
    pub(super) line: usize,
    pub(super) request: String,
    pub(super) differences: Vec<String>,
    pub(super) answered: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) why: Vec<String>,
}

impl Report {
    pub(super) fn add(&mut self, tested: Tested) {
        self.results.push(tested);
    }

    pub(super) fn failed(&self) -> usize {
        self.results.iter().filter(|tested| !tested.passed).count()
    }

    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        let mut file = "";
        for tested in &self.results {
            if tested.file != file {
                file = &tested.file;
                let _ = writeln!(out, "{file}");
            }
            let word = if tested.passed { "ok  " } else { "FAIL" };
            let _ = writeln!(out, "  {word} {}", tested.name);
            if let Some(failed) = &tested.failure {
                failed.write(file, &mut out);
            }
        }
        let requests: usize = self.results.iter().map(|tested| tested.requests).sum();
        let (tests, failed) = (self.results.len(), self.failed());
        let _ = write!(
            out,
            "\n{}, {}, {} failed",
            counted(tests, "test", "tests"),
            counted(requests, "request", "requests"),
            if failed == 0 { "none".to_owned() } else { failed.to_string() }
        );
        if let Some(summary) = &self.coverage {
            summary.write(&mut out);
        }
        out
    }
}

impl Failed {
    fn write(&self, file: &str, out: &mut String) {
        let _ = writeln!(out, "       {} ({file}:{})", self.request, self.line);
        for difference in &self.differences {
            let _ = writeln!(out, "         {difference}");
        }
        if !self.answered.is_empty() {
            let _ = writeln!(out, "         answered {}", self.answered);
        }
        for line in &self.why {
            let _ = writeln!(out, "         {line}");
        }
    }
}

impl Summary {
    fn write(&self, out: &mut String) {
        let clauses = counted(self.clauses, "clause", "clauses");
        let _ = write!(out, "\n{} % of {clauses} of the rules were seen to hold and not to hold", self.percent);
        for missing in &self.missing {
            let never: Vec<&str> = missing.never.iter().map(|never| if *never { "true" } else { "false" }).collect();
            let _ = write!(
                out,
                "\n  {}:{}: {} `{}` was never {}",
                missing.file,
                missing.line,
                missing.rule,
                missing.clause,
                never.join(" and never ")
            );
        }
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
