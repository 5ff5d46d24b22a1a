//! The parts of the engine, and the order in which they begin and end.
use std::{
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use mainstay_expr::Value;
use mainstay_schema::{Migration, Schema, Snapshot};
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, mpsc},
    time::timeout,
};
use tokio_postgres::{
    Row as DatabaseRow,
    types::{ToSql, Type},
};

use super::{
    PostgresDialect,
    address::Address,
    connection::{Connection, Connector, Mode, Stopped},
    failure::store_error,
    feed::{FeedReads, Known},
    line::Take,
    migrate::{self, Patience},
    moving::MovingSide,
    nodes::{self, Nodes},
    own::Own,
    page,
    pool::{Held, Pool, closed},
    rehearse, start, stream,
    trim::{self, Trim},
    wake::{self, Wake},
    writes::{self, Lanes},
};
use crate::{
    Batch, Drift, Kept, MigrateError, Offence, Once, OpenError, Page, Rehearsed, Settings, StepError, StoreError,
    Write, WriteError, Written,
    exec::{self, Done, Inputs, Row, Work},
    read::ReadStatement,
    slow::Aside,
    sql::{self, FeedSql, OnceSql, Sql},
};

/// Connections of the engine's own thread: for migrations, notes, explanations.
const OWN_CONNECTIONS: usize = 4;
/// Connections beside those of requests: the engine's own, the one of the signs of life, the one that hears of changes.
pub(super) const CONNECTIONS_BESIDE: usize = OWN_CONNECTIONS + 2;

/// An open database.
pub(crate) struct Engine {
    pub(super) inner: Arc<Inner>,
    pub(super) own: Own,
}

/// What requests share.
pub(super) struct Inner {
    pub(super) settings: Settings,
    /// Makes connections whose statements take as long as they take.
    pub(super) connector: Arc<Connector>,
    /// The connections of requests, on the runtime of whoever asks.
    pub(super) pool: Pool,
    /// The connections of the engine's own thread.
    pub(super) own_pool: Pool,
    pub(super) once: OnceSql,
    /// Writes that were kept for their key.
    pub(super) kept: AtomicUsize,
    pub(super) lanes: Lanes,
    pub(super) nodes: Nodes,
    pub(super) feed: FeedSql,
    pub(super) feed_reads: FeedReads,
    pub(super) known: Known,
    pub(super) wake: Wake,
    pub(super) trim: Trim,
    pub(super) aside: Aside,
    /// Told when the store closes: reads end then.
    pub(super) closing: Notify,
    /// What the last write did that was tried.
    pub(super) rehearsed: Mutex<Option<Rehearsed>>,
}

impl Engine {
    /// Opens the database at an address. Blocks until the server has answered.
    pub(crate) fn open(settings: &Settings, url: &str) -> Result<Engine, OpenError> {
        let address = Address::read(url, settings)?;
        let connector = |ms: u64| Connector::new(address.clone(), settings, ms).map(Arc::new);
        let own_connector = connector(0)?;
        let own =
            Own::start().map_err(|error| OpenError { message: format!("a thread cannot be started: {error}") })?;
        let inner = Arc::new(Inner {
            settings: settings.clone(),
            pool: Pool::new(connector(settings.statement_ms_max.max(1))?, settings.postgres.connections),
            own_pool: Pool::new(own_connector.clone(), OWN_CONNECTIONS),
            connector: own_connector,
            once: OnceSql::new(&PostgresDialect),
            kept: AtomicUsize::new(0),
            lanes: Lanes::default(),
            nodes: Nodes::default(),
            feed: FeedSql::new(&PostgresDialect),
            feed_reads: FeedReads::new(),
            known: Known::default(),
            wake: Wake::new(),
            trim: Trim::new(settings.feed.clone()),
            aside: Aside::default(),
            closing: Notify::new(),
            rehearsed: Mutex::default(),
        });
        let engine = Engine { inner: inner.clone(), own };
        let started = engine.own.run(async move || start::start(&inner).await);
        started.map_err(|error| OpenError { message: error.to_string() })??;
        engine.inner.pool.tell();
        engine.inner.own_pool.tell();
        engine.start_chores().map_err(|error| OpenError { message: error.to_string() })?;
        Ok(engine)
    }

    /// What goes on beside requests.
    fn start_chores(&self) -> Result<(), StoreError> {
        let settings = &self.inner.settings;
        if settings.read_only || settings.rehearse {
            return Ok(());
        }
        let inner = self.inner.clone();
        self.own.spawn(async move || trim::run(&inner).await)?;
        let inner = self.inner.clone();
        self.own.spawn(async move || nodes::trim(&inner).await)?;
        let inner = self.inner.clone();
        self.own.spawn(async move || wake::announce(&inner).await)
    }

    pub(crate) async fn read(
        &self,
        statement: &Arc<ReadStatement>,
        values: Vec<Value>,
        into: Vec<u8>,
    ) -> Result<Page, StoreError> {
        let begins: Box<[u8]> = into.as_slice().into();
        let mut first = Some(into);
        let once = || {
            let into = first.take().unwrap_or_else(|| begins.to_vec());
            self.inner.read_once(statement, &values, into)
        };
        self.inner.again(once).await
    }

    pub(crate) fn stream(
        &self,
        reads: Vec<(Arc<ReadStatement>, Vec<Value>)>,
    ) -> Result<mpsc::Receiver<Result<Batch, StoreError>>, StoreError> {
        let (sender, receiver) = mpsc::channel(stream::BATCHES_WAITING_MAX);
        let inner = self.inner.clone();
        self.own.spawn(async move || stream::run(&inner, &reads, &sender).await)?;
        Ok(receiver)
    }

    pub(crate) async fn write(&self, write: Write) -> Result<Vec<Written>, WriteError> {
        if self.inner.settings.rehearse {
            return rehearse::run(&self.inner, &write.steps).await;
        }
        self.work(Work::of(write, None)).await.map(|done| done.written)
    }

    pub(crate) async fn write_once(&self, write: Write, once: Arc<Once>) -> Result<Kept, WriteError> {
        let done = self.work(Work::of(write, Some(once.clone()))).await?;
        let nothing = || StoreError::Engine("a write that is done once kept no answer".to_owned());
        let kept = done.kept.ok_or_else(nothing)?;
        if !kept.replayed {
            self.kept_one(&once);
        }
        Ok(kept)
    }

    async fn work(&self, work: Work) -> Result<Done, WriteError> {
        if self.inner.settings.read_only {
            return Err(closed().into());
        }
        writes::run(&self.inner, &work).await
    }

    pub(crate) async fn kept(&self, once: &Once) -> Result<Option<Kept>, StepError> {
        let found = self.inner.again(|| self.inner.kept_once(once)).await?;
        exec::once::recalled(once, found)
    }

    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        self.inner.again(|| self.inner.ping_once()).await
    }

    pub(crate) fn prepare_notes(&self) -> Result<(), StoreError> {
        let (tables, patience) = (sql::note_tables(&PostgresDialect), self.patience());
        self.with_own(async move |connection: &mut Connection| {
            migrate::make_own(connection.client_mut(), &tables, patience).await
        })
    }

    pub(crate) fn noted_sources(&self) -> Result<Vec<(String, String)>, StoreError> {
        let sql = sql::noted_sources();
        self.with_own(async move |connection: &mut Connection| {
            let rows = connection.client().query_typed(&sql, &[]).await;
            let pair = |row: &DatabaseRow| Ok((row.try_get(0)?, row.try_get(1)?));
            let pairs = rows.and_then(|rows| rows.iter().map(pair).collect());
            pairs.map_err(|error| store_error(&error, 0))
        })
    }

    pub(crate) fn noted_waiting(
        &self,
        source: &str,
        from: i64,
        backward: bool,
        limit: usize,
    ) -> Result<Vec<(i64, String)>, StoreError> {
        let (sql, source) = (sql::noted_waiting(&PostgresDialect, backward), source.to_owned());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.with_own(async move |connection: &mut Connection| {
            let values: [(&(dyn ToSql + Sync), Type); 3] =
                [(&source, Type::TEXT), (&from, Type::INT8), (&limit, Type::INT8)];
            let rows = connection.client().query_typed(&sql, &values).await;
            let rows = rows.map_err(|error| store_error(&error, 0))?;
            let pair = |row: &DatabaseRow| {
                let number = row.int(0).map_err(exec::store_error)?.unwrap_or_default();
                Ok((number, row.try_get(1).map_err(|error| store_error(&error, 0))?))
            };
            rows.iter().map(pair).collect()
        })
    }

    /// Works on a connection of the engine's own, outside of any transaction; blocks until it is done.
    pub(super) fn with_own<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: AsyncFnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let inner = self.inner.clone();
        self.own.run(async move || {
            let mut held = inner.take_own().await?;
            work(held.connection()?).await
        })?
    }

    /// The same for as long as a statement may take.
    pub(super) fn with_time<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: AsyncFnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let inner = self.inner.clone();
        self.own.run(async move || inner.in_own_time(work).await)?
    }

    pub(crate) fn snapshot(&self) -> Result<Option<Snapshot>, StoreError> {
        self.with_own(async move |connection: &mut Connection| migrate::snapshot(connection.client()).await)
    }

    pub(crate) async fn snapshot_in_time(&self) -> Result<Option<Snapshot>, StoreError> {
        self.on_own(async |inner: &Inner| {
            inner.in_own_time(async |connection: &mut Connection| migrate::snapshot(connection.client()).await).await
        })
        .await
    }

    pub(crate) fn render(&self, migration: &Migration, schema: &Arc<Schema>) -> Result<Vec<String>, StoreError> {
        let (migration, schema) = (migration.clone(), schema.clone());
        self.with_own(async move |connection: &mut Connection| {
            migrate::render(connection.client(), &migration, &schema).await
        })
    }

    pub(crate) fn look(&self, migration: &Migration, schema: &Arc<Schema>) -> Result<Vec<Offence>, StoreError> {
        let (migration, schema, patience) = (migration.clone(), schema.clone(), self.patience());
        self.with_own(async move |connection: &mut Connection| {
            migrate::look(connection.client_mut(), &migration, &schema, patience).await
        })
    }

    /// What was changed by hand; the hash of the tables as they are.
    pub(crate) fn drift(&self, remembered: &Snapshot) -> Result<(Vec<Drift>, String), StoreError> {
        let (remembered, patience) = (remembered.clone(), self.patience());
        self.with_own(async move |connection: &mut Connection| {
            migrate::drift(connection.client_mut(), &remembered, patience).await
        })
    }

    pub(crate) fn migrate(&self, migration: &Migration, schema: &Arc<Schema>) -> Result<(), MigrateError> {
        let (migration, schema, patience) = (migration.clone(), schema.clone(), self.patience());
        self.with_own(async move |connection: &mut Connection| {
            Ok(migrate::apply(connection.client_mut(), &migration, &schema, patience).await)
        })?
    }

    fn patience(&self) -> Patience {
        let settings = &self.inner.settings.postgres;
        Patience {
            lock_ms: settings.migrate_lock_ms,
            wait_ms_max: settings.migrate_wait_ms_max,
            keeps_session: !self.inner.is_pooled_outside(),
            idle_ms: settings.idle_in_transaction_ms_max,
        }
    }

    /// A connection for a move.
    pub(crate) fn side(&self) -> Result<MovingSide, OpenError> {
        MovingSide::open(&self.inner.connector)
    }

    pub(crate) fn rehearses(&self) -> bool {
        self.inner.settings.rehearse
    }

    pub(crate) fn rehearsed(&self) -> Option<Rehearsed> {
        self.inner.rehearsed.lock().take()
    }

    /// Lets go of the connections; what runs is cancelled.
    pub(crate) fn close(&self) {
        self.inner.pool.close();
        self.inner.closing.notify_waiters();
        // Whoever waits for changes finds that there will be none.
        self.inner.wake.everybody();
        self.inner.own_pool.close();
        self.own.close();
    }
}

/// Whether the connection may have ended while nobody looked, or the tables have changed since its statement was prepared.
fn is_worth_another(stopped: &Stopped) -> bool {
    stopped.is_lost() || stopped.is_conflict()
}

impl Inner {
    /// A read that came to nothing.
    pub(super) fn failed(&self, stopped: Stopped) -> StoreError {
        stopped.into_store_error(self.settings.statement_ms_max)
    }

    /// Reads, and once more for each idle connection, which may have ended while nobody looked: a read does no harm twice.
    pub(super) async fn again<T, Once>(&self, mut once: impl FnMut() -> Once) -> Result<T, StoreError>
    where
        Once: Future<Output = Result<T, Stopped>>,
    {
        for _ in 0..self.settings.postgres.connections {
            match self.in_time(once()).await {
                Err(stopped) if is_worth_another(&stopped) => {}
                outcome => return outcome.map_err(|stopped| self.failed(stopped)),
            }
        }
        self.in_time(once()).await.map_err(|stopped| self.failed(stopped))
    }

    /// Reads within the time of a statement, and no longer than the store is open.
    async fn in_time<T>(&self, read: impl Future<Output = Result<T, Stopped>>) -> Result<T, Stopped> {
        let limit_ms = self.settings.statement_ms_max;
        let outcome = tokio::select! {
            biased;
            outcome = timeout(Duration::from_millis(limit_ms), read) => outcome,
            () = self.closing.notified() => return Err(Stopped::Taker(closed().into())),
        };
        outcome.unwrap_or_else(|_| Err(Stopped::Taker(StoreError::TimedOut { limit_ms }.into())))
    }

    async fn read_once(&self, of: &ReadStatement, values: &[Value], mut into: Vec<u8>) -> Result<Page, Stopped> {
        let mut held = self.pool.take(Mode::Read).await.map_err(|error| Stopped::Taker(error.into()))?;
        let connection = held.connection().map_err(|error| Stopped::Taker(error.into()))?;
        page::read(connection, &of.sql, &Inputs::of(values), &mut into, (self.limits().1, false)).await
    }

    async fn kept_once(&self, once: &Once) -> Result<Option<(Value, Value)>, Stopped> {
        let mut found = None;
        let mut take = |row: &DatabaseRow| {
            found = Some(exec::once::kept(row)?);
            Ok(false)
        };
        self.rows(&self.once.recall, &once.values(), &mut take).await?;
        Ok(found)
    }

    async fn ping_once(&self) -> Result<(), Stopped> {
        let sql = Sql { text: "SELECT 1".to_owned(), binds: Vec::new() };
        self.rows(&sql, &[], &mut |_| Ok(false)).await
    }

    /// Reads the rows of a statement that is none of a plan's.
    async fn rows(&self, sql: &Sql, values: &[Value], each: &mut Take<'_>) -> Result<(), Stopped> {
        let mut held = self.pool.take(Mode::Read).await.map_err(|error| Stopped::Taker(error.into()))?;
        let connection = held.connection().map_err(|error| Stopped::Taker(error.into()))?;
        connection.rows(sql, &Inputs::of(values), each).await
    }

    /// A connection of the engine's own thread; to be asked for there.
    pub(super) async fn take_own(&self) -> Result<Held, StoreError> {
        self.own_pool.take_any(Mode::Read).await
    }

    /// Works on such a connection for as long as a statement may take.
    pub(super) async fn in_own_time<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        W: AsyncFnOnce(&mut Connection) -> Result<T, StoreError>,
    {
        let limit_ms = self.settings.statement_ms_max;
        let mut held = self.take_own().await?;
        let connection = held.connection()?;
        let outcome = timeout(Duration::from_millis(limit_ms), work(connection)).await;
        outcome.unwrap_or_else(|_| {
            connection.abandon();
            Err(StoreError::TimedOut { limit_ms })
        })
    }

    /// Milliseconds of a request, and bytes of an answer.
    pub(super) fn limits(&self) -> (u64, usize) {
        let bytes_max = usize::try_from(self.settings.answer_bytes_max).unwrap_or(usize::MAX);
        (self.settings.statement_ms_max, bytes_max)
    }

    pub(super) fn is_pooled_outside(&self) -> bool {
        self.connector.is_pooled_outside()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}
