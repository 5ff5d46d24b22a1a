//! Why a command failed: one shape for people and for programs.
use std::fmt;

use mainstay_schema::Diagnostics;
use serde_json::{Value, json};

/// A failure that ends a command.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The stable code.
    pub(crate) code: &'static str,
    /// What went wrong: lower case, no full stop.
    pub(crate) message: String,
    /// What to do next.
    pub(crate) hint: Option<String>,
    /// What else there is to show, as it is.
    pub(crate) detail: Detail,
}

/// More about a failure.
#[derive(Debug, Default)]
pub(crate) enum Detail {
    /// Nothing.
    #[default]
    None,
    /// Errors in the schema.
    Schema(Diagnostics),
    /// Lines for people; the same as JSON for programs.
    Lines(Vec<String>, Value),
}

impl Failure {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into(), hint: None, detail: Detail::None }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Failure {
        Failure { hint: Some(hint.into()), ..self }
    }

    pub(crate) fn detail(self, detail: Detail) -> Failure {
        Failure { detail, ..self }
    }

    /// A file or folder that cannot be read or written.
    pub(crate) fn io(what: impl fmt::Display, error: &std::io::Error) -> Failure {
        Failure::new("io", format!("{what}: {error}"))
    }

    /// Errors in the schema.
    pub(crate) fn schema(diagnostics: Diagnostics) -> Failure {
        let count = diagnostics.0.len();
        let errors = if count == 1 { "1 error".to_owned() } else { format!("{count} errors") };
        Failure::new("schema", format!("the schema has {errors}")).detail(Detail::Schema(diagnostics))
    }

    /// A failure of the database.
    pub(crate) fn database(error: impl fmt::Display) -> Failure {
        Failure::new("database", error.to_string())
    }

    /// As JSON.
    pub(crate) fn to_json(&self) -> Value {
        let mut error = json!({"code": self.code, "message": self.message});
        if let Some(hint) = &self.hint {
            error["hint"] = json!(hint);
        }
        match &self.detail {
            Detail::None => {}
            Detail::Schema(diagnostics) => error["diagnostics"] = json!(diagnostics),
            Detail::Lines(_, value) => error["detail"] = value.clone(),
        }
        json!({ "error": error })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            Detail::None => {}
            Detail::Schema(diagnostics) => writeln!(out, "{diagnostics}")?,
            Detail::Lines(lines, _) => lines.iter().try_for_each(|line| writeln!(out, "{line}"))?,
        }
        write!(out, "error: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(out, "\n hint: {hint}"),
            None => Ok(()),
        }
    }
}
