//! `[dev]`: what `mainstay dev` tells while you work.
use serde::{Deserialize, Serialize};

/// `[dev]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DevSettings {
    /// Requests that take longer are told, with their SQL, the plan in words and the index that is missing, in milliseconds; 0: none.
    pub(crate) slow_ms: u64,
}

impl Default for DevSettings {
    fn default() -> DevSettings {
        DevSettings { slow_ms: 100 }
    }
}
