//! The embedded engine.

mod dialect;

pub use dialect::SqliteDialect;
