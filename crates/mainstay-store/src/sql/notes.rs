//! The notes of imports: how far each source is, and what waits for records that come later.
use mainstay_expr::Type;
use mainstay_plan::Note;
use mainstay_schema::Scalar;

use super::own::OwnTable;
use crate::sql::{Bind, Dialect, Sql};

/// The sources, and what waits of them.
pub(super) const NOTES: [OwnTable; 2] = [
    OwnTable {
        name: SOURCES,
        counted: None,
        columns: &[("id", Scalar::String, true), ("state", Scalar::String, true)],
    },
    OwnTable {
        name: WAITING,
        counted: Some("number"),
        columns: &[("source", Scalar::String, true), ("what", Scalar::String, true)],
    },
];
const SOURCES: &str = "mainstay_import";
const WAITING: &str = "mainstay_import_waiting";
/// The source that is none: its state is the id of the import that runs.
const RUNNING: &str = "";

/// Makes the tables, where they are not there.
pub fn note_tables(dialect: &dyn Dialect) -> String {
    NOTES.map(|table| table.make(dialect, &[])).join(";\n")
}

/// The statements of a note.
pub fn note(dialect: &dyn Dialect, note: Note) -> Vec<Sql> {
    let [first, second] = [1, 2].map(|n| dialect.placeholder(n));
    let sql = |text: String, binds: u16| Sql { text, binds: (0..binds).map(Bind::Value).collect() };
    match note {
        Note::Begun => vec![sql(
            format!(
                "INSERT INTO {SOURCES} (id, state) VALUES ('{RUNNING}', {first}) ON CONFLICT (id) DO UPDATE SET state = excluded.state"
            ),
            1,
        )],
        // It is written once more, so that whoever begins meanwhile waits for the end of this write.
        Note::Holds => {
            let found = format!("id = '{RUNNING}' AND state = {first}");
            vec![sql(format!("UPDATE {SOURCES} SET state = state WHERE {found} RETURNING id"), 1)]
        }
        Note::Ended => {
            vec![sql(format!("DELETE FROM {SOURCES} WHERE id = '{RUNNING}' AND state = {first}"), 1)]
        }
        Note::Reached => vec![sql(
            format!(
                "INSERT INTO {SOURCES} (id, state) VALUES ({first}, {second}) ON CONFLICT (id) DO UPDATE SET state = excluded.state"
            ),
            2,
        )],
        Note::Waits => {
            vec![sql(format!("INSERT INTO {WAITING} (source, what) VALUES ({first}, {second})"), 2)]
        }
        Note::WaitsOf => {
            let [before, key, behind] = [(2, Type::String), (3, Type::Int), (4, Type::String)]
                .map(|(n, ty)| dialect.typed(&dialect.placeholder(n), &ty));
            let what = format!("{before} || {key} || {behind}");
            vec![sql(format!("INSERT INTO {WAITING} (source, what) VALUES ({first}, {what})"), 4)]
        }
        Note::Settled => vec![sql(format!("DELETE FROM {WAITING} WHERE number = {first}"), 1)],
        Note::Forgotten => vec![
            sql(format!("DELETE FROM {WAITING} WHERE source = {first}"), 1),
            sql(format!("DELETE FROM {SOURCES} WHERE id = {first}"), 1),
        ],
    }
}

/// Reads all sources: id and state, the oldest first.
pub fn noted_sources() -> String {
    format!("SELECT id, state FROM {SOURCES} WHERE id <> '{RUNNING}' ORDER BY id")
}

/// Reads some of what waits of a source behind a number, or before it: number and what.
pub fn noted_waiting(dialect: &dyn Dialect, backward: bool) -> String {
    let (than, order) = if backward { ("<", "DESC") } else { (">", "ASC") };
    let [source, from, limit] = [1, 2, 3].map(|n| dialect.placeholder(n));
    format!(
        "SELECT number, what FROM {WAITING} WHERE source = {source} AND number {than} {from} ORDER BY number {order} \
         LIMIT {limit}"
    )
}
