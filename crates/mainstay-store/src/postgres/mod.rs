//! The engine of many nodes: a database server.

#[expect(dead_code, reason = "sessions bind with it")]
mod bind;
mod dialect;
mod numeric;
mod row;

pub use dialect::PostgresDialect;

#[cfg(test)]
pub(crate) mod tests;
