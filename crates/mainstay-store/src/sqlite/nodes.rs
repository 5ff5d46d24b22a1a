//! The one node of an embedded database. It is always elected, and gives no signs of life: the lock of the file is one, and costs
//! no writes.
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use mainstay_plan::Position;

use super::{feed, now};
use crate::{Beat, Fitness, Node, NodeSeen, Pulse};

/// Old answers that are taken out in one go.
const KEPT_TRIMMED_MAX: i64 = 1_000;

/// Writes the node down as the only one.
pub(super) fn join(connection: &Connection, beat: &Beat) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    let (node, (behind, unfit)) = (&beat.node, beat.fitness.kept());
    let values = params![node.id, node.name, node.version, node.schema, now(), behind, unfit];
    transaction.execute("DELETE FROM mainstay_nodes WHERE id <> ?1", [&node.id])?;
    transaction.execute(
        "INSERT INTO mainstay_nodes (id, name, version, schema, started, seen, behind, unfit) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7) \
         ON CONFLICT (id) DO UPDATE SET schema = excluded.schema, seen = excluded.seen, behind = excluded.behind, \
         unfit = excluded.unfit",
        values,
    )?;
    transaction.commit()
}

/// Whether the node is written down as it is now.
pub(super) fn is_known(connection: &Connection, beat: &Beat) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM mainstay_nodes WHERE id = ?1 AND schema = ?2 AND behind IS ?3 AND unfit IS ?4";
    let (node, (behind, unfit)) = (&beat.node, beat.fitness.kept());
    let values = params![node.id, node.schema, behind, unfit];
    Ok(connection.prepare_cached(sql)?.query_row(values, |_| Ok(())).optional()?.is_some())
}

/// Takes the node out.
pub(super) fn leave(connection: &Connection, id: &str) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM mainstay_nodes WHERE id = ?1", [id]).map(|_| ())
}

/// What there is to say to a sign of life.
pub(super) fn pulse() -> Pulse {
    Pulse { elected: true, schema: None, gone: Vec::new() }
}

/// The node that is written down. It reads the feed out of the same file: there is nothing that it has not seen.
pub(super) fn nodes(connection: &Connection) -> rusqlite::Result<Vec<NodeSeen>> {
    if !has_table(connection, "mainstay_nodes")? {
        return Ok(Vec::new());
    }
    let state = if has_column(connection, "mainstay_nodes", "unfit")? { "behind, unfit" } else { "NULL, NULL" };
    let sql = format!("SELECT id, name, version, schema, started, {state} FROM mainstay_nodes ORDER BY started, id");
    let end = Position { xid: 0, seq: feed::end(connection)?.max(feed::gone(connection, None)?) };
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([], |row| {
        let node = Node { id: row.get(0)?, name: row.get(1)?, version: row.get(2)?, schema: row.get(3)? };
        let (started_micros, fitness) = (row.get(4)?, Fitness::of_kept(row.get(5)?, row.get(6)?));
        let (position, behind) = (Some(end), Some(0));
        Ok(NodeSeen { node, started_micros, seen: Duration::ZERO, elected: true, fitness, position, behind })
    })?;
    rows.collect()
}

/// Whether answers are kept that are older.
pub(super) fn keeps_old(connection: &Connection, kept: Duration) -> rusqlite::Result<bool> {
    let sql = "SELECT time < ?1 FROM mainstay_idempotency ORDER BY id LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([before(kept)], |row| row.get(0)).optional()?.unwrap_or(false))
}

/// Takes some of those out.
pub(super) fn trim_kept(connection: &Connection, kept: Duration) -> rusqlite::Result<()> {
    let sql = "DELETE FROM mainstay_idempotency WHERE id IN (SELECT id FROM mainstay_idempotency ORDER BY id LIMIT ?2) \
               AND time < ?1";
    connection.prepare_cached(sql)?.execute(params![before(kept), KEPT_TRIMMED_MAX]).map(|_| ())
}

fn before(kept: Duration) -> i64 {
    now().saturating_sub(i64::try_from(kept.as_micros()).unwrap_or(i64::MAX))
}

/// The key of a name; this one, where there is none yet.
pub(super) fn key(connection: &Connection, name: &str, candidate: &[u8]) -> rusqlite::Result<Vec<u8>> {
    connection.execute(
        "INSERT INTO mainstay_keys (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
        params![name, candidate],
    )?;
    connection.query_row("SELECT value FROM mainstay_keys WHERE name = ?1", [name], |row| row.get(0))
}

/// The key of a name, where there is one.
pub(super) fn known_key(connection: &Connection, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    if !has_table(connection, "mainstay_keys")? {
        return Ok(None);
    }
    connection.query_row("SELECT value FROM mainstay_keys WHERE name = ?1", [name], |row| row.get(0)).optional()
}

/// Whether a table has a column.
pub(super) fn has_column(connection: &Connection, table: &str, column: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2";
    Ok(connection.query_row(sql, [table, column], |_| Ok(())).optional()?.is_some())
}

fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    Ok(connection.query_row(sql, [name], |_| Ok(())).optional()?.is_some())
}
