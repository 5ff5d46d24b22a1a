//! Everything that is stored, as JSON or CSV: what is exported imports to the same database. Goes through the one path as an
//! admin; all collections are read in one snapshot.
use std::sync::Arc;

use mainstay_expr::Value;
use mainstay_plan::Count;
use mainstay_schema::CollectionId;
use mainstay_store::{Batch, ReadStatement, StoreError};
use tokio::sync::mpsc::Receiver;

mod cells;

pub use cells::{CsvWriter, NoCell};

use crate::{
    AdminPass, Caller, Core, Error, Request,
    errors::from_store,
    plan::{Given, Origin, Planner, export::expressions},
};

/// An export under way.
pub struct Export {
    collections: Vec<CollectionId>,
    batches: Receiver<Result<Batch, StoreError>>,
}

/// Some records of one collection.
#[derive(Debug)]
pub struct Exported {
    /// Of which collection.
    pub collection: CollectionId,
    /// How many; 0 at the end of each collection, also of an empty one.
    pub rows: usize,
    /// The records as JSON objects, each followed by a line feed.
    pub json: Vec<u8>,
}

impl Export {
    /// The next records, in the order of the collections and of their keys; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Exported>, Error> {
        let Some(batch) = self.batches.recv().await else { return Ok(None) };
        let Batch { read, rows, json } = batch.map_err(from_store)?;
        let collection = self.collections.get(read).copied();
        let collection = collection.ok_or_else(|| Error::internal("a batch of no collection"))?;
        Ok(Some(Exported { collection, rows, json }))
    }
}

/// A read that is ready, with its values.
type Ready = (Arc<ReadStatement>, Vec<Value>);

impl Core {
    /// Begins to export collections. The export must be dropped before the store is closed.
    pub fn export(&self, pass: AdminPass, collections: &[CollectionId]) -> Result<Export, Error> {
        let request = request_of(pass);
        let read = |of: &CollectionId| self.export_read(&request, *of, false);
        let reads = collections.iter().map(read).collect::<Result<Vec<_>, Error>>()?;
        let batches = self.store.stream(reads).map_err(from_store)?;
        Ok(Export { collections: collections.to_vec(), batches })
    }

    /// How many records collections have together.
    pub async fn count(&self, pass: AdminPass, collections: &[CollectionId]) -> Result<u64, Error> {
        let request = request_of(pass);
        let mut all = 0;
        for of in collections {
            let (statement, values) = self.export_read(&request, *of, true)?;
            let page = self.store.read(&statement, values, Vec::new()).await.map_err(from_store)?;
            all += page.count.unwrap_or(0);
        }
        Ok(all)
    }

    /// The read of all records, or only of their number.
    fn export_read(&self, request: &Request, of: CollectionId, number: bool) -> Result<Ready, Error> {
        let expressions = expressions(&self.schema, of);
        let resolved = expressions.resolve(&self.schema, request, &[])?;
        let mut planner = Planner::new(&self.schema, &expressions, &resolved);
        let mut query = planner.export(of)?;
        if number {
            (query.select, query.count, query.limit) = (Vec::new(), Count::Too, Some(planner.bind(Origin::Limit)));
        }
        let statement = self.store.prepare_read(&self.schema, &query).map_err(from_store)?;
        let given = Given { slots: &resolved.slots, limit: 1, ..Given::default() };
        Ok((statement, given.bind(&planner.origins)))
    }
}

/// The request that an export is.
fn request_of(pass: AdminPass) -> Request {
    let time_micros = jiff::Timestamp::now().as_microsecond();
    let caller = Caller::Admin(pass);
    Request { caller, time_micros, ip: "".into(), method: "EXPORT".into(), host: "".into(), id: None, once: None }
}
