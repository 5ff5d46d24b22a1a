//! What the store answers.
use std::time::Duration;

use mainstay_expr::Value;

use crate::IndexWanted;

/// The answer of a read.
#[derive(Debug, Default)]
pub struct Page {
    /// The records as JSON objects, joined by commas, without the brackets; behind what the caller put into the buffer.
    pub json: Vec<u8>,
    /// How many records.
    pub rows: usize,
    /// Whether there are more behind the limit.
    pub more: bool,
    /// The values of the last record's sort keys, when there are more.
    pub last: Vec<Value>,
    /// How many records there are in all, where it was asked.
    pub count: Option<u64>,
    /// The version of the last record, where its collection has one.
    pub version: Option<i64>,
}

impl Page {
    /// The page with its records, once the last row is read.
    pub(crate) fn finished(mut self, json: &mut Vec<u8>) -> Page {
        if !self.more {
            self.last.clear();
        }
        self.json = std::mem::take(json);
        self
    }
}

/// Bytes from which on a batch is handed out.
const BATCH_BYTES: usize = 256 * 1024;

/// Some records of a stream.
#[derive(Debug, Default)]
pub struct Batch {
    /// Of which of the reads.
    pub read: usize,
    /// How many records.
    pub rows: usize,
    /// The records as JSON objects, each followed by a line feed.
    pub json: Vec<u8>,
}

impl Batch {
    /// None yet.
    pub(crate) fn of(read: usize) -> Batch {
        Batch { read, ..Batch::default() }
    }

    /// Ends a record; gives out what there is once that is enough.
    pub(crate) fn end_record(&mut self) -> Option<Batch> {
        self.json.push(b'\n');
        self.rows += 1;
        if self.json.len() < BATCH_BYTES {
            return None;
        }
        let room = Vec::with_capacity(BATCH_BYTES + BATCH_BYTES / 8);
        Some(std::mem::replace(self, Batch { read: self.read, rows: 0, json: room }))
    }
}

/// What one step of a write did.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// The record's key; of a look-up the list of the keys that it found, null where there was none.
    pub key: Value,
    /// Its version after the write, where its collection has one.
    pub version: Option<i64>,
    /// The record as a JSON object, where it was asked for and may be read.
    pub record: Option<Vec<u8>>,
    /// Whether the record is new.
    pub created: bool,
}

/// What a read comes to in the engine, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explained {
    /// The statement.
    pub sql: String,
    /// The engine's plan for it, one line for each step, indented.
    pub plan: Vec<String>,
    /// The same in words.
    pub words: Vec<String>,
    /// Indexes that the schema does not have, and that the engine would take.
    pub missing: Vec<IndexWanted>,
}

/// A statement of a write with its plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatementExplained {
    /// The statement.
    pub sql: String,
    /// The engine's plan for it, one line for each step, indented.
    pub plan: Vec<String>,
    /// The same in words.
    pub words: Vec<String>,
}

/// What a read took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// How often it was run.
    pub times: usize,
    /// The time that it took: as many runs took longer as took less.
    pub median: Duration,
    /// Rows that came out.
    pub rows: u64,
    /// Records that were looked at because a table was read from end to end.
    pub scanned: u64,
    /// How often something was sorted.
    pub sorts: u64,
    /// Steps of the engine.
    pub steps: u64,
}

/// What a write that was tried did, before it was rolled back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rehearsed {
    /// The statements that ran, each once.
    pub statements: Vec<StatementExplained>,
    /// How many records it would make, change and delete, by table.
    pub touched: Vec<Touched>,
}

/// Rows of one table that a write touches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// The table.
    pub table: String,
    /// New ones.
    pub created: u64,
    /// Changed ones.
    pub changed: u64,
    /// Deleted ones.
    pub deleted: u64,
}
