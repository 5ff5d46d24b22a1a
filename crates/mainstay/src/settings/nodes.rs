//! `[nodes]`: how nodes of one database see each other.
use std::time::Duration;

use mainstay_store::MemberSettings;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Signs of life that may be missed before a node is gone, at least.
const BEATS_MIN: u64 = 2;

/// `[nodes]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NodesArea {
    /// Between two signs of life, in milliseconds.
    pub(crate) heartbeat_ms: u64,
    /// After so many milliseconds without one a node is gone, and another one may be elected.
    pub(crate) gone_after_ms: u64,
}

impl Default for NodesArea {
    fn default() -> NodesArea {
        NodesArea { heartbeat_ms: 2_000, gone_after_ms: 10_000 }
    }
}

impl NodesArea {
    /// Fails where a node would be gone between two signs of life.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let NodesArea { heartbeat_ms, gone_after_ms } = *self;
        if heartbeat_ms == 0 {
            return Err(Failure::new("settings", "nodes.heartbeat_ms: 0 leaves no time between two signs of life"));
        }
        if gone_after_ms / BEATS_MIN < heartbeat_ms {
            let message = format!("nodes.gone_after_ms: {gone_after_ms} is less than two heartbeats of {heartbeat_ms}");
            return Err(Failure::new("settings", message).hint("five times nodes.heartbeat_ms, as the defaults are"));
        }
        Ok(())
    }

    /// For a node of this name. Answers of idempotent writes are kept for so many seconds.
    pub(crate) fn member(&self, name: String, kept_s: u64) -> MemberSettings {
        MemberSettings {
            name,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            heartbeat: Duration::from_millis(self.heartbeat_ms),
            gone_after: Duration::from_millis(self.gone_after_ms),
            kept: Duration::from_secs(kept_s),
            watches_schema: true,
        }
    }
}
