//! Which clauses of the rules the tests made true, and which they made false.
use mainstay_core::{ClauseSeen, Core, RuleClause};
use mainstay_schema::Schema;
use serde::Serialize;

/// What was seen of each clause.
#[derive(Default)]
pub(super) struct Coverage {
    clauses: Vec<(RuleClause, [bool; 2])>,
}

/// What there is to tell.
#[derive(Serialize)]
pub(super) struct Summary {
    /// Of all clauses, each to be seen true and to be seen false.
    pub(super) percent: f64,
    pub(super) clauses: usize,
    /// Those of which something was not seen.
    pub(super) missing: Vec<Missing>,
}

/// A clause that no test made true, or none made false.
#[derive(Serialize)]
pub(super) struct Missing {
    pub(super) rule: String,
    pub(super) clause: String,
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) never: Vec<bool>,
}

impl Coverage {
    /// Of the clauses of a schema.
    pub(super) fn note_clauses(&mut self, core: &Core) {
        if self.clauses.is_empty() {
            self.clauses = core.rule_clauses().into_iter().map(|clause| (clause, [false; 2])).collect();
        }
    }

    pub(super) fn add(&mut self, seen: &[ClauseSeen]) {
        for one in seen {
            for (_, known) in self.clauses.iter_mut().filter(|(clause, _)| clause.is(one)) {
                known[0] |= one.failed;
                known[1] |= one.held;
            }
        }
    }

    pub(super) fn summary(&self, schema: &Schema) -> Summary {
        let all = self.clauses.len() * 2;
        let seen: usize = self.clauses.iter().flat_map(|(_, seen)| seen).filter(|seen| **seen).count();
        // Rounded down, so that 100 means all.
        let percent = (seen * 1000).checked_div(all).map_or(100.0, |tenths| tenths as f64 / 10.0);
        let missing = self.clauses.iter().filter(|(_, seen)| *seen != [true; 2]).map(|(clause, seen)| {
            let collection = schema.collection(clause.collection);
            let link = clause.field.map_or(String::new(), |field| format!(".{}", collection.field(field).name));
            Missing {
                rule: format!("{}{link}.{}", collection.name, clause.kind),
                clause: clause.text.clone(),
                file: clause.file.to_string(),
                line: clause.line,
                never: [true, false].into_iter().filter(|outcome| !seen[usize::from(*outcome)]).collect(),
            }
        });
        Summary { percent, clauses: self.clauses.len(), missing: missing.collect() }
    }
}
