//! What an operation answers: JSON that is ready to be sent, and what a surface must know about it.
use mainstay_expr::Value;

use crate::Kept;

/// The answer of an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// One record that was read.
    One(Record),
    /// A page.
    Page(Page),
    /// The new records, in the order in which they were sent.
    Created {
        /// One for each that was sent.
        records: Vec<Record>,
        /// Whether an array was sent, so that the answer is one.
        many: bool,
        /// Whether one of them is new; else all were there, and were changed.
        created: bool,
    },
    /// The record as it is after the change.
    Updated(Record),
    /// It is gone.
    Deleted,
    /// The records that match are changed, or gone: `{"matched":3,"changed":3}`.
    Matched(Vec<u8>),
    /// The answers of a batch's operations, in order.
    Batch(Vec<Record>),
    /// The answer that was kept for the key of the request ([`crate::Once`]).
    Kept(Kept),
}

/// One record of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The record as a JSON object; its id alone where the caller may write but not read it.
    pub json: Vec<u8>,
    /// Its version, where its collection has one.
    pub version: Option<i64>,
    /// Whether the answer holds own stored fields only, so that the version tells all of it apart: a strong `ETag`.
    pub own: bool,
    /// Its key; null where it was read by a unique.
    pub key: Value,
}

/// A page of records.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// `{"items":[…],"next":…}`, with `"count":…` where it was asked.
    pub json: Vec<u8>,
    /// How many records it holds.
    pub rows: usize,
    /// The cursor behind its last record, where there are more.
    pub next: Option<String>,
}
