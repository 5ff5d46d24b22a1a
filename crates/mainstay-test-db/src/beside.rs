//! The embedded database, read and changed beside the store.
use std::{path::Path, time::Duration};

use rusqlite::{Connection, types::ValueRef};

/// How long another's write is waited for.
const BUSY: Duration = Duration::from_secs(5);

/// A connection of its own.
fn open(file: &Path) -> Connection {
    let connection = Connection::open(file).expect("the test's database");
    connection.busy_timeout(BUSY).expect("a patient connection");
    connection
}

/// Runs SQL; several statements may stand behind each other.
pub fn execute(file: &Path, sql: &str) {
    open(file).execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Rows of texts, as the engine writes them.
pub fn rows(file: &Path, sql: &str) -> Vec<Vec<Option<String>>> {
    let connection = open(file);
    let mut statement = connection.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|at| Ok(text(row.get_ref(at)?))).collect());
    let rows: Result<_, _> = rows.and_then(Iterator::collect);
    rows.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}
