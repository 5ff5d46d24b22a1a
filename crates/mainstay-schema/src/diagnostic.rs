//! What is wrong with a schema, shown with the place it is wrong at.
use std::fmt::{self, Write as _};

use serde::Serialize;

/// One error in the schema files; lines and columns are counted from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// A stable name of the kind of error.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// The file's name as it was given.
    pub file: String,
    /// The first line.
    pub line: u32,
    /// The first column.
    pub column: u32,
    /// The last line.
    pub end_line: u32,
    /// One past the last column.
    pub end_column: u32,
    /// The first line itself.
    pub source_line: String,
    /// What to do next.
    pub hint: Option<String>,
}

/// Everything that is wrong with a schema, in the order of the files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// As a JSON array, for programs.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_else(|error| format!("{:?}", error.to_string()))
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let margin = " ".repeat(self.line.to_string().len());
        writeln!(out, "error[{}]: {}", self.code, self.message)?;
        writeln!(out, "{margin}--> {}:{}:{}", self.file, self.line, self.column)?;
        writeln!(out, "{margin} |")?;
        writeln!(out, "{} | {}", self.line, self.source_line)?;
        writeln!(out, "{margin} | {}", self.carets())?;
        if let Some(hint) = &self.hint {
            writeln!(out, "{margin} = hint: {hint}")?;
        }
        Ok(())
    }
}

impl Diagnostic {
    /// White space up to the column, then a caret under each character that is meant. Tabs stay tabs, so that it lines up.
    fn carets(&self) -> String {
        let start = (self.column as usize).saturating_sub(1);
        let mut line: String =
            self.source_line.chars().take(start).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let end =
            if self.end_line == self.line { self.end_column as usize } else { self.source_line.chars().count() + 1 };
        let width = end.saturating_sub(start + 1).max(1);
        let _ = write!(line, "{}", "^".repeat(width));
        line
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, diagnostic) in self.0.iter().enumerate() {
            if at > 0 {
                writeln!(out)?;
            }
            write!(out, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
