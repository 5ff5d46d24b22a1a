//! The parts of the embedded engine, and the order in which they begin and end.
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use mainstay_expr::Value;
use mainstay_plan::Position;
use mainstay_schema::{Migration, Schema, Snapshot};
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::{
    advise,
    checkpoint::Checkpointer,
    connection::{check_readable, look, open_writer, sync_as_set},
    drift,
    failure::store_error,
    feed,
    lock::Lock,
    migrate,
    moving::MovingSide,
    nodes,
    poll::at_once,
    readers::{Readers, closed},
    rehearse::Rehearsal,
    session::{Guard, TimeLimits, WriteSession},
    trim::{Trim, Trimmer},
    writer::{Job, Writer},
};
use crate::{
    Batch, Beat, ChangesAsked, ChangesPage, Drift, Explained, Kept, Measured, MigrateError, NodeSeen, Offence, Once,
    OpenError, Page, Pulse, Rehearsed, Retention, Settings, SqliteDialect, StatementExplained, StepError, StoreError,
    Write, WriteError, WriteStatement, Written,
    exec::{self, Done, Work},
    read::ReadStatement,
    slow::Aside,
    sql::{self, OnceSql},
};

/// An open database.
pub(crate) struct Engine {
    closing: Arc<AtomicBool>,
    readers: Readers,
    writer: Writer,
    once: OnceSql,
    trim: Arc<Trim>,
    /// Counts groups of writes.
    committed: watch::Sender<u64>,
    settings: Settings,
    /// Where writes are tried and rolled back: there is no writer then.
    rehearsal: Option<Rehearsal>,
    aside: Aside,
    /// Held until everything else has ended.
    held: Mutex<Option<(Checkpointer, Trimmer, Lock)>>,
}

impl Engine {
    pub(crate) fn open(settings: &Settings) -> Result<Engine, OpenError> {
        if settings.read_only || settings.rehearse {
            return Engine::open_reading(settings);
        }
        if let Some(folder) = settings.file().parent() {
            std::fs::create_dir_all(folder).map_err(|error| OpenError {
                message: format!("the folder \"{}\" cannot be made: {error}", folder.display()),
            })?;
        }
        let lock = Lock::take(settings.file())?;
        let closing = Arc::new(AtomicBool::new(false));
        // What waits for the writer is written before it ends, so closing does not interrupt it.
        let mut watched = open_writer(settings, Arc::default())?;
        let checkpointer = Checkpointer::start(settings).map_err(|message| OpenError { message })?;
        let log = checkpointer.log().clone();
        let snapshots = log.snapshots().clone();
        log.follow(&mut watched.connection).map_err(|error| OpenError { message: error.to_string() })?;
        let thread = |error: std::io::Error| OpenError { message: format!("a thread cannot be started: {error}") };
        let committed = watch::Sender::new(0);
        let writer = Writer::start(settings, watched, log, committed.clone()).map_err(thread)?;
        let trim = Arc::new(Trim::new(settings.feed.clone()));
        let jobs = writer.jobs().ok_or_else(|| OpenError { message: "the writer has ended".to_owned() })?;
        let trimmer = Trimmer::start(trim.clone(), jobs).map_err(thread)?;
        let readers = Readers::start(settings, closing.clone(), Some(snapshots)).map_err(thread)?;
        Ok(Engine {
            closing,
            readers,
            writer,
            once: OnceSql::new(&SqliteDialect),
            trim,
            committed,
            settings: settings.clone(),
            rehearsal: None,
            aside: Aside::default(),
            held: Mutex::new(Some((checkpointer, trimmer, lock))),
        })
    }

    /// Only reads, also while another process holds the lock: nothing is made, and there is no writer.
    fn open_reading(settings: &Settings) -> Result<Engine, OpenError> {
        check_readable(settings)?;
        let closing = Arc::new(AtomicBool::new(false));
        let readers = Readers::start(settings, closing.clone(), None)
            .map_err(|error| OpenError { message: format!("a thread cannot be started: {error}") })?;
        Ok(Engine {
            closing,
            readers,
            writer: Writer::none(),
            once: OnceSql::new(&SqliteDialect),
            trim: Arc::new(Trim::new(settings.feed.clone())),
            committed: watch::Sender::new(0),
            settings: settings.clone(),
            rehearsal: settings.rehearse.then(|| Rehearsal::new(settings)),
            aside: Aside::default(),
            held: Mutex::new(None),
        })
    }

    pub(crate) async fn read(
        &self,
        statement: &Arc<ReadStatement>,
        values: Vec<Value>,
        into: Vec<u8>,
    ) -> Result<Page, StoreError> {
        self.readers.read(statement, values, into).await
    }

    pub(crate) fn stream(
        &self,
        reads: Vec<(Arc<ReadStatement>, Vec<Value>)>,
    ) -> Result<tokio::sync::mpsc::Receiver<Result<Batch, StoreError>>, StoreError> {
        self.readers.stream(reads)
    }

    pub(crate) fn prepare_notes(&self) -> Result<(), StoreError> {
        let tables = sql::note_tables(&SqliteDialect);
        self.on_writer(move |connection| connection.execute_batch(&tables))?.map_err(|error| store_error(error, 0))
    }

    pub(crate) fn sync_commits(&self) -> Result<(), StoreError> {
        let mut settings = self.settings.clone();
        settings.sqlite.commits_synced = true;
        self.on_writer(move |connection| sync_as_set(connection, &settings))?.map_err(|error| store_error(error, 0))
    }

    pub(crate) fn noted_sources(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.readers.with_local(|reader| {
            reader.deadline.clear();
            rows(&reader.connection, &sql::noted_sources(), [], |row| Ok((row.get(0)?, row.get(1)?)))
        })
    }

    pub(crate) fn noted_waiting(
        &self,
        source: &str,
        from: i64,
        backward: bool,
        limit: usize,
    ) -> Result<Vec<(i64, String)>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers.with_local(|reader| {
            reader.deadline.clear();
            let sql = sql::noted_waiting(&SqliteDialect, backward);
            rows(&reader.connection, &sql, rusqlite::params![source, from, limit], |row| Ok((row.get(0)?, row.get(1)?)))
        })
    }

    pub(crate) async fn write(&self, write: Write) -> Result<Vec<Written>, WriteError> {
        match &self.rehearsal {
            Some(rehearsal) => rehearsal.run(&write.steps),
            None => self.work(Work::of(write, None)).await.map(|done| done.written),
        }
    }

    pub(crate) async fn write_once(&self, write: Write, once: Arc<Once>) -> Result<Kept, WriteError> {
        let done = self.work(Work::of(write, Some(once))).await?;
        let nothing = || StoreError::Engine("a write that is done once kept no answer".to_owned());
        done.kept.ok_or_else(|| WriteError { step: 0, error: nothing().into() })
    }

    pub(crate) fn committed(&self) -> watch::Receiver<u64> {
        self.committed.subscribe()
    }

    /// Changes are read on a thread that may wait for the disk.
    pub(crate) async fn changes(self: &Arc<Self>, asked: ChangesAsked) -> Result<ChangesPage, StoreError> {
        let engine = self.clone();
        let limit_ms = self.settings.statement_ms_max;
        let read = move || engine.readers.with_local(|reader| feed::page(reader, &asked, limit_ms));
        tokio::task::spawn_blocking(read).await.unwrap_or_else(|_| Err(closed()))
    }

    pub(crate) fn changes_end(&self) -> Result<Position, StoreError> {
        let seq = self.with_time(feed::end)?;
        Ok(Position { xid: 0, seq })
    }

    pub(crate) fn retain(&self, collections: &[Retention]) {
        self.trim.retain(collections);
    }

    pub(crate) fn trim_changes(&self, now_micros: i64) -> Result<u64, StoreError> {
        let mut all = 0;
        loop {
            let trim = self.trim.clone();
            let some = self.on_writer(move |connection| trim.some(connection, now_micros))?;
            let (taken, more) = some.map_err(|error| store_error(error, 0))?;
            all += taken;
            if !more {
                return Ok(all);
            }
        }
    }

    async fn work(&self, work: Work) -> Result<Done, WriteError> {
        let failed = |error: StoreError| WriteError { step: 0, error: error.into() };
        let (answer, answered) = oneshot::channel();
        self.writer.send(Job::Write { work, answer }).map_err(failed)?;
        answered.await.unwrap_or_else(|_| Err(failed(closed())))
    }

    pub(crate) fn kept(&self, once: &Once) -> Result<Option<Kept>, StepError> {
        self.readers.with_local(|reader| {
            let all_ms = self.settings.statement_ms_max;
            let limits = TimeLimits { all_ms, answer_ms: all_ms };
            let mut session = WriteSession::new(reader, Guard::Alone, limits);
            Ok(at_once(exec::once::recall(&mut session, &self.once, once)))
        })?
    }

    pub(crate) fn snapshot(&self) -> Result<Option<Snapshot>, StoreError> {
        self.readers.with_local(|reader| {
            reader.deadline.clear();
            migrate::snapshot(&reader.connection)
        })
    }

    pub(crate) fn render(migration: &Migration, schema: &Schema) -> Result<Vec<String>, StoreError> {
        migrate::render(migration, schema)
    }

    pub(crate) fn look(&self, migration: &Migration, schema: &Arc<Schema>) -> Result<Vec<Offence>, StoreError> {
        self.readers.with_local(|reader| {
            reader.deadline.clear();
            migrate::look(&reader.connection, migration, schema)
        })
    }

    /// What was changed by hand; the hash of the tables as they are.
    pub(crate) fn drift(&self, remembered: &Snapshot) -> Result<(Vec<Drift>, String), StoreError> {
        self.readers.with_local(|reader| {
            reader.deadline.clear();
            let found = drift::drift(&reader.connection, remembered)?;
            Ok((found, drift::tables_fingerprint(&reader.connection, remembered)?))
        })
    }

    pub(crate) fn migrate(&self, migration: &Migration, schema: &Arc<Schema>) -> Result<(), MigrateError> {
        let (migration, schema) = (migration.clone(), schema.clone());
        self.on_writer(move |connection| migrate::apply(connection, &migration, &schema))?
    }

    /// The key of a name; where there is none yet it becomes this one, unless nothing may be written.
    pub(crate) fn key(&self, name: &str, candidate: &[u8]) -> Result<Vec<u8>, StoreError> {
        let known = self.quick(|connection| nodes::known_key(connection, name))?;
        if let Some(key) = known {
            return Ok(key);
        }
        if self.only_reads() {
            return Ok(candidate.to_vec());
        }
        let (name, candidate) = (name.to_owned(), candidate.to_vec());
        let key = self.on_writer(move |connection| nodes::key(connection, &name, &candidate))?;
        key.map_err(|error| store_error(error, 0))
    }

    /// A sign of life of this node. It writes where there is something new to say.
    pub(crate) async fn beat(&self, beat: &Beat) -> Result<Pulse, StoreError> {
        let (known, keeps_old) = self
            .quick(|connection| Ok((nodes::is_known(connection, beat)?, nodes::keeps_old(connection, beat.kept)?)))?;
        if !known {
            let beat = beat.clone();
            let joined = self.ask_writer(move |connection| nodes::join(connection, &beat)).await?;
            joined.map_err(|error| store_error(error, 0))?;
        }
        if keeps_old {
            let kept = beat.kept;
            let trimmed = self.ask_writer(move |connection| nodes::trim_kept(connection, kept)).await?;
            trimmed.map_err(|error| store_error(error, 0))?;
        }
        Ok(nodes::pulse())
    }

    /// This node goes.
    pub(crate) async fn leave(&self, id: &str) -> Result<(), StoreError> {
        let id = id.to_owned();
        let left = self.ask_writer(move |connection| nodes::leave(connection, &id)).await?;
        left.map_err(|error| store_error(error, 0))
    }

    /// Who is there: nobody, where no process has the database.
    pub(crate) fn nodes(&self) -> Result<Vec<NodeSeen>, StoreError> {
        if self.only_reads() && !Lock::is_held(self.settings.file()) {
            return Ok(Vec::new());
        }
        self.quick(nodes::nodes)
    }

    /// Whether this process does what only one node does: it is the only one that writes.
    pub(crate) fn is_elected(&self) -> bool {
        !self.only_reads()
    }

    fn only_reads(&self) -> bool {
        self.settings.read_only || self.settings.rehearse
    }

    /// Reads a few rows of a table of ours.
    fn quick<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        self.readers.with_local(|reader| {
            reader.deadline.clear();
            work(&reader.connection).map_err(|error| store_error(error, 0))
        })
    }

    /// Does something with the writer's connection, between two groups of writes; waits for it.
    pub(super) fn on_writer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = std::sync::mpsc::sync_channel(1);
        let job = Job::Alone(Box::new(move |connection| {
            let _ = answer.send(work(connection));
        }));
        self.writer.send(job)?;
        answered.recv().map_err(|_| closed())
    }

    /// The same for whoever must not block a thread.
    async fn ask_writer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job = Job::Alone(Box::new(move |connection| {
            let _ = answer.send(work(connection));
        }));
        self.writer.send(job)?;
        answered.await.map_err(|_| closed())
    }

    pub(crate) fn explain(&self, of: &ReadStatement, values: Option<&[Value]>) -> Result<Explained, StoreError> {
        self.with_time(|connection| advise::read(connection, &self.settings, of, values))
    }

    /// Explains a read for any values on a thread of its own, when it is its turn; fails at once where too many wait.
    pub(crate) fn explain_aside(
        self: &Arc<Self>,
        of: &Arc<ReadStatement>,
        then: impl FnOnce(Result<Explained, StoreError>) + Send + 'static,
    ) {
        let of = of.clone();
        self.aside(move |engine| engine.explain(&of, None), then);
    }

    /// Explains the statements of a write in the same way.
    pub(crate) fn explain_write_aside(
        self: &Arc<Self>,
        of: &Arc<WriteStatement>,
        then: impl FnOnce(Result<Vec<StatementExplained>, StoreError>) + Send + 'static,
    ) {
        let of = of.clone();
        let explain = move |connection: &Connection| {
            of.all().into_iter().map(|sql| advise::statement(connection, of.schema(), sql)).collect()
        };
        self.aside(move |engine| engine.with_time(explain), then);
    }

    fn aside<T: 'static>(
        self: &Arc<Self>,
        explain: impl FnOnce(&Engine) -> Result<T, StoreError> + Send + 'static,
        then: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) {
        let Some(place) = self.aside.place() else { return then(Err(StoreError::Overloaded)) };
        // What is told then is told without a plan where no thread can be started.
        let then = Arc::new(Mutex::new(Some(then)));
        let (engine, waiting) = (self.clone(), then.clone());
        let work = move || {
            let turn = engine.aside.turn.blocking_lock();
            let explained = explain(&engine);
            drop((turn, place));
            if let Some(then) = waiting.lock().take() {
                then(explained);
            }
        };
        // No thread of the runtime, which would not end before it does.
        let begun = std::thread::Builder::new().name("mainstay-explain".to_owned()).spawn(work);
        if let Err(error) = begun
            && let Some(then) = then.lock().take()
        {
            then(Err(StoreError::Engine(error.to_string())));
        }
    }

    pub(crate) fn measure(&self, of: &ReadStatement, values: &[Value], times: usize) -> Result<Measured, StoreError> {
        self.with_time(|connection| advise::measure(connection, of, values, times))
    }

    /// A connection for a move.
    pub(crate) fn side(&self) -> Result<MovingSide, OpenError> {
        MovingSide::open(&self.settings)
    }

    pub(crate) fn rehearses(&self) -> bool {
        self.rehearsal.is_some()
    }

    pub(crate) fn rehearsed(&self) -> Option<Rehearsed> {
        self.rehearsal.as_ref()?.take()
    }

    /// Reads on this thread's connection, with the time that a statement may take.
    fn with_time<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let limit_ms = self.settings.statement_ms_max;
        self.readers.with_local(|reader| {
            reader.deadline.set(std::time::Duration::from_millis(limit_ms));
            work(&reader.connection).map_err(|error| store_error(error, limit_ms))
        })
    }

    pub(crate) fn ping(&self) -> Result<(), StoreError> {
        if self.writer.is_broken() {
            return Err(StoreError::Engine("the writer has ended".to_owned()));
        }
        self.readers.with_local(|reader| {
            reader.deadline.clear();
            look(&reader.connection).map_err(|error| store_error(error, 0))
        })
    }

    /// Ends everything, the writer after what waits for it; the last connection copies the log into the database.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.readers.close();
        // Whoever waits for changes finds that there will be none.
        self.committed.send_modify(|groups| *groups = groups.wrapping_add(1));
        let held = self.held.lock().take();
        if let Some((mut checkpointer, mut trimmer, lock)) = held {
            trimmer.close();
            checkpointer.close();
            self.writer.close();
            drop(lock);
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
    each: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let read = || connection.prepare_cached(sql)?.query_map(values, each)?.collect::<Result<Vec<T>, _>>();
    read().map_err(|error| store_error(error, 0))
}
