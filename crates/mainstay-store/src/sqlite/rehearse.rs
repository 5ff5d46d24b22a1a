//! Writes that are tried: carried out in a transaction that is rolled back, on a connection of its own beside whoever else has
//! the database open. Others that write wait for as long as it takes, which is bounded as a write is.
use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use rusqlite::{OpenFlags, config::DbConfig, hooks::Action};

use super::{
    advise,
    connection::{Watched, open_with},
    failure::store_error,
    now, page,
    poll::at_once,
    session::{Guard, TimeLimits, WriteSession},
};
use crate::{
    Rehearsed, Settings, Step, StoreError, Touched, WriteError, Written,
    exec::{self, Feed, Noting, Setting},
    sql::Sql,
};

/// Rows that were touched, by table.
type Counts = Arc<Mutex<BTreeMap<String, Touched>>>;

/// Where writes are tried.
pub(super) struct Rehearsal {
    settings: Settings,
    last: Mutex<Option<Rehearsed>>,
}

impl Rehearsal {
    pub(super) fn new(settings: &Settings) -> Rehearsal {
        Rehearsal { settings: settings.clone(), last: Mutex::default() }
    }

    /// What the last write did; once.
    pub(super) fn take(&self) -> Option<Rehearsed> {
        self.last.lock().take()
    }

    /// Carries the steps out and takes everything back.
    pub(super) fn run(&self, steps: &[Step]) -> Result<Vec<Written>, WriteError> {
        let failed = |error: StoreError| WriteError { step: 0, error: error.into() };
        let engine = |error: rusqlite::Error| failed(store_error(error, self.settings.statement_ms_max));
        let mut watched = self.open().map_err(engine)?;
        let counts = Counts::default();
        follow(&mut watched, &counts).map_err(engine)?;
        watched.deadline.set(Duration::from_millis(self.settings.statement_ms_max));
        page::command(&watched.connection, "BEGIN IMMEDIATE", self.settings.statement_ms_max).map_err(failed)?;
        let (outcome, ran) = self.steps(&watched, steps);
        watched.deadline.set(Duration::from_millis(self.settings.statement_ms_max));
        if !watched.connection.is_autocommit() {
            watched.connection.execute_batch("ROLLBACK").map_err(engine)?;
        }
        let schema = steps.iter().find_map(Step::statement).map(|statement| statement.schema());
        let explain = |sql: &Sql| schema.and_then(|schema| advise::statement(&watched.connection, schema, sql).ok());
        let statements = ran.iter().filter_map(explain).collect();
        let touched = counts.lock().values().cloned().collect();
        *self.last.lock() = Some(Rehearsed { statements, touched });
        outcome
    }

    fn steps(&self, watched: &Watched, steps: &[Step]) -> (Result<Vec<Written>, WriteError>, Vec<Sql>) {
        let limits =
            TimeLimits { all_ms: self.settings.statement_ms_max, answer_ms: self.settings.sqlite.answer_ms_max };
        // A guard of its own would end the transaction where a step ends.
        let session = WriteSession::new(watched, Guard::Savepoint, limits);
        let mut session = Noting::new(session);
        let feed = Feed::none();
        let setting = Setting { now: now(), cascade_max: self.settings.cascade_max, feed: &feed };
        let outcome = at_once(exec::carry_out_steps(&mut session, steps, setting));
        (outcome, session.ran)
    }

    /// A connection that may write and leaves the file alone: what it wrote stays in memory until it is taken back, and its end
    /// moves nothing of the log.
    fn open(&self) -> rusqlite::Result<Watched> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let watched = open_with(&self.settings, flags, self.settings.sqlite.cache_kib, Arc::default())?;
        watched.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        watched.connection.pragma_update(None, "cache_spill", false)?;
        watched.connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        Ok(watched)
    }
}

/// Counts the rows that are touched.
fn follow(watched: &mut Watched, counts: &Counts) -> rusqlite::Result<()> {
    let counts = counts.clone();
    watched.connection.update_hook(Some(move |action: Action, _: &str, table: &str, _: i64| {
        let mut counts = counts.lock();
        let of =
            counts.entry(table.to_owned()).or_insert_with(|| Touched { table: table.to_owned(), ..Touched::default() });
        match action {
            Action::SQLITE_INSERT => of.created += 1,
            Action::SQLITE_UPDATE => of.changed += 1,
            Action::SQLITE_DELETE => of.deleted += 1,
            _ => {}
        }
    }))
}
