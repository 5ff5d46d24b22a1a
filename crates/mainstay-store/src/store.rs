//! The store: what the core holds of the database.
use std::{
    fmt,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use mainstay_expr::Value;
use mainstay_plan::{Group, Position, Query, WritePlan};
use mainstay_schema::{Migration, Schema, Snapshot};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    Batch, Beat, ChangesAsked, ChangesPage, Drift, Explained, Kept, Measured, MigrateError, NodeSeen, Offence, Once,
    OpenError, Page, Place, Pulse, ReadStatement, Rehearsed, Retention, Settings, Step, StepError, StoreError, Write,
    WriteError, WriteStatement, Written,
    advice::Origin,
    engine::Engine,
    slow,
    sql::{self, Cascade, Dialect},
};

/// An open database.
pub struct Store {
    engine: Engine,
    dialect: &'static dyn Dialect,
    /// What deletes take with them, of the schema that was asked for last.
    cascades: Mutex<Option<Cascades>>,
    explains: bool,
    /// Past this, reads and writes are told; `None`: none is.
    slow: Option<Duration>,
}

/// How far the feed was when this was taken.
#[derive(Clone, Debug)]
pub struct Committed(watch::Receiver<u64>);

/// The cascades of one schema.
type Cascades = (Weak<Schema>, Arc<[Cascade]>);

/// Holds other imports back.
#[derive(Debug, Default)]
#[must_use]
pub struct ImportsHeld {
    /// The other side hears that it is dropped.
    _until: Option<oneshot::Sender<()>>,
}

impl ImportsHeld {
    pub(crate) fn until(dropped: oneshot::Sender<()>) -> ImportsHeld {
        ImportsHeld { _until: Some(dropped) }
    }
}

impl Store {
    /// Where the database of these settings is, if that is on a server; nobody is asked.
    pub fn place(settings: &Settings) -> Result<Option<Place>, OpenError> {
        Engine::place(settings)
    }

    /// Opens the database. An embedded one is made where there is none, and locked against a second process.
    pub fn open(settings: Settings) -> Result<Store, OpenError> {
        let slow = (settings.slow_ms > 0).then(|| Duration::from_millis(settings.slow_ms));
        let explains = settings.explains || slow.is_some();
        let (engine, dialect) = Engine::open(&settings)?;
        Ok(Store { engine, dialect, cascades: Mutex::default(), explains, slow })
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The schema last applied; `None` in an empty database.
    pub fn snapshot(&self) -> Result<Option<Snapshot>, StoreError> {
        self.engine.snapshot()
    }

    /// The same for whoever must not block a thread, within the time of a statement.
    pub async fn snapshot_in_time(&self) -> Result<Option<Snapshot>, StoreError> {
        self.engine.snapshot_in_time().await
    }

    /// The statements of a migration, for people. `schema` is the one that it leads to, here and below.
    pub fn render_migration(&self, migration: &Migration, schema: &Arc<Schema>) -> Result<Vec<String>, StoreError> {
        self.engine.render(migration, schema)
    }

    /// The records that are in the way of a migration; reads alone. Blocks until every table that matters is looked through.
    pub fn look(&self, migration: &Migration, schema: &Arc<Schema>) -> Result<Vec<Offence>, StoreError> {
        self.engine.look(migration, schema)
    }

    /// What was changed by hand in the tables of the schema last applied, worst first; and a hash of those tables as they are.
    pub fn drift(&self, remembered: &Snapshot) -> Result<(Vec<Drift>, String), StoreError> {
        self.engine.drift(remembered)
    }

    /// Carries out a migration and remembers the schema that it leads to: all or nothing, and nothing where records are in the
    /// way. Blocks until it is on disk.
    pub fn migrate(&self, migration: &Migration, schema: &Arc<Schema>) -> Result<(), MigrateError> {
        self.engine.migrate(migration, schema)
    }

    /// Brings the database to a schema, whatever it has now.
    pub fn follow(&self, schema: &Arc<Schema>) -> Result<(), MigrateError> {
        self.migrate(&Migration::between(self.snapshot()?.as_ref(), schema), schema)
    }

    /// Renders a read.
    pub fn prepare_read(&self, schema: &Arc<Schema>, query: &Query) -> Result<Arc<ReadStatement>, StoreError> {
        let origin = self.explains.then(|| (schema.clone(), Origin::Query(query.clone())));
        sql::query(schema, self.dialect, query).map(|sql| Arc::new(ReadStatement::new(sql, origin)))
    }

    /// Renders groups; they are read as a page is.
    pub fn prepare_group(&self, schema: &Arc<Schema>, group: &Group) -> Result<Arc<ReadStatement>, StoreError> {
        let origin = self.explains.then(|| (schema.clone(), Origin::Group(group.clone())));
        sql::group(schema, self.dialect, group).map(|sql| Arc::new(ReadStatement::new(sql, origin)))
    }

    /// Reads; the answer is appended to `into`. Of an embedded database it blocks the thread for the
    /// budget at most; past it the read moves to the pool.
    pub async fn read(
        &self,
        statement: &Arc<ReadStatement>,
        values: Vec<Value>,
        into: Vec<u8>,
    ) -> Result<Page, StoreError> {
        let Some(slow) = self.slow else { return self.engine.read(statement, values, into).await };
        let began = Instant::now();
        let page = self.engine.read(statement, values, into).await;
        let took = began.elapsed();
        if took >= slow {
            slow::tell_read(&self.engine, statement, took);
        }
        page
    }

    /// Carries out the reads one after the other in one snapshot, without limits of time and number, on a thread of its own. Each
    /// record is followed by a line feed; the thread ends when nobody takes the batches any more.
    pub fn stream(
        &self,
        reads: Vec<(Arc<ReadStatement>, Vec<Value>)>,
    ) -> Result<mpsc::Receiver<Result<Batch, StoreError>>, StoreError> {
        self.engine.stream(reads)
    }

    /// Holds other imports back until it is dropped; `None`: another one runs. Blocks as long as a statement may take.
    pub fn hold_imports(&self) -> Result<Option<ImportsHeld>, StoreError> {
        self.engine.hold_imports()
    }

    /// Makes the tables for the notes of imports, where they are not there. Blocks until it is done.
    pub fn prepare_notes(&self) -> Result<(), StoreError> {
        self.engine.prepare_notes()
    }

    /// From here on each commit waits until it is on the disk, with all that were before, where the database is durable: see
    /// [`crate::SqliteSettings::commits_synced`]. Blocks until it is so.
    pub fn sync_commits(&self) -> Result<(), StoreError> {
        self.engine.sync_commits()
    }

    /// The sources that imports have notes of: id and state, the oldest first.
    pub fn noted_sources(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.engine.noted_sources()
    }

    /// At most `limit` of what waits of a source, behind a number (or before it): number and what.
    pub fn noted_waiting(
        &self,
        source: &str,
        from: i64,
        backward: bool,
        limit: usize,
    ) -> Result<Vec<(i64, String)>, StoreError> {
        self.engine.noted_waiting(source, from, backward, limit)
    }

    /// Renders a step of a write.
    pub fn prepare_write(&self, schema: &Arc<Schema>, plan: &WritePlan) -> Result<Arc<WriteStatement>, StoreError> {
        WriteStatement::render(schema, self.dialect, plan, || self.cascades(schema)).map(Arc::new)
    }

    fn cascades(&self, schema: &Arc<Schema>) -> Result<Arc<[Cascade]>, StoreError> {
        let mut kept = self.cascades.lock();
        if let Some((of, cascades)) = &*kept
            && of.as_ptr() == Arc::as_ptr(schema)
        {
            return Ok(cascades.clone());
        }
        let cascades: Arc<[Cascade]> = sql::cascades(schema, self.dialect)?.into();
        *kept = Some((Arc::downgrade(schema), cascades.clone()));
        Ok(cascades)
    }

    /// Carries out the steps in one transaction, all or nothing; answered only once they are on disk.
    pub async fn write(&self, write: impl Into<Write>) -> Result<Vec<Written>, WriteError> {
        let write = write.into();
        let Some(slow) = self.slow else { return self.engine.write(write).await };
        let steps = write.steps.clone();
        self.telling(slow, &steps, self.engine.write(write)).await
    }

    /// Carries out the steps in one transaction, unless that was done before for the same key; the answer is kept in that
    /// transaction, and is the same each time.
    pub async fn write_once(&self, write: Write, once: Arc<Once>) -> Result<Kept, WriteError> {
        let Some(slow) = self.slow else { return self.engine.write_once(write, once).await };
        let steps = write.steps.clone();
        self.telling(slow, &steps, self.engine.write_once(write, once)).await
    }

    /// Writes, and tells where that took long.
    async fn telling<T>(&self, slow: Duration, steps: &[Step], written: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let written = written.await;
        let took = began.elapsed();
        if took >= slow {
            slow::tell_write(&self.engine, steps, took);
        }
        written
    }

    /// Changes behind a position, in the order of their commits: none left out, none twice. An empty page is the end for now.
    pub async fn changes(&self, asked: ChangesAsked) -> Result<ChangesPage, StoreError> {
        self.engine.changes(asked).await
    }

    /// Waits until there may be changes that were not there when `since` was taken; sometimes there are none. It ends when the store
    /// closes, too: then the next look fails.
    pub async fn changed(&self, since: &mut Committed) -> Result<(), StoreError> {
        since.0.changed().await.map_err(|_| StoreError::Engine("the database is closed".to_owned()))
    }

    /// What is committed so far, to wait for more by [`Store::changed`].
    pub fn committed(&self) -> Committed {
        Committed(self.engine.committed())
    }

    /// The position of the last change.
    pub async fn changes_end(&self) -> Result<Position, StoreError> {
        self.engine.changes_end().await
    }

    /// Says how long the changes of collections are kept that the settings do not speak of.
    pub fn retain(&self, collections: &[Retention]) {
        self.engine.retain(collections);
    }

    /// Takes out changes that are too old or too many, as is done from time to time anyway; how many. Blocks until it is done.
    pub fn trim_changes(&self, now_micros: i64) -> Result<u64, StoreError> {
        self.engine.trim_changes(now_micros)
    }

    /// The answer of a write that was done before. One that is being done now is not seen: [`Store::write_once`] waits for it.
    pub async fn kept(&self, once: &Once) -> Result<Option<Kept>, StepError> {
        self.engine.kept(once).await
    }

    /// A key that all nodes share, by its name. Where there is none yet it becomes `candidate`: of several who ask at once all get
    /// the same one. A store that only reads, and finds none, gives the candidate back. Blocks until it is on disk.
    pub fn key(&self, name: &str, candidate: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.engine.key(name, candidate)
    }

    /// A sign of life of this process: it is among the nodes, and asks to be elected.
    pub async fn beat(&self, beat: &Beat) -> Result<Pulse, StoreError> {
        self.engine.beat(beat).await
    }

    /// This node, by its id, is among the nodes no more.
    pub async fn leave(&self, id: &str) -> Result<(), StoreError> {
        self.engine.leave(id).await
    }

    /// The nodes that are there, those that came first in front. Blocks until the database has answered.
    pub fn nodes(&self) -> Result<Vec<NodeSeen>, StoreError> {
        self.engine.nodes()
    }

    /// Whether this process is the one that does what only one node does, such as taking out old changes. It may end at any
    /// moment: what is done must do no harm when another one begins to do it too.
    pub fn is_elected(&self) -> bool {
        self.engine.is_elected()
    }

    /// Whether writes are tried and rolled back.
    pub fn rehearses(&self) -> bool {
        self.engine.rehearses()
    }

    /// What the last write that was tried did before it was rolled back; once.
    pub fn rehearsed(&self) -> Option<Rehearsed> {
        self.engine.rehearsed()
    }

    /// Runs a read so many times, and says what it took.
    pub fn measure(&self, statement: &ReadStatement, values: &[Value], times: usize) -> Result<Measured, StoreError> {
        self.engine.measure(statement, values, times)
    }

    /// The SQL of a read and the plan that the engine makes for it; with the words and the missing indexes where the store explains.
    pub fn explain(&self, statement: &ReadStatement, values: &[Value]) -> Result<Explained, StoreError> {
        self.engine.explain(statement, Some(values))
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.engine.ping().await
    }

    /// Interrupts running reads, writes what waits to be written, and lets go of the database (an embedded one: everything is in
    /// its file, and the lock given back). What comes later fails.
    pub fn close(&self) {
        self.engine.close();
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Store").finish_non_exhaustive()
    }
}
