//! The embedded database as one side of a move: a connection beside the server's.
use std::{
    thread,
    time::{Duration, Instant},
};

use mainstay_expr::Value;
use mainstay_plan::Position;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use super::{
    SqliteDialect,
    bind::bind,
    connection::open_side,
    failure::{MOVED, store_error},
    feed, migrate, now,
    row::decode,
};
use crate::{
    OpenError, Settings, StoreError,
    exec::Inputs,
    moving::{Changed, EachValues, Side, Touched},
    sql::{Cell, Decode, Dialect, MovedTable, Sql},
};

/// What the names of the triggers begin with that refuse writes.
const SEAL: &str = "mainstay_moved_";
/// How long it is waited between two looks whether nobody writes.
const LOOK_EVERY: Duration = Duration::from_micros(200);

/// A connection to the file.
pub(crate) struct MovingSide(Connection);

impl MovingSide {
    /// Opens it, also while a server has the database.
    pub(crate) fn open(settings: &Settings) -> Result<MovingSide, OpenError> {
        open_side(settings).map(MovingSide)
    }

    /// The statements that make what the schema of the file has of a kind, and the names of what they make.
    fn made(&self, kind: &str, fits: &dyn Fn(&str, &str) -> bool) -> rusqlite::Result<Vec<(String, String)>> {
        let sql = "SELECT name, sql, tbl_name FROM sqlite_schema WHERE type = ?1 AND sql IS NOT NULL ORDER BY rowid";
        let mut statement = self.0.prepare(sql)?;
        let rows = statement.query_map([kind], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })?;
        let mut found = Vec::new();
        for row in rows {
            let (name, sql, table) = row?;
            if fits(&name, &table) {
                found.push((name, sql));
            }
        }
        Ok(found)
    }

    fn drop_all(&self, kind: &str, names: &[(String, String)]) -> Result<(), StoreError> {
        for (name, _) in names {
            self.0.execute_batch(&format!("DROP {kind} {}", SqliteDialect.quote(name))).map_err(failed)?;
        }
        Ok(())
    }
}

fn failed(error: rusqlite::Error) -> StoreError {
    store_error(error, 0)
}

impl Side for MovingSide {
    fn dialect(&self) -> &'static dyn Dialect {
        &SqliteDialect
    }

    fn rows(
        &mut self,
        sql: &Sql,
        values: &[Value],
        decodes: &[Decode],
        each: &mut EachValues<'_>,
    ) -> Result<(), StoreError> {
        let mut statement = self.0.prepare_cached(&sql.text).map_err(failed)?;
        bind(&mut statement, sql, &Inputs::of(values)).map_err(failed)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(failed)? {
            let value = |(column, decode_as): (usize, &Decode)| decode(row, Cell { column, decode: *decode_as });
            each(decodes.iter().enumerate().map(value).collect::<Result<_, _>>()?);
        }
        Ok(())
    }

    fn execute(&mut self, sql: &Sql, values: &[Value]) -> Result<(), StoreError> {
        let mut statement = self.0.prepare_cached(&sql.text).map_err(failed)?;
        bind(&mut statement, sql, &Inputs::of(values)).map_err(failed)?;
        statement.raw_execute().map(|_| ()).map_err(failed)
    }

    fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.0.execute_batch(sql).map_err(failed)
    }

    fn fill(&mut self, table: &MovedTable, rows: &[Value]) -> Result<(), StoreError> {
        let sql = table.insert(&SqliteDialect);
        let mut statement = self.0.prepare_cached(&sql.text).map_err(failed)?;
        for row in rows.chunks(table.columns.len().max(1)) {
            bind(&mut statement, &sql, &Inputs::of(row)).map_err(failed)?;
            statement.raw_execute().map_err(failed)?;
        }
        Ok(())
    }

    /// The lock of the file does that.
    fn hold(&mut self) -> Result<bool, StoreError> {
        Ok(true)
    }

    fn begin_snapshot(&mut self) -> Result<(), StoreError> {
        // The snapshot is taken by the first read.
        self.batch("BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1")
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.batch("BEGIN IMMEDIATE")
    }

    fn begin_pause(&mut self, _tables: &[&MovedTable], wait: Duration) -> Result<Option<Instant>, StoreError> {
        let end = Instant::now() + wait;
        loop {
            // The engine's own way to wait sleeps ever longer, and a busy writer leaves short gaps alone.
            self.0.busy_timeout(Duration::ZERO).map_err(failed)?;
            let outcome = self.0.execute_batch("BEGIN IMMEDIATE");
            self.0.busy_timeout(super::connection::BUSY).map_err(failed)?;
            match outcome {
                Ok(()) => return Ok(Some(Instant::now())),
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {}
                Err(error) => return Err(failed(error)),
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    fn tables(&mut self) -> Result<Vec<String>, StoreError> {
        let sql =
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
        let names = || self.0.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>();
        names().map_err(failed)
    }

    fn position(&mut self) -> Result<Position, StoreError> {
        feed::end(&self.0).map(|seq| Position { xid: 0, seq }).map_err(failed)
    }

    fn touched(&mut self, after: Position, limit: u64) -> Result<Changed, StoreError> {
        let gone = feed::gone(&self.0, None).map_err(failed)?;
        let last = self.position()?;
        if gone > after.seq || last < after {
            return Err(StoreError::ChangesGone);
        }
        let end = last.seq.min(after.seq.saturating_add(limit));
        let sql = "SELECT DISTINCT collection, record FROM mainstay_changes WHERE seq > ?1 AND seq <= ?2";
        let pairs = || {
            let mut statement = self.0.prepare_cached(sql)?;
            let rows = statement.query_map([after.seq, end].map(feed::number), |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<rusqlite::Result<Vec<Touched>>>()
        };
        let records = pairs().map_err(failed)?;
        Ok(Changed { records, end: Position { xid: 0, seq: end }, is_more: end < last.seq })
    }

    fn counter(&mut self, table: &MovedTable) -> Result<Option<i64>, StoreError> {
        if table.name.starts_with("mainstay_") {
            return Ok(None);
        }
        let sql = "SELECT seq FROM sqlite_sequence WHERE name = ?1";
        self.0.query_row(sql, [&table.name], |row| row.get(0)).optional().map_err(failed)
    }

    fn count_on(&mut self, table: &MovedTable, last: i64) -> Result<(), StoreError> {
        if table.name.starts_with("mainstay_") {
            return Ok(());
        }
        let change = "UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1";
        let make = "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)";
        let values = params![table.name, last];
        match self.0.execute(change, values).map_err(failed)? {
            0 => self.0.execute(make, values).map(|_| ()).map_err(failed),
            _ => Ok(()),
        }
    }

    fn loosen(&mut self, tables: &[&MovedTable]) -> Result<Vec<String>, StoreError> {
        let is_ours = |_: &str, table: &str| tables.iter().any(|of| of.name == table);
        let indexes = self.made("index", &is_ours).map_err(failed)?;
        self.drop_all("INDEX", &indexes)?;
        Ok(indexes.into_iter().map(|(_, sql)| sql).collect())
    }

    fn settle(&mut self, _tables: &[&MovedTable]) -> Result<(), StoreError> {
        migrate::check_references(&self.0)
    }

    fn tighten(&mut self, _tables: &[&MovedTable]) -> Result<(), StoreError> {
        Ok(())
    }

    /// A change of nothing at a number that no feed reaches otherwise: what stands before it is gone.
    fn begin_feed(&mut self, collections: &[&str]) -> Result<(), StoreError> {
        let begin = now();
        self.batch("DELETE FROM mainstay_changes; DELETE FROM mainstay_changes_gone")?;
        let change = "INSERT INTO mainstay_changes (seq, collection, record, op, time) VALUES (?1, '', '', 3, ?1)";
        self.0.execute(change, [begin]).map_err(failed)?;
        let gone = "INSERT INTO mainstay_changes_gone (collection, xid, seq) VALUES (?1, 0, ?2)";
        for collection in collections {
            self.0.execute(gone, params![collection, begin]).map_err(failed)?;
        }
        Ok(())
    }

    fn seal(&mut self, tables: &[&MovedTable]) -> Result<(), StoreError> {
        for table in tables {
            // What is too old may still be taken out of the server's own.
            let is_own = table.name.starts_with("mainstay_");
            for event in if is_own { &["INSERT"][..] } else { &["INSERT", "UPDATE", "DELETE"] } {
                let name = SqliteDialect.quote(&format!("{SEAL}{}_{event}", table.name));
                let table = SqliteDialect.quote(&table.name);
                let trigger = "CREATE TRIGGER IF NOT EXISTS";
                self.batch(&format!(
                    "{trigger} {name} BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, '{MOVED}'); END"
                ))?;
            }
        }
        Ok(())
    }

    fn unseal(&mut self) -> Result<(), StoreError> {
        let triggers = self.made("trigger", &|name, _| name.starts_with(SEAL)).map_err(failed)?;
        self.drop_all("TRIGGER", &triggers)
    }
}
