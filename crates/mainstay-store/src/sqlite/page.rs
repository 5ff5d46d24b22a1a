//! Carries out reads on one connection.
use rusqlite::{Connection, Row, Statement};

use super::{
    bind::bind,
    failure::store_error,
    nested::Nested,
    row::{decode, write_object},
};
use crate::{
    Page, StoreError,
    exec::Inputs,
    sql::{ReadSql, Sql},
};

/// Bytes of SQL past which a statement is not kept prepared: their number is bounded, and such a one holds much.
const KEPT_BYTES_MAX: usize = 32 * 1024;

/// Reads a page, and the count in the same snapshot where it is asked for. The records are appended to `into`, which becomes the
/// page's; on an error it keeps what was written so far.
pub(super) fn read(
    connection: &Connection,
    nested: &Nested,
    read: &ReadSql,
    inputs: &Inputs<'_>,
    into: &mut Vec<u8>,
    limit_ms: u64,
) -> Result<Page, StoreError> {
    nested.begin();
    let limits = (nested.bytes_max(), limit_ms);
    match &read.count {
        // One statement is a snapshot of its own.
        None => page(connection, read, inputs, into, limits),
        Some(count) => in_snapshot(connection, limit_ms, || {
            let page = page(connection, read, inputs, into, limits)?;
            match number(connection, count, inputs, limit_ms) {
                Ok(count) => Ok(Page { count: u64::try_from(count).ok(), ..page }),
                Err(error) => {
                    // What the caller had put there is needed again where the read is.
                    *into = page.json;
                    Err(error)
                }
            }
        }),
    }
}

/// Reads in one snapshot; inside of a transaction of the writer that is what it is already.
fn in_snapshot<T>(
    connection: &Connection,
    limit_ms: u64,
    read: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    if !connection.is_autocommit() {
        return read();
    }
    command(connection, "BEGIN", limit_ms)?;
    let outcome = read();
    // A statement that was interrupted may have ended the transaction.
    if !connection.is_autocommit() {
        command(connection, "ROLLBACK", limit_ms)?;
    }
    outcome
}

/// Runs a statement without values and rows.
pub(super) fn command(connection: &Connection, sql: &str, limit_ms: u64) -> Result<(), StoreError> {
    let run = || connection.prepare_cached(sql)?.raw_execute();
    run().map(|_| ()).map_err(|error| store_error(error, limit_ms))
}

fn page(
    connection: &Connection,
    read: &ReadSql,
    inputs: &Inputs<'_>,
    into: &mut Vec<u8>,
    limits: (usize, u64),
) -> Result<Page, StoreError> {
    let failed = |error| store_error(error, limits.1);
    let text = &read.page.text;
    if text.len() > KEPT_BYTES_MAX {
        let mut statement = connection.prepare(text).map_err(failed)?;
        return rows(&mut statement, read, inputs, into, limits);
    }
    let mut statement = connection.prepare_cached(text).map_err(failed)?;
    rows(&mut statement, read, inputs, into, limits)
}

fn rows(
    statement: &mut Statement<'_>,
    read: &ReadSql,
    inputs: &Inputs<'_>,
    into: &mut Vec<u8>,
    (bytes_max, limit_ms): (usize, u64),
) -> Result<Page, StoreError> {
    let failed = |error| store_error(error, limit_ms);
    bind(statement, &read.page, inputs).map_err(failed)?;
    let limit = inputs.rows_max(read.limit);
    let mut page = Page::default();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(failed)? {
        if page.rows == limit {
            page.more = true;
            break;
        }
        take(&mut page, into, read, row, limit)?;
        if into.len() > bytes_max {
            return Err(StoreError::AnswerTooLarge);
        }
    }
    Ok(page.finished(into))
}

/// Appends a row to the page.
fn take(page: &mut Page, into: &mut Vec<u8>, read: &ReadSql, row: &Row<'_>, limit: usize) -> Result<(), StoreError> {
    if page.rows > 0 {
        into.push(b',');
    }
    write_object(row, &read.columns, into)?;
    page.rows += 1;
    if let Some(column) = read.version {
        page.version = row.get(column).map_err(|error| StoreError::Engine(error.to_string()))?;
    }
    // Once the next row is there this one is gone, so the keys of a full page are taken before it is known to be needed.
    if page.rows == limit {
        page.last = read.keys.iter().map(|key| decode(row, *key)).collect::<Result<_, _>>()?;
    }
    Ok(())
}

fn number(connection: &Connection, sql: &Sql, inputs: &Inputs<'_>, limit_ms: u64) -> Result<i64, StoreError> {
    let failed = |error| store_error(error, limit_ms);
    let mut statement = connection.prepare_cached(&sql.text).map_err(failed)?;
    bind(&mut statement, sql, inputs).map_err(failed)?;
    let mut rows = statement.raw_query();
    let row = rows.next().map_err(failed)?;
    row.map_or(Ok(0), |row| row.get(0).map_err(failed))
}
