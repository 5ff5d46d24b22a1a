//! What was changed by hand: the tables as they are beside those that the remembered schema makes.
use mainstay_schema::{Migration, Snapshot, fingerprint};
use rusqlite::Connection;

use super::{SqliteDialect, failure::store_error, introspect::tables};
use crate::{
    Drift, StoreError,
    drift::{self, Tables},
    sql,
};

/// The words of a table's options.
const OPTIONS: &str = "STRICT, WITHOUT ROWID, AUTOINCREMENT";

/// The differences between the tables and what is remembered of them, worst first.
pub(super) fn drift(connection: &Connection, remembered: &Snapshot) -> Result<Vec<Drift>, StoreError> {
    let failed = |error| store_error(error, 0);
    let (actual, expected) = (tables(connection).map_err(failed)?, made(remembered).map_err(failed)?);
    Ok(drift::differences(&expected, &actual, OPTIONS))
}

/// What of the drift is in the way of a migration.
pub(super) fn in_the_way(
    connection: &Connection,
    migration: &Migration,
    rebuilt: &[String],
) -> Result<Vec<Drift>, StoreError> {
    let failed = |error| store_error(error, 0);
    let (actual, expected) = (tables(connection).map_err(failed)?, made(&migration.from).map_err(failed)?);
    let found = drift::differences(&expected, &actual, OPTIONS);
    Ok(drift::in_the_way(found, (&expected, &actual), migration, rebuilt))
}

/// A hash of the tables that the schema knows, as they really are.
pub(super) fn tables_fingerprint(connection: &Connection, remembered: &Snapshot) -> Result<String, StoreError> {
    let failed = |error| store_error(error, 0);
    let expected = made(remembered).map_err(failed)?;
    let mut actual = tables(connection).map_err(failed)?;
    actual.retain(|name, _| expected.contains_key(name));
    Ok(fingerprint(format!("{actual:?}").as_bytes()))
}

/// The tables that a schema makes in an empty database.
pub(super) fn made(snapshot: &Snapshot) -> rusqlite::Result<Tables> {
    let connection = Connection::open_in_memory()?;
    for statement in sql::create_all(&SqliteDialect, snapshot) {
        connection.execute_batch(&statement)?;
    }
    tables(&connection)
}
