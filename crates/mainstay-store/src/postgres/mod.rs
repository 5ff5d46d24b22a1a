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
mod imports;
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

pub use dialect::PostgresDialect;
pub(crate) use engine::Engine;

use crate::{OpenError, Place, Settings, clock::now};

#[cfg(test)]
pub(crate) mod tests;

/// Where the database at an address is.
pub(crate) fn place(settings: &Settings, url: &str) -> Result<Place, OpenError> {
    Ok(address::Address::read(url, settings)?.place())
}
