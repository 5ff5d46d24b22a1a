//! What can be wrong with an expression.
use std::fmt;

use crate::types::Span;

/// One thing that is wrong with an expression's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A stable word for programs: `syntax`, `unknown_name`, `type_mismatch`, …
    pub code: &'static str,
    /// What is wrong, for people; lower case, no full stop.
    pub message: String,
    /// Where in the text.
    pub span: Span,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
    /// What it says of a named expression that is used here, where it stands in that one: whoever checks that one says it too.
    pub inlined: Option<String>,
}

impl Problem {
    /// A problem without a hint.
    pub fn new(code: &'static str, span: Span, message: impl Into<String>) -> Problem {
        Problem { code, message: message.into(), span, hint: None, inlined: None }
    }

    /// The same problem with a hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Problem {
        Problem { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} (at {}..{})", self.message, self.span.start, self.span.end)?;
        match &self.hint {
            Some(hint) => write!(out, "; {hint}"),
            None => Ok(()),
        }
    }
}
