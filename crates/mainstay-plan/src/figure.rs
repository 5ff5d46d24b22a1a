//! Figures over records: counts, sums, averages; and records grouped.
use std::sync::Arc;

use mainstay_expr::Expr;
use mainstay_schema::{CollectionId, FieldId};

/// What is made of many values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// How many records.
    Count,
    /// How many different values; null is none.
    CountDistinct,
    /// The sum; of no values 0. One beyond the range of its type is an error.
    Sum,
    /// The mean, as a float; of no values null.
    Avg,
    /// The smallest value; of no values null.
    Min,
    /// The largest value; of no values null.
    Max,
}

/// A stored field at the end of a path of to-one links. Null where the path ends early.
#[derive(Clone, Debug, PartialEq)]
pub struct PathValue {
    /// Its value, over the record that the path starts from.
    pub by: Expr,
    /// The collection at the end of the path.
    pub collection: CollectionId,
    /// The field.
    pub field: FieldId,
}

/// A figure over records.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What is made of the values.
    pub aggregate: Aggregate,
    /// The values; `None`: the records themselves are counted.
    pub of: Option<PathValue>,
}

/// A part of a moment or a day, in UTC: a text that begins the moment's own (`2026-11`), so that they sort by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimePart {
    /// `2026`
    Year,
    /// `2026-11`
    Month,
    /// `2026-11-21`
    Day,
    /// `2026-11-21T02`
    Hour,
}

/// Records in groups, with figures over each group.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The collection.
    pub collection: CollectionId,
    /// What must hold of each record.
    pub condition: Expr,
    /// What the records of a group share; a null is a value like another.
    pub keys: Vec<GroupKey>,
    /// What is answered of each group, behind its keys.
    pub figures: Vec<GroupFigure>,
    /// The order; total, because it names every key.
    pub order: Vec<GroupOrder>,
    /// Where the page begins: for each order the bound value after which (`None`: after null). `None`: at the start.
    pub after: Option<Vec<Option<u16>>>,
    /// The bound value that holds how many groups to answer at most. One more is read, to know whether there are more.
    pub limit: u16,
}

/// Something that the records of a group share.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupKey {
    /// Its name in the answer.
    pub name: Arc<str>,
    /// The value.
    pub value: PathValue,
    /// The part of a moment that counts, where not all of it does.
    pub part: Option<TimePart>,
}

/// A named figure.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupFigure {
    /// Its name in the answer.
    pub name: Arc<str>,
    /// The figure.
    pub figure: Figure,
}

/// One sort key of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupOrder {
    /// The n-th of keys and figures together.
    pub column: usize,
    /// From the largest down. Null is smaller than everything.
    pub descending: bool,
}
