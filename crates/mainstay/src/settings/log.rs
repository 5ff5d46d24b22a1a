//! `[log]`: what is logged.
use serde::{Deserialize, Serialize};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::failure::Failure;

/// `[log]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogSettings {
    /// `error`, `warn`, `info`, `debug`, `trace`, or directives like `info,mainstay_store=debug`.
    pub(crate) level: String,
    /// Reads and writes of the database that take longer are logged with their SQL, which holds no values, and the plan in words, in
    /// milliseconds; 0: none.
    pub(crate) slow_ms: u64,
}

impl Default for LogSettings {
    fn default() -> LogSettings {
        LogSettings { level: "info".into(), slow_ms: 0 }
    }
}

impl LogSettings {
    /// What passes. A word alone is a level: as the name of a part it would silence all others.
    pub(crate) fn filter(&self) -> Result<EnvFilter, Failure> {
        let wrong = |message: String| {
            let hint = "error, warn, info, debug or trace; for a part: info,mainstay_store=debug";
            Failure::new("settings", format!("log.level: {message}")).hint(hint)
        };
        let level = self.level.trim();
        let empty = level.split(',').all(|part| part.trim().is_empty());
        if empty || !level.contains(['=', ',']) && level.parse::<LevelFilter>().is_err() {
            return Err(wrong(format!("\"{level}\" is no level")));
        }
        EnvFilter::try_new(level).map_err(|error| wrong(error.to_string()))
    }
}
