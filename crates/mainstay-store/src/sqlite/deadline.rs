//! Ends statements that run for too long.
use std::{
    ffi::c_int,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rusqlite::Connection;

/// Steps of SQLite's machine between two looks at the clock: some 10 µs of work.
const STEPS_PER_LOOK: c_int = 1_000;
const NEVER: u64 = u64::MAX;

/// When the statements of one connection must have ended. They end at once when the store is closing, or nobody waits for them.
#[derive(Debug)]
pub(super) struct Deadline {
    origin: Instant,
    /// Nanoseconds after `origin`.
    at: Arc<AtomicU64>,
    /// Nanoseconds that are given once more behind that.
    more: Arc<AtomicU64>,
    /// Gone when the one is who waits for the statement.
    caller: Arc<Mutex<Option<Weak<()>>>>,
}

impl Deadline {
    /// Watches over a connection; until [`Deadline::set`] its statements may run for ever.
    pub(super) fn watch(connection: &mut Connection, closing: Arc<AtomicBool>) -> rusqlite::Result<Deadline> {
        let (origin, at, more) = (Instant::now(), Arc::new(AtomicU64::new(NEVER)), Arc::<AtomicU64>::default());
        let caller = Arc::<Mutex<Option<Weak<()>>>>::default();
        let (watched, left, waiting) = (at.clone(), more.clone(), caller.clone());
        let is_late = move || {
            let at = watched.load(Ordering::Relaxed);
            if at == NEVER || nanos(origin.elapsed()) < at {
                return false;
            }
            let more = left.swap(0, Ordering::Relaxed);
            watched.store(nanos(origin.elapsed()).saturating_add(more), Ordering::Relaxed);
            more == 0
        };
        let is_over = move || {
            closing.load(Ordering::Relaxed)
                || is_late()
                || waiting.lock().as_ref().is_some_and(|caller| caller.strong_count() == 0)
        };
        connection.progress_handler(STEPS_PER_LOOK, Some(is_over))?;
        Ok(Deadline { origin, at, more, caller })
    }

    /// What runs from now on must end after this time.
    pub(super) fn set(&self, limit: Duration) {
        self.more.store(0, Ordering::Relaxed);
        self.at.store(nanos(self.origin.elapsed().saturating_add(limit)), Ordering::Relaxed);
    }

    /// The same in two halves, the second of which begins only when it is seen that the first has passed: where the processor was taken
    /// away from this thread meanwhile, that was no time of the statement's.
    pub(super) fn set_in_halves(&self, limit: Duration) {
        self.set(limit / 2);
        self.more.store(nanos(limit / 2), Ordering::Relaxed);
    }

    /// What runs from now on must end once this is gone.
    pub(super) fn serve(&self, caller: Option<Weak<()>>) {
        *self.caller.lock() = caller;
    }

    /// Does something that must end after this time, or when all of it must, whichever comes first.
    pub(super) fn within<T>(&self, limit: Duration, work: impl FnOnce() -> T) -> T {
        let whole = self.at.load(Ordering::Relaxed);
        self.set(limit);
        self.at.fetch_min(whole, Ordering::Relaxed);
        let outcome = work();
        self.at.store(whole, Ordering::Relaxed);
        outcome
    }

    /// What runs from now on may take as long as it takes.
    pub(super) fn clear(&self) {
        self.at.store(NEVER, Ordering::Relaxed);
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(NEVER)
}
