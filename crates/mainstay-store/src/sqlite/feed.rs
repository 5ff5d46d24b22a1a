//! The change feed of the embedded engine: one writer, so the order of the numbers is that of the commits.
use std::{sync::Arc, time::Duration};

use mainstay_plan::{Change, ChangeOp, Position};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{connection::Watched, failure::store_error};
use crate::{ChangesAsked, ChangesPage, StoreError, feed::restore};

/// Changes that are looked at in one go where few of them are of the collection that is asked for.
const LOOKED_AT_MAX: u64 = 50_000;

/// What a change costs beside its records, about.
const CHANGE_BYTES: usize = 200;

const PAGE: &str = "SELECT seq, collection, record, op, version, before, after, caller, time, request FROM \
                    mainstay_changes WHERE seq > ?1 AND seq <= ?2 AND (?3 IS NULL OR collection = ?3) ORDER BY seq LIMIT ?4";

/// Changes behind a position. Reads for a short while.
pub(super) fn page(reader: &Watched, asked: &ChangesAsked, limit_ms: u64) -> Result<ChangesPage, StoreError> {
    reader.deadline.set(Duration::from_millis(limit_ms));
    let failed = |error| store_error(error, limit_ms);
    let connection = &reader.connection;
    // One snapshot for what is gone and for what is there.
    let transaction = connection.unchecked_transaction().map_err(failed)?;
    let gone = gone(&transaction, asked.collection.as_deref()).map_err(failed)?;
    let end = end(&transaction).map_err(failed)?;
    let after = match asked.after {
        None => gone,
        Some(after) if after.xid != 0 || after.seq < gone || after.seq > end.max(gone) => {
            return Err(StoreError::ChangesGone);
        }
        Some(after) => after.seq,
    };
    let up_to = match asked.collection {
        Some(_) => end.min(after.saturating_add(LOOKED_AT_MAX)),
        None => end,
    };
    let page = rows(&transaction, asked, (after, up_to.max(after)), failed)?;
    transaction.finish().map_err(failed)?;
    Ok(ChangesPage { more: page.end.seq < end, ..page })
}

fn rows(
    connection: &Connection,
    asked: &ChangesAsked,
    (after, up_to): (u64, u64),
    failed: impl Fn(rusqlite::Error) -> StoreError,
) -> Result<ChangesPage, StoreError> {
    let limit = i64::try_from(asked.limit.max(1)).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(PAGE).map_err(&failed)?;
    let values = params![number(after), number(up_to), asked.collection.as_deref(), limit];
    let mut rows = statement.query(values).map_err(&failed)?;
    let mut page = ChangesPage { end: Position { xid: 0, seq: up_to }, ..ChangesPage::default() };
    let mut bytes = 0;
    let mut names: Vec<Arc<str>> = Vec::new();
    while let Some(row) = rows.next().map_err(&failed)? {
        let change = change(row, &mut names).map_err(&failed)??;
        bytes +=
            CHANGE_BYTES + change.before.as_ref().map_or(0, String::len) + change.after.as_ref().map_or(0, String::len);
        page.changes.push(change);
        if page.changes.len() >= asked.limit.max(1) || bytes >= asked.bytes {
            page.end = page.changes.last().map_or(page.end, |last| last.position);
            break;
        }
    }
    Ok(page)
}

fn change(row: &Row<'_>, names: &mut Vec<Arc<str>>) -> rusqlite::Result<Result<Change, StoreError>> {
    let (collection, number): (&str, i64) = (row.get_ref(1)?.as_str()?, row.get(3)?);
    let collection = match names.iter().find(|name| ***name == *collection) {
        Some(name) => name.clone(),
        None => {
            names.push(Arc::from(collection));
            Arc::from(collection)
        }
    };
    let (before, after): (Option<String>, Option<String>) = (row.get(5)?, row.get(6)?);
    let text = |column| row.get::<_, Option<Arc<str>>>(column);
    let Some(op) = ChangeOp::of_number(number) else {
        return Ok(Err(StoreError::Engine(format!("a change has the kind {number}, which is none"))));
    };
    let before = match (op, before, &after) {
        (ChangeOp::Update, Some(was), Some(after)) => restore(&was, after),
        (_, before, _) => before,
    };
    Ok(Ok(Change {
        position: Position { xid: 0, seq: row.get::<_, i64>(0)?.unsigned_abs() },
        collection,
        id: row.get(2)?,
        op,
        version: row.get(4)?,
        before,
        after,
        caller: text(7)?,
        time_micros: row.get(8)?,
        request: text(9)?,
    }))
}

/// Up to which position changes are gone.
pub(super) fn gone(connection: &Connection, collection: Option<&str>) -> rusqlite::Result<u64> {
    let sql = "SELECT coalesce(max(seq), 0) FROM mainstay_changes_gone WHERE ?1 IS NULL OR collection = ?1";
    connection.prepare_cached(sql)?.query_row([collection], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

/// The position of the last change.
pub(super) fn end(connection: &Connection) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare_cached("SELECT max(seq) FROM mainstay_changes")?;
    let end = statement.query_row([], |row| row.get::<_, Option<i64>>(0)).optional()?;
    Ok(end.flatten().unwrap_or_default().unsigned_abs())
}

pub(super) fn number(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}
