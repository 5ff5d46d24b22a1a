//! A database server as one side of a move: a connection of its own, with a runtime that runs while somebody waits for it.
use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use mainstay_expr::Value;
use mainstay_plan::Position;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, error::SqlState, types::Type};

use super::{
    PostgresDialect,
    bind::Param,
    connection::{Connection, Connector, Stopped, in_server},
    copy::{self, copy},
    failure::{MOVED, store_error},
    feed::horizon,
};
use crate::{
    OpenError, StoreError,
    exec::{self, Inputs, Row},
    moving::{Changed, EachValues, Side},
    sql::{Cell, Decode, Dialect, MovedTable, Sql, plain},
};

mod words;

use words::{BORDER, FOREIGN_KEYS, GONE, INDEXES, SEALS, TABLES, WRITTEN};

/// The lock of the session that fills a database.
const HELD: &str = "hashtextextended('mainstay move ' || current_schema(), 0)";
/// How long that is waited for, in milliseconds.
const HOLD_MS: u64 = 10_000;
/// How long a table is waited for, in milliseconds: whoever writes to it queues up behind.
const LOCK_MS: u64 = 500;
/// What is left to the others before it is tried again.
const LOCK_PAUSE: Duration = Duration::from_millis(200);

/// A connection to the server.
pub(crate) struct MovingSide {
    /// Dropped before its runtime.
    connection: Connection,
    runtime: Runtime,
    /// How long the server waits for the next word while writers are paused, in milliseconds.
    idle_ms: u64,
}

fn failed(error: tokio_postgres::Error) -> StoreError {
    store_error(&error, 0)
}

/// Copies rows into a table.
async fn fill(client: &Client, table: &MovedTable, rows: &[Value]) -> Result<(), Stopped> {
    let (name, list) = (PostgresDialect.quote(&table.name), table.list(&PostgresDialect));
    let known = client.prepare(&format!("SELECT {list} FROM {name}")).await?;
    let types: Vec<Type> = known.columns().iter().map(|column| column.type_().clone()).collect();
    let sink = client.copy_in(&format!("COPY {name} ({list}) {}", copy::FROM)).await?;
    copy(sink, &types, rows.chunks(types.len().max(1)).map(|row| row.iter().map(Param::Value))).await
}

impl MovingSide {
    /// Makes it.
    pub(super) fn open(connector: &Arc<Connector>) -> Result<MovingSide, OpenError> {
        let refused = |message: String| OpenError { message };
        if connector.is_pooled_outside() {
            let why = "a move needs a connection of its own: name the server behind pgbouncer, and set database.pgbouncer to \"none\"";
            return Err(refused(why.to_owned()));
        }
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| refused(format!("a runtime cannot be made: {error}")))?;
        let connection = runtime.block_on(connector.connect());
        let connection = connection.map_err(|error| refused(failed(error).to_string()))?;
        let idle_ms = in_server(connector.settings().postgres.idle_in_transaction_ms_max.max(1));
        let mut side = MovingSide { connection, runtime, idle_ms };
        // One side waits for the other for as long as that takes.
        let patient = side.batch("SET idle_in_transaction_session_timeout = 0");
        patient.map_err(|error| refused(error.to_string()))?;
        Ok(side)
    }

    /// Texts of the first column of a statement about some tables.
    fn texts(&mut self, sql: &str, tables: &[&MovedTable]) -> Result<Vec<String>, StoreError> {
        let names: Vec<Value> = tables.iter().map(|table| Value::text(&*table.name)).collect();
        let mut texts = Vec::new();
        let (values, count) = match tables.is_empty() {
            true => (Vec::new(), 0),
            false => (vec![Value::List(names.into())], 1),
        };
        self.rows(&plain(sql.to_owned(), count), &values, &[Decode::Text], &mut |row| {
            texts.extend(row.into_iter().filter_map(|value| match value {
                Value::Text(text) => Some(text.to_string()),
                _ => None,
            }));
        })?;
        Ok(texts)
    }
}

impl Side for MovingSide {
    fn dialect(&self) -> &'static dyn Dialect {
        &PostgresDialect
    }

    fn rows(
        &mut self,
        sql: &Sql,
        values: &[Value],
        decodes: &[Decode],
        each: &mut EachValues<'_>,
    ) -> Result<(), StoreError> {
        let mut take = |row: &tokio_postgres::Row| {
            let value = |(column, decode): (usize, &Decode)| row.value(Cell { column, decode: *decode });
            each(decodes.iter().enumerate().map(value).collect::<Result<_, exec::Failure>>()?);
            Ok(true)
        };
        let inputs = Inputs::of(values);
        let outcome = self.runtime.block_on(self.connection.rows(sql, &inputs, &mut take));
        outcome.map_err(|stopped| stopped.into_store_error(0))
    }

    fn execute(&mut self, sql: &Sql, values: &[Value]) -> Result<(), StoreError> {
        self.rows(sql, values, &[], &mut |_| {})
    }

    fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.runtime.block_on(self.connection.client().batch_execute(sql)).map_err(failed)
    }

    fn fill(&mut self, table: &MovedTable, rows: &[Value]) -> Result<(), StoreError> {
        let filled = self.runtime.block_on(fill(self.connection.client(), table, rows));
        filled.map_err(|stopped| stopped.into_store_error(0))
    }

    fn hold(&mut self) -> Result<bool, StoreError> {
        // One that was killed holds it until its server finds out.
        let sql = format!("SET lock_timeout = {HOLD_MS}; SELECT pg_advisory_lock({HELD}); SET lock_timeout = 0");
        match self.runtime.block_on(self.connection.client().batch_execute(&sql)) {
            Ok(()) => Ok(true),
            Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    fn begin_snapshot(&mut self) -> Result<(), StoreError> {
        self.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1")
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.batch("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET CONSTRAINTS ALL DEFERRED")
    }

    fn begin_pause(&mut self, tables: &[&MovedTable], wait: Duration) -> Result<Option<Instant>, StoreError> {
        let names: Vec<String> = tables.iter().map(|table| PostgresDialect.quote(&table.name)).collect();
        let sql = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL idle_in_transaction_session_timeout = {}; SET LOCAL \
             lock_timeout = {LOCK_MS}; LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE; SET LOCAL lock_timeout = 0",
            self.idle_ms,
            names.join(", ")
        );
        let end = Instant::now() + wait;
        loop {
            // Whoever writes waits from here on.
            let began = Instant::now();
            let Err(error) = self.runtime.block_on(self.connection.client().batch_execute(&sql)) else {
                return Ok(Some(began));
            };
            let is_busy = [&SqlState::LOCK_NOT_AVAILABLE, &SqlState::T_R_DEADLOCK_DETECTED];
            let is_busy = error.code().is_some_and(|code| is_busy.contains(&code));
            self.roll_back()?;
            if !is_busy {
                return Err(failed(error));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            thread::sleep(LOCK_PAUSE);
        }
    }

    fn tables(&mut self) -> Result<Vec<String>, StoreError> {
        self.texts(TABLES, &[])
    }

    /// The oldest transaction of this database that runs: all before it have ended. One of another database would hold it below what
    /// is gone from the feed.
    fn position(&mut self) -> Result<Position, StoreError> {
        let sql = plain(format!("SELECT h.xmin::text::bigint FROM {}", horizon("'0'")), 0);
        match (self as &mut dyn Side).all(&sql, &[], &[Decode::Int])?.first() {
            Some(Value::Int(xid)) => Ok(Position { xid: xid.unsigned_abs(), seq: 0 }),
            _ => Err(StoreError::Engine("the database tells no transaction".to_owned())),
        }
    }

    fn touched(&mut self, after: Position, limit: u64) -> Result<Changed, StoreError> {
        let last = self.position()?;
        let this: &mut dyn Side = self;
        let xid = Value::text(after.xid.to_string());
        let gone = plain(format!("{GONE} LIMIT 1"), 1);
        if !this.all(&gone, std::slice::from_ref(&xid), &[Decode::Int])?.is_empty() {
            return Err(StoreError::ChangesGone);
        }
        // Whole transactions, those at the end not counted.
        let mut end = last;
        let border = plain(format!("{BORDER} OFFSET {limit} LIMIT 1"), 1);
        let border = this.all(&border, std::slice::from_ref(&xid), &[Decode::Int])?;
        if let Some(Value::Int(border)) = border.first() {
            end.xid = end.xid.min(border.unsigned_abs().max(after.xid + 1));
        }
        let is_more = end < last;
        let up_to = if is_more { Value::text(end.xid.to_string()) } else { Value::Null };
        let mut records = Vec::new();
        this.rows(&plain(WRITTEN.to_owned(), 2), &[xid, up_to], &[Decode::Text, Decode::Text], &mut |row| {
            if let [Value::Text(collection), Value::Text(record)] = &row[..] {
                records.push((collection.to_string(), record.to_string()));
            }
        })?;
        Ok(Changed { records, end, is_more })
    }

    fn counter(&mut self, table: &MovedTable) -> Result<Option<i64>, StoreError> {
        let Some((key, _)) = table.columns.first().filter(|_| table.counted) else { return Ok(None) };
        let sql = "SELECT pg_sequence_last_value(pg_get_serial_sequence(quote_ident($1), $2)::regclass)";
        let values = [Value::text(&*table.name), Value::text(&**key)];
        let mut last = None;
        self.rows(&plain(sql.to_owned(), 2), &values, &[Decode::Int], &mut |row| {
            if let [Value::Int(known)] = &row[..] {
                last = Some(*known);
            }
        })?;
        Ok(last)
    }

    fn count_on(&mut self, table: &MovedTable, last: i64) -> Result<(), StoreError> {
        let Some((key, _)) = table.columns.first().filter(|_| table.counted) else { return Ok(()) };
        let sql = "SELECT setval(pg_get_serial_sequence(quote_ident($1), $2), $3::bigint) WHERE $3::bigint > 0";
        self.execute(&plain(sql.to_owned(), 3), &[Value::text(&*table.name), Value::text(&**key), Value::Int(last)])
    }

    fn loosen(&mut self, tables: &[&MovedTable]) -> Result<Vec<String>, StoreError> {
        let mut made = Vec::new();
        for sql in [INDEXES, FOREIGN_KEYS] {
            let pairs = self.texts(sql, tables)?;
            for pair in pairs.chunks(2) {
                let [make, drop] = pair else { continue };
                self.batch(drop)?;
                made.push(make.clone());
            }
        }
        Ok(made)
    }

    fn settle(&mut self, tables: &[&MovedTable]) -> Result<(), StoreError> {
        let names: Vec<String> = tables.iter().map(|table| PostgresDialect.quote(&table.name)).collect();
        self.batch(&format!("ANALYZE {}", names.join(", ")))
    }

    fn tighten(&mut self, tables: &[&MovedTable]) -> Result<(), StoreError> {
        for sql in self.texts(words::DEFERRABLE, tables)? {
            self.batch(&sql)?;
        }
        Ok(())
    }

    /// Whatever stands before this transaction is gone.
    fn begin_feed(&mut self, collections: &[&str]) -> Result<(), StoreError> {
        self.batch("DELETE FROM mainstay_changes; DELETE FROM mainstay_changes_gone")?;
        let sql = format!(
            "INSERT INTO mainstay_changes_gone (collection, xid, seq) VALUES ($1, pg_current_xact_id()::text::bigint, {})",
            i64::MAX
        );
        collections.iter().try_for_each(|path| self.execute(&plain(sql.clone(), 1), &[Value::text(*path)]))
    }

    fn seal(&mut self, tables: &[&MovedTable]) -> Result<(), StoreError> {
        let refuse = format!("BEGIN RAISE EXCEPTION '{MOVED}'; END");
        self.batch(&format!(
            "CREATE OR REPLACE FUNCTION mainstay_moved() RETURNS trigger LANGUAGE plpgsql AS $mainstay${refuse}$mainstay$"
        ))?;
        for table in tables {
            // What is too old may still be taken out of the server's own.
            let is_own = table.name.starts_with("mainstay_");
            let events = if is_own { "INSERT" } else { "INSERT OR UPDATE OR DELETE OR TRUNCATE" };
            let table = PostgresDialect.quote(&table.name);
            self.batch(&format!(
                "CREATE TRIGGER mainstay_moved BEFORE {events} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION mainstay_moved()"
            ))?;
        }
        Ok(())
    }

    fn unseal(&mut self) -> Result<(), StoreError> {
        for sql in self.texts(SEALS, &[])? {
            self.batch(&sql)?;
        }
        self.batch("DROP FUNCTION IF EXISTS mainstay_moved()")
    }
}
