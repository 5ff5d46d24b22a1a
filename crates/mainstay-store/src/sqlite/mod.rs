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
mod snapshots;
mod stream;
mod trim;
mod words;
mod writer;

#[cfg(test)]
mod tests;

pub use dialect::SqliteDialect;
pub(crate) use engine::Engine;

use crate::clock::now;
