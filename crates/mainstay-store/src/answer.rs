//! What the store answers.
use mainstay_expr::Value;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The statement.
    pub sql: String,
    /// The engine's plan for it, one line for each step, indented.
    pub plan: Vec<String>,
}
