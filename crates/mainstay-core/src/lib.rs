//! The one path: an [`Operation`](operation) becomes a plan, runs, answers. Every surface comes through here; nothing else
//! touches the database, and rules are attached in one place.
//!
//! This crate knows no HTTP, no SQL text and no engine.

mod caller;
mod error;
mod limits;
mod operation;

pub use caller::{AdminPass, Caller, Identity, Request};
pub use error::{Error, ErrorKind, FieldError};
pub use limits::Limits;
pub use operation::{
    Create, Delete, List, Nested, Operation, ReadOne, Select, Selection, Sort, Target, Update,
};
