//! The engine of many nodes: a database server.

mod address;
mod advise;
mod bind;
pub(crate) mod canonical;
mod connection;
mod copy;
mod dialect;
mod engine;
mod explain;
mod failure;
mod feed;
mod line;
mod migrate;
mod moving;
mod nodes;
mod numeric;
mod once;
mod other_half;
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

use crate::{OpenError, Place, Settings};

#[cfg(test)]
pub(crate) mod tests;

/// Where the database at an address is.
pub(crate) fn place(settings: &Settings, url: &str) -> Result<Place, OpenError> {
    Ok(address::Address::read(url, settings)?.place())
}

/// The time, in microseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
