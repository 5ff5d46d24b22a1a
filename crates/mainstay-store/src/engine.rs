//! The engines that there are: the one place that branches on which of them runs.
use std::sync::Arc;

use mainstay_expr::Value;
use mainstay_plan::Position;
use mainstay_schema::{Migration, Schema, Snapshot};
use tokio::sync::{mpsc, watch};

use crate::{
    Batch, Beat, ChangesAsked, ChangesPage, Drift, Explained, ImportsHeld, Kept, Location, Measured, MigrateError,
    NodeSeen, Offence, Once, OpenError, Page, Place, PostgresDialect, Pulse, Rehearsed, Retention, Settings,
    SqliteDialect, StatementExplained, StepError, StoreError, Write, WriteError, WriteStatement, Written, moving::Side,
    postgres, read::ReadStatement, sql::Dialect, sqlite,
};

/// An open database. What waits on a server is boxed: whoever asks is no larger for it, nor are the types that the compiler has to look
/// through.
pub(crate) enum Engine {
    /// The embedded one.
    Sqlite(Arc<sqlite::Engine>),
    /// A server.
    Postgres(postgres::Engine),
}

impl Engine {
    /// Opens the database that the settings name; with what writes its SQL.
    pub(crate) fn open(settings: &Settings) -> Result<(Engine, &'static dyn Dialect), OpenError> {
        match &settings.at {
            Location::File(_) => Ok((Engine::Sqlite(Arc::new(sqlite::Engine::open(settings)?)), &SqliteDialect)),
            Location::Postgres(url) => Ok((Engine::Postgres(postgres::Engine::open(settings, url)?), &PostgresDialect)),
        }
    }

    /// Where the database is, if that is on a server.
    pub(crate) fn place(settings: &Settings) -> Result<Option<Place>, OpenError> {
        match &settings.at {
            Location::File(_) => Ok(None),
            Location::Postgres(url) => postgres::place(settings, url).map(Some),
        }
    }

    pub(crate) async fn read(
        &self,
        statement: &Arc<ReadStatement>,
        values: Vec<Value>,
        into: Vec<u8>,
    ) -> Result<Page, StoreError> {
        match self {
            Engine::Sqlite(engine) => engine.read(statement, values, into).await,
            Engine::Postgres(engine) => Box::pin(engine.read(statement, values, into)).await,
        }
    }

    pub(crate) fn stream(
        &self,
        reads: Vec<(Arc<ReadStatement>, Vec<Value>)>,
    ) -> Result<mpsc::Receiver<Result<Batch, StoreError>>, StoreError> {
        match self {
            Engine::Sqlite(engine) => engine.stream(reads),
            Engine::Postgres(engine) => engine.stream(reads),
        }
    }

    pub(crate) async fn write(&self, write: Write) -> Result<Vec<Written>, WriteError> {
        match self {
            Engine::Sqlite(engine) => engine.write(write).await,
            Engine::Postgres(engine) => Box::pin(engine.write(write)).await,
        }
    }

    pub(crate) async fn write_once(&self, write: Write, once: Arc<Once>) -> Result<Kept, WriteError> {
        match self {
            Engine::Sqlite(engine) => engine.write_once(write, once).await,
            Engine::Postgres(engine) => Box::pin(engine.write_once(write, once)).await,
        }
    }

    pub(crate) async fn kept(&self, once: &Once) -> Result<Option<Kept>, StepError> {
        match self {
            Engine::Sqlite(engine) => engine.kept(once),
            Engine::Postgres(engine) => Box::pin(engine.kept(once)).await,
        }
    }

    pub(crate) async fn changes(&self, asked: ChangesAsked) -> Result<ChangesPage, StoreError> {
        match self {
            Engine::Sqlite(engine) => engine.changes(asked).await,
            Engine::Postgres(engine) => Box::pin(engine.changes(asked)).await,
        }
    }

    pub(crate) async fn changes_end(&self) -> Result<Position, StoreError> {
        match self {
            Engine::Sqlite(engine) => engine.changes_end(),
            Engine::Postgres(engine) => engine.changes_end().await,
        }
    }

    pub(crate) fn committed(&self) -> watch::Receiver<u64> {
        match self {
            Engine::Sqlite(engine) => engine.committed(),
            Engine::Postgres(engine) => engine.committed(),
        }
    }

    pub(crate) fn retain(&self, collections: &[Retention]) {
        match self {
            Engine::Sqlite(engine) => engine.retain(collections),
            Engine::Postgres(engine) => engine.retain(collections),
        }
    }

    pub(crate) fn trim_changes(&self, now_micros: i64) -> Result<u64, StoreError> {
        match self {
            Engine::Sqlite(engine) => engine.trim_changes(now_micros),
            Engine::Postgres(engine) => engine.trim_changes(now_micros),
        }
    }

    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        match self {
            Engine::Sqlite(engine) => engine.ping(),
            Engine::Postgres(engine) => engine.ping().await,
        }
    }

    pub(crate) fn hold_imports(&self) -> Result<Option<ImportsHeld>, StoreError> {
        match self {
            // The file is held against all other processes already.
            Engine::Sqlite(_) => Ok(Some(ImportsHeld::default())),
            Engine::Postgres(engine) => engine.hold_imports(),
        }
    }

    pub(crate) fn prepare_notes(&self) -> Result<(), StoreError> {
        match self {
            Engine::Sqlite(engine) => engine.prepare_notes(),
            Engine::Postgres(engine) => engine.prepare_notes(),
        }
    }

    pub(crate) fn sync_commits(&self) -> Result<(), StoreError> {
        match self {
            Engine::Sqlite(engine) => engine.sync_commits(),
            Engine::Postgres(_) => Ok(()),
        }
    }

    pub(crate) fn noted_sources(&self) -> Result<Vec<(String, String)>, StoreError> {
        match self {
            Engine::Sqlite(engine) => engine.noted_sources(),
            Engine::Postgres(engine) => engine.noted_sources(),
        }
    }

    pub(crate) fn noted_waiting(
        &self,
        source: &str,
        from: i64,
        backward: bool,
        limit: usize,
    ) -> Result<Vec<(i64, String)>, StoreError> {
        match self {
            Engine::Sqlite(engine) => engine.noted_waiting(source, from, backward, limit),
            Engine::Postgres(engine) => engine.noted_waiting(source, from, backward, limit),
        }
    }

    pub(crate) fn snapshot(&self) -> Result<Option<Snapshot>, StoreError> {
        match self {
            Engine::Sqlite(engine) => engine.snapshot(),
            Engine::Postgres(engine) => engine.snapshot(),
        }
    }

    pub(crate) async fn snapshot_in_time(&self) -> Result<Option<Snapshot>, StoreError> {
        match self {
            Engine::Sqlite(engine) => engine.snapshot(),
            Engine::Postgres(engine) => engine.snapshot_in_time().await,
        }
    }

    pub(crate) fn render(&self, migration: &Migration, schema: &Arc<Schema>) -> Result<Vec<String>, StoreError> {
        match self {
            Engine::Sqlite(_) => sqlite::Engine::render(migration, schema),
            Engine::Postgres(engine) => engine.render(migration, schema),
        }
    }

    pub(crate) fn look(&self, migration: &Migration, schema: &Arc<Schema>) -> Result<Vec<Offence>, StoreError> {
        match self {
            Engine::Sqlite(engine) => engine.look(migration, schema),
            Engine::Postgres(engine) => engine.look(migration, schema),
        }
    }

    pub(crate) fn drift(&self, remembered: &Snapshot) -> Result<(Vec<Drift>, String), StoreError> {
        match self {
            Engine::Sqlite(engine) => engine.drift(remembered),
            Engine::Postgres(engine) => engine.drift(remembered),
        }
    }

    pub(crate) fn migrate(&self, migration: &Migration, schema: &Arc<Schema>) -> Result<(), MigrateError> {
        match self {
            Engine::Sqlite(engine) => engine.migrate(migration, schema),
            Engine::Postgres(engine) => engine.migrate(migration, schema),
        }
    }

    pub(crate) fn explain(&self, of: &ReadStatement, values: Option<&[Value]>) -> Result<Explained, StoreError> {
        match self {
            Engine::Sqlite(engine) => engine.explain(of, values),
            Engine::Postgres(engine) => engine.explain(of, values),
        }
    }

    /// Explains a read for whoever does not wait, and must not: when there is time for it.
    pub(crate) fn explain_aside(
        &self,
        of: &Arc<ReadStatement>,
        then: impl FnOnce(Result<Explained, StoreError>) + Send + 'static,
    ) {
        match self {
            Engine::Sqlite(engine) => engine.explain_aside(of, then),
            Engine::Postgres(engine) => engine.explain_aside(of, then),
        }
    }

    /// The same of a write.
    pub(crate) fn explain_write_aside(
        &self,
        of: &Arc<WriteStatement>,
        then: impl FnOnce(Result<Vec<StatementExplained>, StoreError>) + Send + 'static,
    ) {
        match self {
            Engine::Sqlite(engine) => engine.explain_write_aside(of, then),
            Engine::Postgres(engine) => engine.explain_write_aside(of, then),
        }
    }

    pub(crate) fn measure(&self, of: &ReadStatement, values: &[Value], times: usize) -> Result<Measured, StoreError> {
        match self {
            Engine::Sqlite(engine) => engine.measure(of, values, times),
            Engine::Postgres(engine) => engine.measure(of, values, times),
        }
    }

    pub(crate) fn side(&self) -> Result<Box<dyn Side>, OpenError> {
        match self {
            Engine::Sqlite(engine) => Ok(Box::new(engine.side()?)),
            Engine::Postgres(engine) => Ok(Box::new(engine.side()?)),
        }
    }

    pub(crate) fn rehearses(&self) -> bool {
        match self {
            Engine::Sqlite(engine) => engine.rehearses(),
            Engine::Postgres(engine) => engine.rehearses(),
        }
    }

    pub(crate) fn rehearsed(&self) -> Option<Rehearsed> {
        match self {
            Engine::Sqlite(engine) => engine.rehearsed(),
            Engine::Postgres(engine) => engine.rehearsed(),
        }
    }

    pub(crate) fn key(&self, name: &str, candidate: &[u8]) -> Result<Vec<u8>, StoreError> {
        match self {
            Engine::Sqlite(engine) => engine.key(name, candidate),
            Engine::Postgres(engine) => engine.key(name, candidate),
        }
    }

    pub(crate) async fn beat(&self, beat: &Beat) -> Result<Pulse, StoreError> {
        match self {
            Engine::Sqlite(engine) => engine.beat(beat).await,
            Engine::Postgres(engine) => engine.beat(beat).await,
        }
    }

    pub(crate) async fn leave(&self, id: &str) -> Result<(), StoreError> {
        match self {
            Engine::Sqlite(engine) => engine.leave(id).await,
            Engine::Postgres(engine) => engine.leave(id).await,
        }
    }

    pub(crate) fn nodes(&self) -> Result<Vec<NodeSeen>, StoreError> {
        match self {
            Engine::Sqlite(engine) => engine.nodes(),
            Engine::Postgres(engine) => engine.nodes(),
        }
    }

    pub(crate) fn is_elected(&self) -> bool {
        match self {
            Engine::Sqlite(engine) => engine.is_elected(),
            Engine::Postgres(engine) => engine.is_elected(),
        }
    }

    pub(crate) fn close(&self) {
        match self {
            Engine::Sqlite(engine) => engine.close(),
            Engine::Postgres(engine) => engine.close(),
        }
    }
}
