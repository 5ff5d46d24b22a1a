//! The engine of many nodes: a database server.

mod bind;
mod canonical;
mod dialect;
#[cfg_attr(not(test), expect(dead_code, reason = "the engine migrates with it"))]
mod migrate;
mod numeric;
mod row;

pub use dialect::PostgresDialect;

#[cfg(test)]
pub(crate) mod tests;
