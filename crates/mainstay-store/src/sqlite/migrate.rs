//! The schema last applied, and the steps to the next one.
use mainstay_schema::{Schema, Snapshot, Step, StepKind};
use rusqlite::{Connection, OptionalExtension};

use super::{SqliteDialect, failure::store_error};
use crate::{StoreError, sql};

/// The schema last applied, as text.
fn remembered(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'mainstay_schema'";
    match connection.query_row(table, [], |_| Ok(())).optional()? {
        Some(()) => connection.query_row(&sql::recall(&SqliteDialect), [], |row| row.get(0)).optional(),
        None => Ok(None),
    }
}

/// Whether the schema last applied is written down in a form that only a newer Mainstay knows.
pub(super) fn is_newer(connection: &Connection) -> rusqlite::Result<bool> {
    let Some(text) = remembered(connection)? else { return Ok(false) };
    let known = Schema::default().snapshot().format;
    let format = serde_json::from_str::<serde_json::Value>(&text).ok();
    let format = format.and_then(|snapshot| snapshot.get("format")?.as_u64());
    Ok(format.is_some_and(|format| format > u64::from(known)))
}

/// The schema last applied.
pub(super) fn snapshot(connection: &Connection) -> Result<Option<Snapshot>, StoreError> {
    let text = remembered(connection).map_err(|error| store_error(error, 0))?;
    text.map(|text| Snapshot::from_json(&text))
        .transpose()
        .map_err(|error| StoreError::Engine(format!("the schema that the database remembers cannot be read: {error}")))
}

/// Each step's statements as one text.
pub(super) fn render(steps: &[Step], becomes: &Snapshot) -> Result<Vec<String>, StoreError> {
    let mut texts = vec![String::new(); steps.len()];
    for rendered in sql::ddl(&SqliteDialect, steps, becomes)? {
        let Some(text) = texts.get_mut(rendered.step) else { continue };
        for statement in rendered.statements {
            text.push_str(&statement);
            text.push_str(";\n");
        }
    }
    Ok(texts)
}

/// Carries out the steps and remembers what they lead to, in one transaction.
pub(super) fn apply(connection: &Connection, steps: &[Step], becomes: &Snapshot) -> Result<(), StoreError> {
    let rendered = sql::ddl(&SqliteDialect, steps, becomes)?;
    let failed = |error| store_error(error, 0);
    // Steps may rebuild tables; whether every reference still leads somewhere is looked at once, at the end. The pragma does
    // nothing inside of a transaction.
    connection.pragma_update(None, "foreign_keys", false).map_err(failed)?;
    let outcome = in_transaction(connection, || {
        connection.execute_batch(&sql::bookkeeping(&SqliteDialect)).map_err(failed)?;
        for statement in rendered.iter().flat_map(|step| &step.statements) {
            connection.execute_batch(statement).map_err(failed)?;
        }
        remember(connection, becomes).map_err(failed)?;
        // Looks at every reference of the database: only where a table was rebuilt under them.
        let rebuilds = steps.iter().any(|step| matches!(step.kind, StepKind::AddEnumValues { .. }));
        if rebuilds { check_references(connection) } else { Ok(()) }
    });
    connection.pragma_update(None, "foreign_keys", true).map_err(failed)?;
    outcome
}

fn in_transaction(connection: &Connection, work: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
    let failed = |error| store_error(error, 0);
    connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
    let outcome = work().and_then(|()| connection.execute_batch("COMMIT").map_err(failed));
    if outcome.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").map_err(failed)?;
    }
    outcome
}

fn check_references(connection: &Connection) -> Result<(), StoreError> {
    let broken = connection
        .query_row("PRAGMA foreign_key_check", [], |row| row.get::<_, String>(0))
        .optional()
        .map_err(|error| store_error(error, 0))?;
    match broken {
        None => Ok(()),
        Some(table) => Err(StoreError::Engine(format!("a reference of table \"{table}\" leads nowhere"))),
    }
}

fn remember(connection: &Connection, becomes: &Snapshot) -> rusqlite::Result<()> {
    let [forget, write] = sql::remember(&SqliteDialect);
    connection.execute(&forget, [])?;
    connection.execute(&write, [becomes.to_json()]).map(|_| ())
}
