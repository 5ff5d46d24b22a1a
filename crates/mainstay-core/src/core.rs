//! The core itself: what a surface holds.
use std::sync::Arc;

use mainstay_schema::Schema;
use mainstay_store::Store;

use crate::{Answer, Error, Explanation, Limits, Operation, Request};

/// How the core behaves.
#[derive(Clone, Debug)]
pub struct CoreSettings {
    /// What one request may ask for.
    pub limits: Limits,
    /// The key that cursors are authenticated with; the same on every node.
    pub cursor_key: [u8; 32],
    /// Whether a refusal says which clause of the rule refused, with its values: for development only.
    pub explain_refusals: bool,
}

/// A schema, its database, and the one path between an operation and its answer.
pub struct Core {
    schema: Arc<Schema>,
    store: Arc<Store>,
    settings: CoreSettings,
}

impl Core {
    /// A core for a schema and the database that matches it.
    pub fn new(schema: Arc<Schema>, store: Arc<Store>, settings: CoreSettings) -> Core {
        Core { schema, store, settings }
    }

    /// The schema.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// What one request may ask for.
    pub fn limits(&self) -> &Limits {
        &self.settings.limits
    }

    /// The database.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Does what was asked, as far as the caller may.
    pub async fn run(&self, request: &Request, operation: Operation<'_>) -> Result<Answer, Error> {
        let _ = (request, operation);
        Err(Error::internal("not built yet"))
    }

    /// Says which rules apply to the operation, what they come to for this caller, and how the database would answer it.
    pub async fn explain(&self, request: &Request, operation: Operation<'_>) -> Result<Explanation, Error> {
        let _ = (request, operation);
        Err(Error::internal("not built yet"))
    }
}
