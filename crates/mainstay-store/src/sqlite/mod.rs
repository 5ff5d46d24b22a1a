//! The embedded engine: one writer, readers on every thread, one file.

mod advise;
mod bind;
mod calls;
mod checkpoint;
mod connection;
mod deadline;
mod dialect;
mod drift;
mod engine;
mod failure;
mod feed;
mod functions;
mod introspect;
mod lock;
mod migrate;
mod moving;
mod nested;
mod nodes;
mod page;
mod poll;
mod readers;
mod rehearse;
mod row;
mod session;
mod stream;
mod trim;
mod words;
mod writer;

#[cfg(test)]
mod tests;

use std::time::{SystemTime, UNIX_EPOCH};

pub use dialect::SqliteDialect;
pub(crate) use engine::Engine;

/// The time, in microseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
