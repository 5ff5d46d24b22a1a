//! `[log]`: what is logged.
use serde::{Deserialize, Serialize};

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
