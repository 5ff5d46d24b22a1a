//! The schema last applied, and the way to the next one.
use std::sync::Arc;

use mainstay_schema::{Class, Migration, Schema, Snapshot};
use rusqlite::{Connection, OptionalExtension, Row, types::ValueRef};
use serde_json::{Map, Value as Json};

use super::{SqliteDialect, bind::bind, calls::Calls, drift, failure::store_error, row};
use crate::{
    MigrateError, Offence, Offender, StoreError,
    exec::Inputs,
    migrate::shortened,
    sql::{self, Encode, InspectionSql, MigrationSql, Sql},
};

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
    let format = serde_json::from_str::<Json>(&text).ok();
    let format = format.and_then(|snapshot| snapshot.get("format")?.as_u64());
    Ok(format.is_some_and(|format| format > u64::from(known)))
}

/// The schema last applied.
pub(super) fn snapshot(connection: &Connection) -> Result<Option<Snapshot>, StoreError> {
    let text = remembered(connection).map_err(|error| store_error(error, 0))?;
    text.map(|text| Snapshot::from_json(&text)).transpose().map_err(|error| StoreError::Unreadable(error.to_string()))
}

/// The statements of a migration, for people.
pub(super) fn render(migration: &Migration, schema: &Schema) -> Result<Vec<String>, StoreError> {
    let rendered = sql::migration(&SqliteDialect, migration, schema)?;
    Ok(rendered.statements.into_iter().map(|sql| sql.text).collect())
}

/// The records that are in the way of a migration.
pub(super) fn look(
    connection: &Connection,
    migration: &Migration,
    schema: &Arc<Schema>,
) -> Result<Vec<Offence>, StoreError> {
    let rendered = sql::migration(&SqliteDialect, migration, schema)?;
    looked(connection, migration, &rendered, schema)
}

fn looked(
    connection: &Connection,
    migration: &Migration,
    rendered: &MigrationSql,
    schema: &Arc<Schema>,
) -> Result<Vec<Offence>, StoreError> {
    let failed = |error| store_error(error, 0);
    let _calls = Calls::register(connection, &rendered.calls, schema).map_err(failed)?;
    let mut offences = Vec::new();
    for look in &rendered.looks {
        let records = offenders(connection, look).map_err(failed)?;
        if records.is_empty() {
            continue;
        }
        let count = first_int(connection, &look.count).map_err(failed)?;
        offences.push(Offence {
            what: look.look.what.clone(),
            hint: look.look.hint.clone(),
            collection: migration.to.tables[look.look.table].collection.clone(),
            count,
            records,
        });
    }
    Ok(offences)
}

fn first_int(connection: &Connection, sql: &Sql) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare(&sql.text)?;
    bind(&mut statement, sql, &Inputs::of(&[]))?;
    let mut rows = statement.raw_query();
    let count = rows.next()?.map_or(Ok(0), |row| row.get::<_, i64>(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

fn offenders(connection: &Connection, look: &InspectionSql) -> rusqlite::Result<Vec<Offender>> {
    let mut statement = connection.prepare(&look.records.text)?;
    bind(&mut statement, &look.records, &Inputs::of(&[]))?;
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut values = Map::new();
        for (at, (field, encode)) in look.columns.iter().enumerate() {
            values.insert(field.clone(), shown(row, at + 1, *encode)?);
        }
        found.push(Offender { id: shown(row, 0, look.key)?, values });
    }
    Ok(found)
}

/// A stored value as JSON; one that is not what its column should hold, as it is.
fn shown(row: &Row<'_>, column: usize, encode: Encode) -> rusqlite::Result<Json> {
    let value = row.get_ref(column)?;
    let mut json = Vec::new();
    let written = row::encode(value, column, encode, &mut json).ok();
    let parsed = written.and_then(|()| serde_json::from_slice(&json).ok());
    let json = parsed.unwrap_or_else(|| match value {
        ValueRef::Null => Json::Null,
        ValueRef::Integer(value) => Json::from(value),
        ValueRef::Real(value) => Json::from(value),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Json::from(String::from_utf8_lossy(bytes)),
    });
    Ok(shortened(json))
}

/// Carries a migration out and remembers what it leads to, in one transaction: all or nothing.
pub(super) fn apply(connection: &Connection, migration: &Migration, schema: &Arc<Schema>) -> Result<(), MigrateError> {
    apply_watched(connection, migration, schema, &mut |_| Ok(()))
}

/// As [`apply`]; `before` is asked before each statement, and may make it fail.
pub(super) fn apply_watched(
    connection: &Connection,
    migration: &Migration,
    schema: &Arc<Schema>,
    before: &mut dyn FnMut(usize) -> Result<(), StoreError>,
) -> Result<(), MigrateError> {
    let failed = |error| store_error(error, 0);
    if let Some(step) = migration.steps.iter().find(|step| step.class == Class::Refused) {
        return Err(MigrateError::Refused(step.text.clone()));
    }
    let rendered = sql::migration(&SqliteDialect, migration, schema)?;
    // Tables are rebuilt under their references; whether each still leads somewhere is looked at once, at the end. The pragma
    // does nothing inside of a transaction.
    connection.pragma_update(None, "foreign_keys", false).map_err(failed)?;
    let outcome = in_transaction(connection, || {
        let from = snapshot(connection)?;
        if from.is_none() != migration.is_first || from.is_some_and(|from| from != migration.from) {
            return Err(MigrateError::Moved);
        }
        let drift = drift::in_the_way(connection, migration, &rendered.rebuilt)?;
        if !drift.is_empty() {
            return Err(MigrateError::Drift(drift));
        }
        let offences = looked(connection, migration, &rendered, schema)?;
        if !offences.is_empty() {
            return Err(MigrateError::Offences(offences));
        }
        carry_out(connection, migration, &rendered, schema, before)
    });
    connection.pragma_update(None, "foreign_keys", true).map_err(failed)?;
    outcome
}

fn carry_out(
    connection: &Connection,
    migration: &Migration,
    rendered: &MigrationSql,
    schema: &Arc<Schema>,
    before: &mut dyn FnMut(usize) -> Result<(), StoreError>,
) -> Result<(), MigrateError> {
    let failed = |error| store_error(error, 0);
    let _calls = Calls::register(connection, &rendered.calls, schema).map_err(failed)?;
    connection.execute_batch(&sql::bookkeeping(&SqliteDialect)).map_err(failed)?;
    for (at, sql) in rendered.statements.iter().enumerate() {
        before(at)?;
        let mut statement = connection.prepare(&sql.text).map_err(failed)?;
        bind(&mut statement, sql, &Inputs::of(&[])).map_err(failed)?;
        statement.raw_execute().map_err(failed)?;
    }
    before(rendered.statements.len())?;
    // Looks at every reference of the database: only where tables were moved under them.
    if rendered.moves {
        check_references(connection)?;
    }
    remember(connection, &migration.to).map_err(failed)?;
    before(rendered.statements.len() + 1)?;
    Ok(())
}

fn in_transaction(
    connection: &Connection,
    work: impl FnOnce() -> Result<(), MigrateError>,
) -> Result<(), MigrateError> {
    let failed = |error| store_error(error, 0);
    connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
    let outcome = work().and_then(|()| connection.execute_batch("COMMIT").map_err(failed).map_err(MigrateError::from));
    if outcome.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").map_err(failed)?;
    }
    outcome
}

/// Looks whether every reference leads somewhere.
pub(super) fn check_references(connection: &Connection) -> Result<(), StoreError> {
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
