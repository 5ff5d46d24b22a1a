//! The tables that nodes share: who is there, who is elected, and the keys that all of them use.
use mainstay_schema::Scalar;

use super::own::OwnTable;
use crate::sql::Dialect;

/// The nodes. Times are the database's, in microseconds since 1970; `position` is how far a node has read the change feed.
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
    ],
};
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
