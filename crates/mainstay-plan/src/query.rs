//! What to read: one statement, however deep.
use std::sync::Arc;

use mainstay_expr::Expr;
use mainstay_schema::{CollectionId, FieldId};

use crate::figure::Figure;

/// One read.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The collection it reads.
    pub collection: CollectionId,
    /// What must hold of each record: the target, the rules and the filters, joined by AND.
    pub condition: Expr,
    /// The order; ends with the key, so that it is total. Empty for at most one record.
    pub order: Vec<Order>,
    /// Where the page begins: for each order the bound value after which (`None`: after null). `None`: at the start.
    pub after: Option<Vec<Option<u16>>>,
    /// The bound value that holds how many records to answer at most; `None`: all. One more is read, to know whether there are more.
    pub limit: Option<u16>,
    /// What to answer of each record.
    pub select: Vec<Output>,
    /// Whether the records of the condition (without `after`) are counted in the same snapshot.
    pub count: Count,
}

impl Query {
    /// A read of all records that a condition holds of, in any order: what more there is to it is named beside this.
    pub fn new(collection: CollectionId, condition: Expr, select: Vec<Output>) -> Query {
        Query { collection, condition, order: Vec::new(), after: None, limit: None, select, count: Count::No }
    }
}

/// Whether all records are counted too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Count {
    /// Records only.
    No,
    /// Records, and how many there are in all.
    Too,
}

/// One sort key.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// What to sort by, over the record.
    pub by: Expr,
    /// From the largest down. Null is smaller than everything.
    pub descending: bool,
}

/// A named part of an answered record.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// Its name in the answer.
    pub name: Arc<str>,
    /// What it holds.
    pub value: OutputValue,
}

/// What an answer can hold.
#[derive(Clone, Debug, PartialEq)]
pub enum OutputValue {
    /// A stored field in its wire form; a to-one link as its key.
    Field(FieldId),
    /// A field that is not stored, and what it is computed from.
    Computed(FieldId, Box<Expr>),
    /// What may be answered only of records of which the condition holds; null of the others.
    When(Box<Expr>, Box<OutputValue>),
    /// The record of a to-one link, or null where there is none that the condition allows.
    One(Box<Nested>),
    /// The records of a to-many link, as an array.
    Many(Box<Nested>),
    /// The keys of the records of a to-many link, as an array.
    Keys(Box<Nested>),
    /// A figure over the records of a to-many link.
    Figure(Box<LinkFigure>),
}

/// A figure over the records of a to-many link.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkFigure {
    /// The records: neither ordered nor limited, with nothing selected.
    pub records: Nested,
    /// The figure.
    pub figure: Figure,
}

/// Records at the other end of a link.
#[derive(Clone, Debug, PartialEq)]
pub struct Nested {
    /// The link, on the collection that it is selected from.
    pub field: FieldId,
    /// The collection at the other end.
    pub target: CollectionId,
    /// What must hold of each record there: its rules and the filter.
    pub condition: Expr,
    /// The order of a list; ends with the key.
    pub order: Vec<Order>,
    /// The most records of a list.
    pub limit: Option<u32>,
    /// What to answer of each.
    pub select: Vec<Output>,
}
