//! The store: what the core holds of the database.
use std::sync::Arc;

use mainstay_expr::Value;
use mainstay_plan::{Query, WritePlan};
use mainstay_schema::Schema;

use crate::{OpenError, Page, Settings, StoreError, WriteError, Written};

/// An open database.
pub struct Store {}

/// A read rendered for the engine: kept and used again for every request of its shape.
pub struct ReadStatement {}

/// A step of a write rendered for the engine.
pub struct WriteStatement {}

/// One step of a transaction: a statement and its values. It can be run again.
#[derive(Clone)]
pub struct Step {
    /// What to do.
    pub statement: Arc<WriteStatement>,
    /// The bound values.
    pub values: Vec<Value>,
}
