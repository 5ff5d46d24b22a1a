//! The tables that nodes share: who is there, who is elected, and the keys that all of them use.
use mainstay_schema::Scalar;

use super::own::{OwnColumn, OwnTable, make_column};
use crate::sql::Dialect;

/// The nodes. Times are the database's, in microseconds since 1970; what else stands there was so when it was `seen` last. `position` is where
/// the change feed ended, `behind` how many steps the tables had gone on, `unfit` why it answers nothing.
const NODES: OwnTable = OwnTable {
    name: "mainstay_nodes",
    counted: None,
    columns: &[
        ("id", Scalar::String, true),
        ("name", Scalar::String, true),
        ("version", Scalar::String, true),
        ("schema", Scalar::String, true),
        ("started", Scalar::Long, true),
        ("seen", Scalar::Long, true),
        ("position", Scalar::String, false),
        ("behind", Scalar::Long, false),
        ("unfit", Scalar::String, false),
    ],
};
/// Columns of the nodes that tables of earlier versions lack, all or none.
const LATER: [&str; 2] = ["behind", "unfit"];
/// What one node at a time does, which one, and until when nobody else may.
const LEASES: OwnTable = OwnTable {
    name: "mainstay_leases",
    counted: None,
    columns: &[("name", Scalar::String, true), ("node", Scalar::String, true), ("until", Scalar::Long, true)],
};
/// The keys, made by whoever came first.
pub(super) const KEYS: OwnTable = OwnTable {
    name: "mainstay_keys",
    counted: None,
    columns: &[("name", Scalar::String, true), ("value", Scalar::Bytes, true)],
};

/// Makes the tables, where they are not there.
pub fn make_nodes(dialect: &dyn Dialect) -> String {
    [NODES, LEASES, KEYS].map(|table| table.make(dialect, &[])).join(";\n")
}

/// What is added to a table of nodes that an earlier version has made: its name, a column by which it is known, and how.
pub(crate) fn widen_nodes(dialect: &dyn Dialect) -> (&'static str, &'static str, Vec<String>) {
    let later = NODES.columns.iter().filter(|(name, ..)| LATER.contains(name));
    let add = |column: &OwnColumn| {
        format!("ALTER TABLE {} ADD COLUMN {}", dialect.quote(NODES.name), make_column(dialect, column))
    };
    (NODES.name, LATER[0], later.map(add).collect())
}
