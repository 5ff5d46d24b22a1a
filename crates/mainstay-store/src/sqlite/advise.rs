//! Plans explained: the lines of SQLite, the same in words, and the indexes that are missing. An index counts as missing where
//! SQLite would take it: that is tried in an empty database in memory with the same tables and statistics, because a plan needs no rows.
use std::{collections::HashMap, sync::Arc, time::Duration};

use mainstay_schema::Schema;
use rusqlite::{Connection, StatementStatus, config::DbConfig};

use super::{
    SqliteDialect,
    bind::bind,
    functions,
    nested::Nested,
    words::{Line, Words},
};
use crate::{
    Explained, IndexWanted, Measured, ReadStatement, Settings, StatementExplained,
    advice::{Origin, candidates},
    exec::Inputs,
    sql::{Dialect as _, Sql},
};

/// Missing indexes that are named for one statement at most.
const NAMED_MAX: usize = 3;

/// Explains a read: as it is planned with the values of a request.
pub(super) fn read(
    connection: &Connection,
    settings: &Settings,
    of: &ReadStatement,
    values: Option<&[mainstay_expr::Value]>,
) -> rusqlite::Result<Explained> {
    let inputs = values.map(Inputs::of);
    let lines = lines(connection, &of.sql.page, inputs.as_ref())?;
    let mut explained = Explained { sql: of.sql().to_owned(), plan: shown(&lines), ..Explained::default() };
    if let Some((schema, origin)) = of.origin() {
        explained.words = Words::new(connection, schema, of.sql(), Some(origin), &lines).of(&lines);
        explained.missing = missing(connection, settings, schema, of.sql(), origin)?;
    }
    Ok(explained)
}

/// Explains a statement of a write.
pub(super) fn statement(connection: &Connection, schema: &Schema, sql: &Sql) -> rusqlite::Result<StatementExplained> {
    let lines = lines(connection, sql, None)?;
    let words = Words::new(connection, schema, &sql.text, None, &lines).of(&lines);
    Ok(StatementExplained { sql: sql.text.clone(), plan: shown(&lines), words })
}

/// Runs a read several times and says what it took.
pub(super) fn measure(
    connection: &Connection,
    of: &ReadStatement,
    values: &[mainstay_expr::Value],
    times: usize,
) -> rusqlite::Result<Measured> {
    let mut took = Vec::with_capacity(times);
    let mut measured = Measured::default();
    for _ in 0..times.max(1) {
        let mut statement = connection.prepare(&of.sql.page.text)?;
        bind(&mut statement, &of.sql.page, &Inputs::of(values))?;
        let began = std::time::Instant::now();
        let mut rows = statement.raw_query();
        measured.rows = 0;
        while rows.next()?.is_some() {
            measured.rows += 1;
        }
        drop(rows);
        took.push(began.elapsed());
        measured.scanned = statement.get_status(StatementStatus::FullscanStep).unsigned_abs().into();
        measured.sorts = statement.get_status(StatementStatus::Sort).unsigned_abs().into();
        measured.steps = statement.get_status(StatementStatus::VmStep).unsigned_abs().into();
    }
    took.sort_unstable();
    measured.median = took.get(took.len() / 2).copied().unwrap_or(Duration::ZERO);
    measured.times = took.len();
    Ok(measured)
}

/// The lines of `EXPLAIN QUERY PLAN`.
fn lines(connection: &Connection, sql: &Sql, inputs: Option<&Inputs<'_>>) -> rusqlite::Result<Vec<Line>> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", sql.text))?;
    if let Some(inputs) = inputs {
        bind(&mut statement, sql, inputs)?;
    }
    let (mut depths, mut lines) = (HashMap::from([(0_i64, 0_usize)]), Vec::new());
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let (id, parent, detail): (i64, i64, String) = (row.get(0)?, row.get(1)?, row.get(3)?);
        let depth = depths.get(&parent).copied().unwrap_or(0);
        depths.insert(id, depth + 1);
        lines.push(Line { depth, detail });
    }
    Ok(lines)
}

fn shown(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|line| format!("{}{}", "  ".repeat(line.depth), line.detail)).collect()
}

/// The indexes that SQLite would take, and that make the plan better.
fn missing(
    connection: &Connection,
    settings: &Settings,
    schema: &Arc<Schema>,
    sql: &str,
    origin: &Origin,
) -> rusqlite::Result<Vec<IndexWanted>> {
    let mut left = candidates(schema, origin);
    let mut found = Vec::new();
    if left.is_empty() {
        return Ok(found);
    }
    let shadow = shadow(connection, settings)?;
    let mut cost = plan_cost(&shadow, sql)?;
    while cost > 0 && found.len() < NAMED_MAX {
        let mut best: Option<(u32, usize, usize)> = None;
        for (at, wanted) in left.iter().enumerate() {
            shadow.execute_batch(&create(schema, wanted, "mainstay_try"))?;
            let now = (plan_cost(&shadow, sql)?, wanted.fields.len(), at);
            shadow.execute_batch("DROP INDEX mainstay_try")?;
            if now.0 < cost && best.is_none_or(|best| now < best) {
                best = Some(now);
            }
        }
        let Some((now, _, at)) = best else { break };
        let wanted = left.remove(at);
        shadow.execute_batch(&create(schema, &wanted, &format!("mainstay_try_{}", found.len())))?;
        found.push(wanted);
        cost = now;
    }
    Ok(found)
}

/// The statement of an index as the migrations write it: the key comes last.
fn create(schema: &Schema, wanted: &IndexWanted, name: &str) -> String {
    let of = schema.collection(wanted.collection);
    let id = of.system.id.filter(|id| !wanted.fields.contains(id));
    let columns = wanted.fields.iter().chain(&id).map(|field| SqliteDialect.quote(&of.field(*field).column));
    let columns = columns.collect::<Vec<_>>().join(", ");
    format!("CREATE INDEX {name} ON {} ({columns})", SqliteDialect.quote(&of.table))
}

/// An empty database with the same tables, indexes and statistics.
fn shadow(connection: &Connection, settings: &Settings) -> rusqlite::Result<Connection> {
    let shadow = Connection::open_in_memory()?;
    shadow.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    functions::register(&shadow)?;
    Nested::register(&shadow, settings)?;
    let schema = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                  ORDER BY type = 'table' DESC, rowid";
    let mut statement = connection.prepare(schema)?;
    for sql in statement.query_map([], |row| row.get::<_, String>(0))? {
        shadow.execute_batch(&sql?)?;
    }
    let known = "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_stat1'";
    if connection.query_row(known, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(shadow);
    }
    shadow.execute_batch("ANALYZE")?;
    let mut statement = connection.prepare("SELECT tbl, idx, stat FROM sqlite_stat1")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (table, index, stat): (Option<String>, Option<String>, Option<String>) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        shadow.execute("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?1, ?2, ?3)", (table, index, stat))?;
    }
    shadow.execute_batch("ANALYZE sqlite_schema")?;
    Ok(shadow)
}

/// How much of a plan an index could spare: tables that are read whole, and sorting in memory.
fn plan_cost(connection: &Connection, sql: &str) -> rusqlite::Result<u32> {
    let sql = Sql { text: sql.to_owned(), binds: Vec::new() };
    let lines = lines(connection, &sql, None)?;
    Ok(lines.iter().map(|line| cost_of(&line.detail)).sum())
}

fn cost_of(detail: &str) -> u32 {
    if detail.contains("USING AUTOMATIC") {
        return 5;
    }
    if let Some(rest) = detail.strip_prefix("SCAN t") {
        let is_alias = rest.starts_with(|c: char| c.is_ascii_digit());
        return match is_alias {
            true if detail.contains(" USING ") => 3,
            true => 4,
            false => 0,
        };
    }
    if detail.starts_with("USE TEMP B-TREE FOR ORDER BY") || detail.starts_with("USE TEMP B-TREE FOR GROUP BY") {
        return 2;
    }
    0
}
