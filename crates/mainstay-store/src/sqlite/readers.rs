//! Reads: on the thread that asks, as long as they are quick; else on a few threads of their own.
use std::{
    cell::RefCell,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use mainstay_expr::Value;
use parking_lot::Mutex;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::{
    connection::{Watched, open_reader},
    failure::store_error,
    page,
    snapshots::{Reader, Slot, Snapshots},
    stream,
};
use crate::{Batch, Page, Settings, StoreError, exec::Inputs, read::ReadStatement};

/// The share of the page cache that a thread of the pool gets: it is used for few statements.
const POOL_CACHE_SHARE: u32 = 4;

/// Batches of a stream that wait to be taken.
const BATCHES_WAITING_MAX: usize = 4;

/// What all readers of one store share.
struct Shared {
    settings: Settings,
    closing: Arc<AtomicBool>,
    /// Whether threads keep snapshots: not where other processes write.
    keeps: bool,
    snapshots: Arc<Snapshots>,
}

/// A read for the pool.
struct Job {
    statement: Arc<ReadStatement>,
    values: Vec<Value>,
    into: Vec<u8>,
    /// Tells that a thread has taken it.
    taken: oneshot::Sender<()>,
    answer: oneshot::Sender<Result<Page, StoreError>>,
    /// Gone when the caller is.
    caller: Weak<()>,
}

/// Everything that reads.
pub(super) struct Readers {
    shared: Arc<Shared>,
    pool: Mutex<Option<SyncSender<Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

thread_local! {
    /// This thread's connections. A `Weak` keeps the address of its store from being used again, so that comparing is enough.
    static LOCAL: RefCell<Vec<(Weak<Shared>, Arc<Slot>)>> = const { RefCell::new(Vec::new()) };
}

impl Readers {
    /// Begins to read; `snapshots` are told of all commits, where nobody else commits.
    pub(super) fn start(
        settings: &Settings,
        closing: Arc<AtomicBool>,
        snapshots: Option<Arc<Snapshots>>,
    ) -> std::io::Result<Readers> {
        let keeps = snapshots.is_some();
        let snapshots = snapshots.unwrap_or_default();
        let shared = Arc::new(Shared { settings: settings.clone(), closing, keeps, snapshots });
        let (sender, receiver) = sync_channel(settings.sqlite.readers_queue_max);
        let receiver = Arc::new(Mutex::new(receiver));
        let threads = (0..settings.sqlite.readers.max(1)).map(|number| {
            let (shared, receiver) = (shared.clone(), receiver.clone());
            let name = format!("mainstay-read-{number}");
            std::thread::Builder::new().name(name).spawn(move || serve(&shared, &receiver))
        });
        let threads = threads.collect::<Result<Vec<_>, _>>()?;
        Ok(Readers { shared, pool: Mutex::new(Some(sender)), threads: Mutex::new(threads) })
    }

    /// Reads: here within the budget, else in the pool.
    pub(super) async fn read(
        &self,
        statement: &Arc<ReadStatement>,
        values: Vec<Value>,
        mut into: Vec<u8>,
    ) -> Result<Page, StoreError> {
        if !statement.is_slow() {
            let start = into.len();
            match self.read_here(statement, &values, &mut into) {
                Err(StoreError::TimedOut { .. }) => {
                    statement.mark_slow(true);
                    into.truncate(start);
                }
                outcome => return outcome,
            }
        }
        self.read_in_pool(statement.clone(), values, into).await
    }

    fn read_here(&self, statement: &ReadStatement, values: &[Value], into: &mut Vec<u8>) -> Result<Page, StoreError> {
        let budget = Duration::from_micros(self.shared.settings.sqlite.inline_budget_us);
        self.with_reader(|reader| {
            let outcome = {
                let watched = if self.shared.keeps { reader.newest(&self.shared.snapshots) } else { reader.fresh() };
                watched.deadline.set_in_halves(budget);
                page::read(&watched.connection, &watched.nested, &statement.sql, &Inputs::of(values), into, 0)
            };
            reader.end_read(&self.shared.snapshots, outcome.is_err());
            outcome
        })
    }

    /// Streams in one snapshot, on a thread of its own; closing the store waits for it.
    pub(super) fn stream(
        &self,
        reads: Vec<(Arc<ReadStatement>, Vec<Value>)>,
    ) -> Result<mpsc::Receiver<Result<Batch, StoreError>>, StoreError> {
        if self.shared.closing.load(Ordering::Acquire) {
            return Err(closed());
        }
        let (settings, closing) = (self.shared.settings.clone(), self.closing());
        let (sender, receiver) = mpsc::channel(BATCHES_WAITING_MAX);
        let thread = std::thread::Builder::new()
            .name("mainstay-stream".to_owned())
            .spawn(move || stream::run(&settings, closing, &reads, &sender))
            .map_err(|error| StoreError::Engine(format!("a thread cannot be started: {error}")))?;
        let mut threads = self.threads.lock();
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
        Ok(receiver)
    }

    async fn read_in_pool(
        &self,
        statement: Arc<ReadStatement>,
        values: Vec<Value>,
        into: Vec<u8>,
    ) -> Result<Page, StoreError> {
        let ((taken, begun), (answer, answered)) = (oneshot::channel(), oneshot::channel());
        // It goes with this future: then the read that nobody waits for ends.
        let caller = Arc::new(());
        let job = Job { statement, values, into, taken, answer, caller: Arc::downgrade(&caller) };
        let sent = match &*self.pool.lock() {
            Some(pool) => pool.try_send(job),
            None => return Err(closed()),
        };
        match sent {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(StoreError::Overloaded),
            Err(TrySendError::Disconnected(_)) => return Err(closed()),
        }
        let wait_max = Duration::from_millis(self.shared.settings.sqlite.readers_wait_ms_max);
        if timeout(wait_max, begun).await.is_err() {
            return Err(StoreError::Overloaded);
        }
        let outcome = answered.await.unwrap_or_else(|_| Err(closed()));
        drop(caller);
        outcome
    }

    /// Does something with this thread's connection, which is opened when there is none yet.
    pub(super) fn with_local<T>(&self, work: impl FnOnce(&Watched) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.with_reader(|reader| work(reader.fresh()))
    }

    fn with_reader<T>(&self, work: impl FnOnce(&mut Reader) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let slot = self.slot();
        let mut reader = slot.lock();
        if self.shared.closing.load(Ordering::Acquire) {
            return Err(closed());
        }
        let reader = match &mut *reader {
            Some(reader) => reader,
            empty => {
                let opened = open_reader(&self.shared.settings, self.shared.settings.sqlite.cache_kib, self.closing());
                empty.insert(Reader::new(opened.map_err(|error| store_error(error, 0))?))
            }
        };
        work(reader)
    }

    fn closing(&self) -> Arc<AtomicBool> {
        self.shared.closing.clone()
    }

    fn slot(&self) -> Arc<Slot> {
        LOCAL.with_borrow_mut(|slots| {
            let own = Arc::as_ptr(&self.shared);
            if let Some((_, slot)) = slots.iter().find(|(shared, _)| shared.as_ptr() == own) {
                return slot.clone();
            }
            slots.retain(|(shared, _)| shared.strong_count() > 0);
            let slot = self.shared.snapshots.slot();
            slots.push((Arc::downgrade(&self.shared), slot.clone()));
            slot
        })
    }

    /// Ends the threads and closes all connections; the store is marked as closing before.
    pub(super) fn close(&self) {
        drop(self.pool.lock().take());
        for thread in self.threads.lock().drain(..) {
            // A thread that panicked has nothing left to close.
            let _ = thread.join();
        }
        self.shared.snapshots.close();
    }
}

/// A thread of the pool.
fn serve(shared: &Shared, jobs: &Mutex<Receiver<Job>>) {
    let mut reader = None;
    loop {
        let job = jobs.lock().recv();
        let Ok(job) = job else { return };
        // Nobody waits any more: the caller went away.
        if job.taken.send(()).is_err() {
            continue;
        }
        let outcome = run(shared, &mut reader, &job.statement, &job.values, job.into, job.caller);
        let _ = job.answer.send(outcome);
    }
}

fn run(
    shared: &Shared,
    reader: &mut Option<Watched>,
    statement: &ReadStatement,
    values: &[Value],
    mut into: Vec<u8>,
    caller: Weak<()>,
) -> Result<Page, StoreError> {
    let settings = &shared.settings;
    let reader = match reader {
        Some(reader) => reader,
        empty => {
            let opened = open_reader(settings, settings.sqlite.cache_kib / POOL_CACHE_SHARE, shared.closing.clone());
            empty.insert(opened.map_err(|error| store_error(error, 0))?)
        }
    };
    let began = std::time::Instant::now();
    reader.deadline.set(Duration::from_millis(settings.statement_ms_max));
    reader.deadline.serve(Some(caller));
    let (inputs, limit_ms) = (Inputs::of(values), settings.statement_ms_max);
    let outcome = page::read(&reader.connection, &reader.nested, &statement.sql, &inputs, &mut into, limit_ms);
    reader.deadline.serve(None);
    // Where the time was over, its transaction may be open still.
    reader.deadline.clear();
    if !reader.connection.is_autocommit() {
        page::command(&reader.connection, "ROLLBACK", limit_ms)?;
    }
    statement.mark_slow(began.elapsed() > Duration::from_micros(settings.sqlite.inline_budget_us));
    outcome
}

/// What is asked of a store that is closed.
pub(super) fn closed() -> StoreError {
    StoreError::Engine("the database is closed".to_owned())
}
