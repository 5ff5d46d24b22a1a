//! Into a SQLite file.
use std::path::Path;

use rusqlite::{
    Connection, OpenFlags, ToSql, params_from_iter,
    types::{ToSqlOutput, ValueRef},
};
use uuid::Uuid;

use super::{Cell, SYSTEM, Table};
use crate::{Outcome, moment};

pub(super) fn fill(database: &Path, tables: Vec<Table>) -> Outcome<()> {
    let mut db = Connection::open(database)?;
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536")?;
    let tx = db.transaction()?;
    for table in tables {
        let marks = vec!["?"; SYSTEM.len() + table.columns.len()].join(", ");
        let mut insert = tx.prepare(&format!("INSERT INTO {} ({}) VALUES ({marks})", table.name, table.columns()))?;
        for row in table.rows {
            insert.execute(params_from_iter(row))?;
        }
    }
    tx.commit()?;
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

/// The ids of a table's records, of those that fulfil the condition.
pub fn ids(database: &Path, table: &str, condition: &str) -> Outcome<Vec<Uuid>> {
    let db = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = db.prepare(&format!("SELECT id FROM {table} WHERE {condition}"))?;
    let mut rows = statement.query([])?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        ids.push(match row.get_ref(0)? {
            ValueRef::Blob(bytes) => Uuid::from_slice(bytes)?,
            other => Uuid::try_parse(other.as_str()?)?,
        });
    }
    Ok(ids)
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Cell::Id(id) => Ok(ToSqlOutput::from(id.to_string())),
            Cell::Moment(micros) => Ok(ToSqlOutput::from(moment::text(*micros))),
            Cell::Int(number) => Ok(ToSqlOutput::from(*number)),
            Cell::Text(text) => text.to_sql(),
        }
    }
}
