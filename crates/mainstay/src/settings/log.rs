//! `[log]`: what is logged.
use serde::{Deserialize, Serialize};

/// `[log]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogSettings {
    /// `error`, `warn`, `info`, `debug`, `trace`, or directives like `info,mainstay_store=debug`.
    pub(crate) level: String,
}

impl Default for LogSettings {
    fn default() -> LogSettings {
        LogSettings { level: "info".into() }
    }
}
