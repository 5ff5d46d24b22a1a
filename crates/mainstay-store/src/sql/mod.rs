//! Plans to SQL: pure, for any engine that has a [`Dialect`].

mod dialect;
mod statement;

use mainstay_plan::{Create, Delete, Query, Update};
use mainstay_schema::{Schema, Snapshot, Step};

pub use dialect::Dialect;
pub use statement::{
    Bind, Cascade, Cell, ChangeSql, Column, CreateSql, Decode, DeleteSql, Encode, Incoming, LinkSql, LookSql, ReadSql,
    Returning, Sql, UpdateSql,
};

use crate::StoreError;

/// A migration step as SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepSql {
    /// The position of the step in what was given.
    pub step: usize,
    /// Its statements, in order.
    pub statements: Vec<String>,
}

fn later() -> StoreError {
    StoreError::Plan("not rendered yet".to_owned())
}

/// Renders a read.
pub fn query(_schema: &Schema, _dialect: &dyn Dialect, _query: &Query) -> Result<ReadSql, StoreError> {
    Err(later())
}

/// Renders a create.
pub fn create(_schema: &Schema, _dialect: &dyn Dialect, _plan: &Create) -> Result<CreateSql, StoreError> {
    Err(later())
}

/// Renders an update.
pub fn update(_schema: &Schema, _dialect: &dyn Dialect, _plan: &Update) -> Result<UpdateSql, StoreError> {
    Err(later())
}

/// Renders a delete.
pub fn delete(_schema: &Schema, _dialect: &dyn Dialect, _plan: &Delete) -> Result<DeleteSql, StoreError> {
    Err(later())
}

/// What deleting records takes with it, for each collection by its id.
pub fn cascades(_schema: &Schema, _dialect: &dyn Dialect) -> Result<Vec<Cascade>, StoreError> {
    Err(later())
}

/// Migration steps as SQL, in the order in which they must be run. `becomes` is the snapshot that they lead to. Foreign keys
/// must not be enforced meanwhile where [`Dialect::rebuilds`] says so.
pub fn ddl(_dialect: &dyn Dialect, _steps: &[Step], _becomes: &Snapshot) -> Result<Vec<StepSql>, StoreError> {
    Err(later())
}
