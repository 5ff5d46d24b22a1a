//! The store: what the core holds of the database.
use std::sync::Arc;

use mainstay_expr::Value;
use mainstay_plan::{Query, WritePlan};
use mainstay_schema::{Schema, Snapshot};

use crate::{Explained, OpenError, Page, Settings, StoreError, WriteError, Written};

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

fn nothing() -> StoreError {
    StoreError::Engine("the engine is being built".to_owned())
}

impl Store {
    /// Opens the database, makes it where there is none, and locks it against a second process.
    pub fn open(settings: Settings) -> Result<Store, OpenError> {
        Err(OpenError { message: settings.path.display().to_string() })
    }

    /// The schema last applied; `None` in an empty database.
    pub fn snapshot(&self) -> Result<Option<Snapshot>, StoreError> {
        Err(nothing())
    }

    /// The SQL of each migration step, for people.
    pub fn render_steps(&self, _steps: &[mainstay_schema::Step]) -> Vec<String> {
        Vec::new()
    }

    /// Carries out migration steps and remembers the schema that they lead to: all or nothing. Blocks until it is on disk.
    pub fn apply(&self, _steps: &[mainstay_schema::Step], _becomes: &Snapshot) -> Result<(), StoreError> {
        Err(nothing())
    }

    /// Renders a read.
    pub fn prepare_read(&self, _schema: &Arc<Schema>, _query: &Query) -> Result<Arc<ReadStatement>, StoreError> {
        Err(nothing())
    }

    /// Reads; the answer is appended to `into`.
    pub async fn read(&self, _of: &Arc<ReadStatement>, _values: Vec<Value>, _into: Vec<u8>) -> Result<Page, StoreError> {
        Err(nothing())
    }

    /// Renders a step of a write.
    pub fn prepare_write(&self, _schema: &Arc<Schema>, _plan: &WritePlan) -> Result<Arc<WriteStatement>, StoreError> {
        Err(nothing())
    }

    /// Carries out the steps in one transaction, all or nothing; answered only once they are on disk.
    pub async fn write(&self, _steps: Vec<Step>) -> Result<Vec<Written>, WriteError> {
        Err(WriteError { step: 0, error: nothing().into() })
    }

    /// The SQL of a read and the plan that the engine makes for it.
    pub fn explain(&self, _of: &ReadStatement, _values: &[Value]) -> Result<Explained, StoreError> {
        Err(nothing())
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Err(nothing())
    }

    /// Ends running work, brings everything into the database file and gives the lock back. What comes later fails.
    pub fn close(&self) {}
}

impl ReadStatement {
    /// Its SQL.
    pub fn sql(&self) -> &str {
        ""
    }
}

impl WriteStatement {
    /// Its SQL, one text for each statement.
    pub fn sql(&self) -> Vec<String> {
        Vec::new()
    }
}
