//! What commands say: text for people, JSON for programs.
use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use serde::Serialize;

use crate::failure::Failure;

/// Where a command speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Output {
        Output { json }
    }

    /// Whether a person looks on.
    pub(crate) fn for_people(self) -> bool {
        !self.json && io::stderr().is_terminal()
    }

    /// Whether a program reads.
    pub(crate) fn for_programs(self) -> bool {
        self.json
    }

    /// A line for programs, beside the result.
    pub(crate) fn note(self, json: &impl Serialize) {
        let _ = writeln!(io::stderr().lock(), "{}", serde_json::to_string(json).unwrap_or_default());
    }

    /// The result, in one of its two forms. A reader that has gone away is no failure.
    pub(crate) fn result(self, text: impl Display, json: &impl Serialize) {
        let mut out = io::stdout().lock();
        let _ = if self.json {
            writeln!(out, "{}", serde_json::to_string_pretty(json).unwrap_or_default())
        } else {
            writeln!(out, "{text}")
        };
    }

    /// The result where it is a text that programs read too.
    pub(crate) fn raw(self, text: &[u8]) {
        let _ = io::stdout().lock().write_all(text);
    }

    /// A remark beside the result; programs do not get it.
    pub(crate) fn remark(self, text: impl Display) {
        if !self.json {
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }

    /// A failure, and the exit code that goes with it.
    pub(crate) fn failure(self, failure: &Failure) -> ExitCode {
        let _ = if self.json {
            let json = serde_json::to_string_pretty(&failure.to_json()).unwrap_or_default();
            writeln!(io::stdout().lock(), "{json}")
        } else {
            writeln!(io::stderr().lock(), "{failure}")
        };
        ExitCode::FAILURE
    }
}
