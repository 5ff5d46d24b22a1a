//! The tables as they really are: read from the database, in a form that two databases can be compared by.
use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Result};

use crate::drift::{Column, Index, Table, Tables};

/// All tables of the database but those of the engine and the server.
pub(super) fn tables(connection: &Connection) -> Result<Tables> {
    let mut statement = connection.prepare(
        "SELECT l.name, l.strict, l.wr, coalesce(s.sql, '') FROM pragma_table_list AS l JOIN sqlite_schema AS s ON s.name = l.name
         WHERE l.schema = 'main' AND l.type = 'table' AND s.type = 'table' AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
         AND l.name NOT LIKE 'mainstay\\_%' ESCAPE '\\'",
    )?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?, row.get::<_, bool>(2)?, row.get::<_, String>(3)?))
    })?;
    let mut tables = BTreeMap::new();
    for row in rows {
        let (name, strict, without_rowid, sql) = row?;
        let table = Table {
            columns: columns(connection, &name)?,
            indexes: indexes(connection, &name)?,
            references: references(connection, &name)?,
            checks: checks(&sql),
            triggers: triggers(connection, &name)?,
            options: options(strict, without_rowid, &sql),
        };
        tables.insert(name, table);
    }
    Ok(tables)
}

fn options(strict: bool, without_rowid: bool, sql: &str) -> BTreeSet<String> {
    let is_counted = sql.to_ascii_uppercase().contains("AUTOINCREMENT");
    let all = [(strict, "STRICT"), (without_rowid, "WITHOUT ROWID"), (is_counted, "AUTOINCREMENT")];
    all.into_iter().filter(|(is, _)| *is).map(|(_, word)| word.to_owned()).collect()
}

fn columns(connection: &Connection, table: &str) -> Result<BTreeMap<String, Column>> {
    let mut statement =
        connection.prepare("SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_xinfo(?1)")?;
    let rows = statement.query_map([table], |row| {
        let (required, key) = (row.get(2)?, row.get(4)?);
        Ok((row.get(0)?, Column { ty: row.get(1)?, required, default: row.get(3)?, key }))
    })?;
    rows.collect()
}

fn indexes(connection: &Connection, table: &str) -> Result<BTreeMap<String, Index>> {
    let mut statement = connection.prepare(
        "SELECT l.name, l.\"unique\", s.sql FROM pragma_index_list(?1) AS l JOIN sqlite_schema AS s ON s.name = l.name
         WHERE l.origin <> 'pk'",
    )?;
    let rows = statement.query_map([table], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?, row.get::<_, Option<String>>(2)?))
    })?;
    let mut indexes = BTreeMap::new();
    for row in rows {
        let (name, unique, sql) = row?;
        let mut parts =
            connection.prepare("SELECT coalesce(name, '') FROM pragma_index_xinfo(?1) WHERE key = 1 ORDER BY seqno")?;
        let columns = parts.query_map([&name], |row| row.get(0))?.collect::<Result<Vec<String>>>()?;
        let condition = sql.as_deref().and_then(condition);
        indexes.insert(name, Index { unique, columns, sorted: Vec::new(), condition });
    }
    Ok(indexes)
}

/// What stands behind the WHERE of a CREATE INDEX.
fn condition(sql: &str) -> Option<String> {
    let end = sql.find('(').map(|start| start + inside(&sql[start + 1..]).len() + 2)?;
    let rest = sql.get(end..)?.trim();
    rest.get(..5).filter(|word| word.eq_ignore_ascii_case("where"))?;
    Some(plain(&rest[5..]))
}

fn references(connection: &Connection, table: &str) -> Result<BTreeSet<(String, String, String)>> {
    let mut statement =
        connection.prepare("SELECT \"from\", \"table\", coalesce(\"to\", '') FROM pragma_foreign_key_list(?1)")?;
    let rows = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

fn triggers(connection: &Connection, table: &str) -> Result<BTreeSet<String>> {
    let mut statement =
        connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 AND name NOT LIKE 'mainstay\\_%' ESCAPE '\\'")?;
    let rows = statement.query_map([table], |row| row.get(0))?;
    rows.collect()
}

/// The conditions of every CHECK of a CREATE TABLE.
fn checks(sql: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut at = 0;
    while let Some(start) = next_check(sql, at) {
        let text = inside(&sql[start..]);
        found.insert(plain(text));
        at = start + text.len();
    }
    found
}

/// Where the next CHECK's condition begins, outside of texts and names.
fn next_check(sql: &str, from: usize) -> Option<usize> {
    let bytes = sql.as_bytes();
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'\'' | b'"' | b'`') => at = closing(bytes, at, quote) + 1,
            b'c' | b'C' if sql.get(at..at + 5).is_some_and(|word| word.eq_ignore_ascii_case("check")) => {
                let rest = sql[at + 5..].trim_start();
                if rest.starts_with('(') {
                    return Some(sql.len() - rest.len() + 1);
                }
                at += 5;
            }
            _ => at += 1,
        }
    }
    None
}

/// The text up to the parenthesis that closes the one before it.
fn inside(sql: &str) -> &str {
    let bytes = sql.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'\'' | b'"' | b'`') => at = closing(bytes, at, quote),
            b'(' => depth += 1,
            b')' if depth == 0 => return &sql[..at],
            b')' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    sql
}

/// Where a quoted part ends.
fn closing(bytes: &[u8], start: usize, quote: u8) -> usize {
    let end = bytes[start + 1..].iter().position(|byte| *byte == quote);
    end.map_or(bytes.len(), |end| start + 1 + end)
}

/// Without spaces, and without quotes around names.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '"').collect()
}
