//! `[changes]`: what the change feed keeps.
use mainstay_schema::parse_keep;
use mainstay_store::FeedSettings;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// `[changes]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ChangesArea {
    /// For how long, where a type does not say.
    pub(crate) keep: String,
    /// How many mebibytes, about: past it the oldest go.
    pub(crate) size_max_mib: u64,
    /// How often what is too old or too much is taken out, in milliseconds.
    pub(crate) trim_every_ms: u64,
    /// After how many milliseconds whoever waits for changes looks for some, where nothing was heard of any.
    pub(crate) poll_ms: u64,
}

impl Default for ChangesArea {
    fn default() -> ChangesArea {
        let feed = FeedSettings::default();
        ChangesArea {
            keep: "7d".to_owned(),
            size_max_mib: feed.size_max_mib,
            trim_every_ms: feed.trim_every_ms,
            poll_ms: feed.poll_ms,
        }
    }
}

impl ChangesArea {
    /// What cannot be meant is told before anything opens.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        parse_keep(&self.keep).map(drop).map_err(|message| Failure::new("settings", format!("changes.keep: {message}")))
    }

    /// For the store.
    pub(crate) fn store(&self) -> FeedSettings {
        let keep_s = parse_keep(&self.keep).unwrap_or(FeedSettings::default().keep_s);
        FeedSettings {
            keep_s,
            size_max_mib: self.size_max_mib,
            trim_every_ms: self.trim_every_ms,
            poll_ms: self.poll_ms,
        }
    }
}
