//! What the words for a plan share, whichever engine made it: what tables and columns are called, and what is said of sorting.
use mainstay_schema::{Collection, Schema};

use crate::advice::Origin;

/// What is said where an index gives the first part of an order.
pub(crate) const SORTS_RUNS: &str = "sorts runs of them in memory: the index gives the first part of the order alone";

/// The names that people know.
pub(crate) struct Names<'a> {
    schema: &'a Schema,
    /// What the statement was made from, where it is a read.
    origin: Option<&'a Origin>,
    /// Whether something is sorted or grouped in memory, so that all must be read first.
    gathers: bool,
}

impl<'a> Names<'a> {
    pub(crate) fn new(schema: &'a Schema, origin: Option<&'a Origin>, gathers: bool) -> Names<'a> {
        Names { schema, origin, gathers }
    }

    /// The collection of a table.
    pub(crate) fn collection(&self, table: &str) -> Option<&'a Collection> {
        self.schema.collections.iter().find(|collection| collection.table == table)
    }

    /// What a table is called.
    pub(crate) fn shown<'t>(&self, table: &'t str) -> &'t str
    where
        'a: 't,
    {
        self.collection(table).map_or(table, |collection| collection.path.as_str())
    }

    /// The names of fields by those of their columns.
    pub(crate) fn fields(&self, table: &str, columns: &[impl AsRef<str>]) -> String {
        let collection = self.collection(table);
        let name = |column: &str| {
            let field = collection.and_then(|of| of.fields.iter().find(|field| field.column == column));
            field.map_or(column, |field| &field.name).to_owned()
        };
        columns.iter().map(|column| name(column.as_ref())).collect::<Vec<_>>().join(", ")
    }

    /// The fields of an index; the key, which ends each, is left out.
    pub(crate) fn indexed(&self, table: &str, columns: &[String]) -> String {
        match columns {
            [first @ .., last] if last == "id" && !first.is_empty() => self.fields(table, first),
            all => self.fields(table, all),
        }
    }

    /// Whether records are read only until a page is full.
    pub(crate) fn ends_with_page(&self) -> bool {
        !self.gathers && self.origin.is_some_and(Origin::pages)
    }

    /// What is said where everything is sorted.
    pub(crate) fn sorting(&self) -> String {
        match self.origin {
            Some(Origin::Group(_)) => "sorts the groups in memory".to_owned(),
            _ => format!("sorts all that it found in memory{}", self.no_index()),
        }
    }

    /// Why something is done in memory: the fields of the order, as far as they are own ones, are in no index.
    pub(crate) fn no_index(&self) -> String {
        let Some(origin) = self.origin else { return String::new() };
        let collection = self.schema.collection(origin.collection());
        let order: Vec<&str> = origin.order(self.schema).iter().map(|field| &*collection.field(*field).name).collect();
        if order.is_empty() { String::new() } else { format!(", because no index gives {}", order.join(", ")) }
    }
}

/// `336,776`: how many records there are.
pub(crate) fn thousands(number: i64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
