//! The log, on stderr: text on a terminal, JSON lines elsewhere.
use std::io::{self, IsTerminal};

use crate::{failure::Failure, settings::LogSettings};

/// Starts logging; once for a process.
pub(crate) fn start(settings: &LogSettings, json: bool) -> Result<(), Failure> {
    let filter = settings.filter()?;
    let terminal = io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(terminal);
    if json || !terminal {
        builder.json().flatten_event(true).with_target(false).init();
    } else {
        builder.compact().with_target(false).init();
    }
    Ok(())
}
