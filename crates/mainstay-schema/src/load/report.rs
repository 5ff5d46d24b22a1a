//! The errors so far.
use mainstay_expr::Problem;

use super::files::{Files, Place};
use crate::{Diagnostic, Diagnostics};

/// Collects errors with their places.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) files: Files,
    errors: Vec<(Place, Diagnostic)>,
}

impl Report {
    /// Adds an error; a hint may be put on what comes back.
    pub(super) fn error(&mut self, place: Place, code: &'static str, message: impl Into<String>) -> Hint<'_> {
        let (line, column) = self.files.line_column(place.file, place.start);
        let (end_line, end_column) = self.files.line_column(place.file, place.end.max(place.start));
        let diagnostic = Diagnostic {
            code,
            message: message.into(),
            file: self.files.name(place.file).to_owned(),
            line,
            column,
            end_line,
            end_column,
            source_line: self.files.line(place.file, line).to_owned(),
            hint: None,
        };
        self.errors.push((place, diagnostic));
        Hint(self.errors.last_mut().map(|(_, diagnostic)| diagnostic))
    }

    /// Adds what is wrong with an expression.
    pub(super) fn tell(&mut self, place: Place, problem: Problem) {
        let told = self.error(place, problem.code, problem.message);
        if let Some(hint) = problem.hint {
            told.hint(hint);
        }
    }

    /// Whether an error was told in these words.
    pub(super) fn told(&self, message: &str) -> bool {
        self.errors.iter().any(|(_, diagnostic)| diagnostic.message == message)
    }

    /// Whether an error was told at a place that overlaps this one.
    pub(super) fn told_at(&self, place: Place) -> bool {
        self.errors.iter().any(|(other, _)| {
            other.file == place.file
                && other.start < place.end.max(place.start + 1)
                && place.start < other.end.max(other.start + 1)
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// All errors in the order of the files, each once.
    pub(super) fn finish(mut self) -> Diagnostics {
        self.errors.sort_by_key(|(place, _)| *place);
        self.errors.dedup_by(|a, b| a == b);
        Diagnostics(self.errors.into_iter().map(|(_, diagnostic)| diagnostic).collect())
    }
}

/// The error that was just added.
pub(super) struct Hint<'r>(Option<&'r mut Diagnostic>);

impl Hint<'_> {
    pub(super) fn hint(self, hint: impl Into<String>) {
        if let Some(diagnostic) = self.0 {
            diagnostic.hint = Some(hint.into());
        }
    }

    /// `did you mean "near"?`, or what else helps.
    pub(super) fn nearest_or(self, near: Option<&str>, otherwise: impl FnOnce() -> Option<String>) {
        match near {
            Some(near) => self.hint(format!("did you mean \"{near}\"?")),
            None => {
                if let Some(hint) = otherwise() {
                    self.hint(hint);
                }
            }
        }
    }
}
