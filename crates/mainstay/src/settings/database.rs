//! `[database]`: where the data is.
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// `[database]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DatabaseArea {
    /// `sqlite:PATH`, the path from the project's folder.
    pub(crate) url: String,
    /// Whether an answer waits until its write is on disk. `false` may lose acknowledged writes: for benches and tests.
    pub(crate) durable: bool,
    /// How long a statement may run.
    pub(crate) statement_ms_max: u64,
    /// How long a read may run on the thread that took the request before it moves to the pool, in microseconds.
    pub(crate) inline_budget_us: u64,
    /// How long a write may read for its answer, in milliseconds.
    pub(crate) answer_ms_max: u64,
    /// Bytes of the records of one answer.
    pub(crate) answer_bytes_max: u32,
    /// Records of one answer in lists that hold lists or stand in one.
    pub(crate) answer_nested_max: usize,
    /// Threads for reads that take longer.
    pub(crate) readers: usize,
    /// Reads that may wait for those threads.
    pub(crate) readers_queue_max: usize,
    /// How long a read may wait for those threads, in milliseconds.
    pub(crate) readers_wait_ms_max: u64,
    /// Writes that are committed together at most.
    pub(crate) group_max: usize,
    /// Writes that may wait.
    pub(crate) writer_queue_max: usize,
    /// Page cache per connection, in KiB.
    pub(crate) cache_kib: u32,
    /// Prepared statements kept per connection.
    pub(crate) statements_max: usize,
    /// Records that one delete may reach through cascades.
    pub(crate) cascade_max: usize,
}

impl Default for DatabaseArea {
    fn default() -> DatabaseArea {
        let store = mainstay_store::Settings::at("");
        DatabaseArea {
            url: "sqlite:data/mainstay.db".into(),
            durable: store.durable,
            statement_ms_max: store.statement_ms_max,
            inline_budget_us: store.inline_budget_us,
            answer_ms_max: store.answer_ms_max,
            answer_bytes_max: store.answer_bytes_max,
            answer_nested_max: store.answer_nested_max,
            readers: store.readers,
            readers_queue_max: store.readers_queue_max,
            readers_wait_ms_max: store.readers_wait_ms_max,
            group_max: store.group_max,
            writer_queue_max: store.writer_queue_max,
            cache_kib: store.cache_kib,
            statements_max: store.statements_max,
            cascade_max: store.cascade_max,
        }
    }
}

impl DatabaseArea {
    /// The path of the embedded database. Fails for every other kind, by name.
    pub(crate) fn path(&self) -> Result<&str, Failure> {
        let wrong = |message: String| Err(Failure::new("settings", message).hint("sqlite:data/mainstay.db"));
        match self.url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(path),
            Some(("sqlite", _)) => wrong("database.url: it names no file".into()),
            // The rest of the address is not shown: it may hold a password.
            Some((scheme, _)) => wrong(format!("database.url: databases of kind \"{scheme}\" are not available yet")),
            None => wrong("database.url: it has no kind".into()),
        }
    }

    /// For the store.
    pub(crate) fn store(&self, path: PathBuf) -> mainstay_store::Settings {
        mainstay_store::Settings {
            durable: self.durable,
            statement_ms_max: self.statement_ms_max,
            inline_budget_us: self.inline_budget_us,
            answer_ms_max: self.answer_ms_max,
            answer_bytes_max: self.answer_bytes_max,
            answer_nested_max: self.answer_nested_max,
            readers: self.readers,
            readers_queue_max: self.readers_queue_max,
            readers_wait_ms_max: self.readers_wait_ms_max,
            group_max: self.group_max,
            writer_queue_max: self.writer_queue_max,
            cache_kib: self.cache_kib,
            statements_max: self.statements_max,
            cascade_max: self.cascade_max,
            ..mainstay_store::Settings::at(path)
        }
    }
}
