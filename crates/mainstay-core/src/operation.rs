//! What was asked, in the schema's terms. Every surface builds one of these.
use std::sync::Arc;

use mainstay_plan::{Aggregate, TimePart};
use mainstay_schema::{CollectionId, FieldId, Json};

use crate::FieldError;

/// One thing that was asked.
#[derive(Debug)]
pub enum Operation<'a> {
    /// One record.
    ReadOne(ReadOne),
    /// A page of records.
    List(List),
    /// A page of groups of records, with figures.
    Group(Group),
    /// One new record, or several: all or nothing.
    Create(Create<'a>),
    /// A change of one record.
    Update(Update<'a>),
    /// The end of one record.
    Delete(Delete),
    /// A change of all records that match.
    UpdateMatching(UpdateMatching<'a>),
    /// The end of all records that match.
    DeleteMatching(Matching),
    /// Several operations in one transaction.
    Batch(Batch<'a>),
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
    /// The values of `p.NAME` in the filters of the selection.
    pub params: Vec<(String, String)>,
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

/// Reads groups of records, with figures over each.
#[derive(Debug)]
pub struct Group {
    /// Of which collection.
    pub collection: CollectionId,
    /// Conditions in CEL on the records, joined by AND.
    pub filter: Vec<String>,
    /// The values `p.NAME` of the conditions, as they were written.
    pub params: Vec<(String, String)>,
    /// What the records of a group share.
    pub keys: Vec<GroupKey>,
    /// What is answered of each group.
    pub figures: Vec<GroupFigure>,
    /// The order, by names of the answer; what is not named follows, keys first.
    pub sort: Vec<Sort>,
    /// How many groups; `None`: the default of pages.
    pub limit: Option<u32>,
    /// The cursor after which the page begins.
    pub after: Option<String>,
}

/// Something that the records of a group share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupKey {
    /// The name in the answer; without one it is the last name of the path, behind the part: `monthCreatedAt`.
    pub alias: Option<String>,
    /// A field, or a path through to-one links: `["category", "slug"]`.
    pub path: Vec<String>,
    /// The part of a moment or a day that counts.
    pub part: Option<TimePart>,
}

/// A figure of a group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupFigure {
    /// The name in the answer; without one as in `avgMonthsMin`, `count`.
    pub alias: Option<String>,
    /// What is made of the values.
    pub aggregate: Aggregate,
    /// A field, or a path through to-one links; empty: the records are counted.
    pub path: Vec<String>,
}

/// One sort key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sort {
    /// A field, or a path through to-one links: `["category", "name"]`.
    pub path: Vec<String>,
    /// From the largest down.
    pub descending: bool,
}

/// What to answer of a record: names, not yet resolved. Of a write that answers no part, nothing is read back.
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
    /// `n:size(progress)`, `spent:sum(orders.total)`: a figure over the records of a to-many link.
    Figure {
        /// The name in the answer; without one a size is named as its link is, other figures as in `sumOrdersTotal`.
        alias: Option<String>,
        /// What is made of the values.
        aggregate: Aggregate,
        /// The link, then what leads to the values at its other end; the link alone: its records are counted.
        path: Vec<String>,
        /// Conditions in CEL on those records.
        filter: Vec<String>,
    },
}

/// What a write answers of a record.
#[derive(Clone, Debug, Default)]
pub struct Answered {
    /// The parts; `None`: all own fields.
    pub selection: Option<Arc<Selection>>,
    /// The values of `p.NAME` in the filters of the selection, as they were written.
    pub params: Vec<(String, String)>,
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
    /// The fields of a unique: a record that has their values is changed instead.
    pub upsert: Option<Vec<FieldId>>,
    /// What to answer of each.
    pub answered: Answered,
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
    pub answered: Answered,
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

/// All records of a collection that conditions find: those that the caller may list.
#[derive(Debug)]
pub struct Matching {
    /// Of which collection.
    pub collection: CollectionId,
    /// Conditions in CEL, joined by AND; one at least.
    pub filter: Vec<String>,
    /// The values `p.NAME` of the conditions, as they were written.
    pub params: Vec<(String, String)>,
    /// How many may match; `None`: as many as the limit allows. Where more do, nothing is done.
    pub limit: Option<u32>,
}

/// Changes all records that match, or none.
#[derive(Debug)]
pub struct UpdateMatching<'a> {
    /// Which.
    pub matching: Matching,
    /// The patch of each.
    pub patch: Json<'a>,
}

/// Operations that are done together or not at all. Each sees what the earlier ones did.
#[derive(Debug)]
pub struct Batch<'a> {
    /// The operations in order; of one that is no operation, what is wrong with it, which is told with what is wrong with the
    /// others.
    pub operations: Vec<Result<BatchOperation<'a>, Vec<FieldError>>>,
}

impl<'a> Batch<'a> {
    /// The operations of which nothing is wrong before their records are read.
    pub(crate) fn right(&self) -> impl Iterator<Item = &BatchOperation<'a>> {
        self.operations.iter().flatten().filter(|operation| operation.wrong.is_empty())
    }
}

/// One operation of a batch.
#[derive(Debug)]
pub struct BatchOperation<'a> {
    /// Of which collection.
    pub collection: CollectionId,
    /// What to do.
    pub act: Act<'a>,
    /// By which name later operations refer to its record.
    pub name: Option<String>,
    /// The version that the record must have; of changes and deletes.
    pub version: Option<i64>,
    /// What to answer.
    pub answered: Answered,
    /// Where it stands in the body, as a JSON pointer.
    pub place: String,
    /// What is wrong with its members: it is read all the same, so that what is wrong with its record comes at once too.
    pub wrong: Vec<FieldError>,
}

/// What an operation of a batch does.
#[derive(Debug)]
pub enum Act<'a> {
    /// A new record.
    Create {
        /// Its fields.
        data: Json<'a>,
    },
    /// A change of the record with the values of a unique, or a new one.
    Upsert {
        /// The fields of the unique; none where something is wrong with them.
        unique: Vec<FieldId>,
        /// The record's fields.
        data: Json<'a>,
    },
    /// A change of one record.
    Update {
        /// Which.
        target: Aimed<'a>,
        /// The patch.
        data: Json<'a>,
    },
    /// The end of one record.
    Delete {
        /// Which.
        target: Aimed<'a>,
    },
}

/// Which record an operation of a batch is about.
#[derive(Debug)]
pub enum Aimed<'a> {
    /// By its key, or by the name of an earlier operation: `{"ref": "o"}`.
    Id(Json<'a>),
    /// By a unique: an object of its fields.
    By(Json<'a>),
    /// Nothing says which, and that is told already.
    Unnamed,
}
