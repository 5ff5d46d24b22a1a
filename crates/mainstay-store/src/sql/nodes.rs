//! The tables that nodes share: who is there, who is elected, and the keys that all of them use.
use mainstay_schema::{ColumnType, Scalar};

use crate::sql::Dialect;

/// The nodes. Times are the database's, in microseconds since 1970; `position` is how far a node has read the change feed.
const NODES: (&str, &[(&str, Scalar, bool)]) = (
    "mainstay_nodes",
    &[
        ("id", Scalar::String, true),
        ("name", Scalar::String, true),
        ("version", Scalar::String, true),
        ("schema", Scalar::String, true),
        ("started", Scalar::Long, true),
        ("seen", Scalar::Long, true),
        ("position", Scalar::String, false),
    ],
);
/// What one node at a time does, which one, and until when nobody else may.
const LEASES: (&str, &[(&str, Scalar, bool)]) = (
    "mainstay_leases",
    &[("name", Scalar::String, true), ("node", Scalar::String, true), ("until", Scalar::Long, true)],
);
/// The keys, made by whoever came first.
const KEYS: (&str, &[(&str, Scalar, bool)]) =
    ("mainstay_keys", &[("name", Scalar::String, true), ("value", Scalar::Bytes, true)]);

/// Makes the tables, where they are not there. The first column is the key of each.
pub fn make_nodes(dialect: &dyn Dialect) -> String {
    [NODES, LEASES, KEYS].map(|(table, columns)| make(dialect, table, columns)).join(";\n")
}

fn make(dialect: &dyn Dialect, table: &str, columns: &[(&str, Scalar, bool)]) -> String {
    let column = |(name, scalar, required): &(&str, Scalar, bool)| {
        dialect.column(name, &ColumnType::Scalar(*scalar), *required, &[])
    };
    let texts: Vec<String> = columns.iter().map(column).collect();
    let key = columns.first().map(|(name, ..)| dialect.quote(name)).unwrap_or_default();
    let (table, options) = (dialect.quote(table), dialect.table_options());
    format!("CREATE TABLE IF NOT EXISTS {table} ({}, PRIMARY KEY ({key})){options}", texts.join(", "))
}
