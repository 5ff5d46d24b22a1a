//! What was asked, in the schema's terms. Every surface builds one of these.
use std::sync::Arc;

use mainstay_schema::Json;
use mainstay_schema::{CollectionId, FieldId};

/// One thing that was asked.
#[derive(Debug)]
pub enum Operation<'a> {
    /// One record.
    ReadOne(ReadOne),
    /// A page of records.
    List(List),
    /// One new record, or several: all or nothing.
    Create(Create<'a>),
    /// A change of one record.
    Update(Update<'a>),
    /// The end of one record.
    Delete(Delete),
}

/// Which record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// By its key, as it was written.
    Key(String),
    /// By a unique: its fields and the values as they were written.
    Unique {
        /// The fields, in the order of the unique.
        fields: Vec<FieldId>,
        /// The values, as many.
        values: Vec<String>,
    },
}

/// Reads one record.
#[derive(Debug)]
pub struct ReadOne {
    /// Of which collection.
    pub collection: CollectionId,
    /// Which.
    pub target: Target,
    /// What to answer; `None`: all own fields.
    pub selection: Option<Arc<Selection>>,
}

/// Reads a page.
#[derive(Debug)]
pub struct List {
    /// Of which collection.
    pub collection: CollectionId,
    /// Conditions in CEL, joined by AND.
    pub filter: Vec<String>,
    /// The values `p.NAME` of the conditions, as they were written.
    pub params: Vec<(String, String)>,
    /// The order; empty: by key.
    pub sort: Vec<Sort>,
    /// What to answer; `None`: all own fields.
    pub selection: Option<Arc<Selection>>,
    /// How many records; `None`: the default.
    pub limit: Option<u32>,
    /// The cursor after which the page begins.
    pub after: Option<String>,
    /// Whether all are counted too.
    pub count: bool,
}

/// One sort key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sort {
    /// A field, or a path through to-one links: `["category", "name"]`.
    pub path: Vec<String>,
    /// From the largest down.
    pub descending: bool,
}

/// What to answer of a record: names, not yet resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Selection {
    /// The parts, in order.
    pub parts: Vec<Select>,
}

/// One part of a selection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Select {
    /// `*`: all own stored fields.
    All,
    /// `name`, `alias:name`: a stored field; a to-one link as its key.
    Field {
        /// The name in the answer, where it is another one.
        alias: Option<String>,
        /// The field.
        name: String,
    },
    /// `category(name)`, `requires(slug;limit:5;sort:name;filter:…)`: the records of a link.
    Link {
        /// The name in the answer, where it is another one.
        alias: Option<String>,
        /// The link.
        name: String,
        /// What to answer of the others.
        nested: Nested,
    },
    /// `n:size(progress)`: how many records a to-many link has.
    Size {
        /// The name in the answer; without one it is `size(progress)`'s link name.
        alias: Option<String>,
        /// The link.
        name: String,
    },
}

/// What is asked of the records at the other end of a link.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Nested {
    /// What to answer of each.
    pub selection: Selection,
    /// The most records.
    pub limit: Option<u32>,
    /// The order.
    pub sort: Vec<Sort>,
    /// Conditions in CEL.
    pub filter: Vec<String>,
}

/// Creates records.
#[derive(Debug)]
pub struct Create<'a> {
    /// In which collection.
    pub collection: CollectionId,
    /// The records as they were sent: one, or several that are created together or not at all.
    pub records: Vec<Json<'a>>,
    /// Whether an array was sent: errors then point into it and the answer is an array.
    pub many: bool,
    /// What to answer of each.
    pub selection: Option<Arc<Selection>>,
}

/// Changes one record by a JSON merge patch (RFC 7396) of its fields.
#[derive(Debug)]
pub struct Update<'a> {
    /// Of which collection.
    pub collection: CollectionId,
    /// Which.
    pub target: Target,
    /// The version that it must have (`If-Match`).
    pub version: Option<i64>,
    /// The patch: null clears, what is not sent stays.
    pub patch: Json<'a>,
    /// What to answer.
    pub selection: Option<Arc<Selection>>,
}

/// Deletes one record.
#[derive(Debug)]
pub struct Delete {
    /// Of which collection.
    pub collection: CollectionId,
    /// Which.
    pub target: Target,
    /// The version that it must have.
    pub version: Option<i64>,
}
