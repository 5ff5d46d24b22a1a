//! The engine of many nodes: a database server.

mod address;
mod bind;
mod canonical;
mod connection;
mod dialect;
mod engine;
mod explain;
mod failure;
mod feed;
mod migrate;
mod nodes;
mod numeric;
mod own;
mod page;
mod pool;
mod rehearse;
mod row;
mod session;
mod start;
mod statements;
mod stream;
mod tls;
mod trim;
mod wake;
mod words;
mod writes;

use std::time::{SystemTime, UNIX_EPOCH};

pub use dialect::PostgresDialect;
pub(crate) use engine::Engine;

#[cfg(test)]
pub(crate) mod tests;

/// The time, in microseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
