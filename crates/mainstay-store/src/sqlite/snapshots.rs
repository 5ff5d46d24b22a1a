//! Snapshots that a thread keeps from one read to the next.
//!
//! A read begins and ends with a lock of the file, and these locks have one mutex for the whole process: of a quick read under load that
//! is a tenth, and threads wait for each other at it. So a thread whose reads follow each other keeps its snapshot as long as nothing was
//! committed since it was begun. Every commit is counted before anybody is told of it, and no kept snapshot is used from when a commit
//! becomes visible to others until then: so what was answered to anybody is always seen.
//!
//! A snapshot that is kept keeps the write-ahead log from being copied, and from beginning anew. So none is kept while it is copied.
use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::{connection::Watched, page};

/// How long a snapshot is kept. Nobody but this process commits while it has the database open, but for who repairs it by hand.
const KEPT_MAX: Duration = Duration::from_millis(5);

/// How long it is waited for a read that is under way; at its end it lets go itself.
const READ_WAIT: Duration = Duration::from_millis(10);

/// One thread's connection; the store takes it away when it closes.
pub(super) type Slot = Mutex<Option<Reader>>;

/// What the readers of a store know of its commits.
#[derive(Default)]
pub(super) struct Snapshots {
    /// Counts commits.
    commits: AtomicU64,
    /// Whether a commit is under way: others may see it already.
    committing: AtomicBool,
    /// Whether none is kept now.
    shut: AtomicBool,
    slots: Mutex<Vec<Weak<Slot>>>,
}

impl std::fmt::Debug for Snapshots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshots").field("commits", &self.commits).field("shut", &self.shut).finish_non_exhaustive()
    }
}

impl Snapshots {
    /// Something is about to be committed. Where that fails none is kept until the next commit.
    pub(super) fn committing(&self) {
        self.committing.store(true, Ordering::SeqCst);
    }

    /// Something was committed, and nobody was told of it yet.
    pub(super) fn committed(&self) {
        self.commits.fetch_add(1, Ordering::SeqCst);
        self.committing.store(false, Ordering::SeqCst);
    }

    /// Has all of them let go, and none kept from now on. A thread that does something else for longer keeps none meanwhile.
    pub(super) fn shut(&self) {
        self.shut.store(true, Ordering::SeqCst);
        let slots: Vec<Arc<Slot>> = self.slots.lock().iter().filter_map(Weak::upgrade).collect();
        for slot in slots {
            if let Some(Some(reader)) = slot.try_lock_for(READ_WAIT).as_deref_mut() {
                reader.let_go();
            }
        }
    }

    /// Lets them be kept again.
    pub(super) fn open(&self) {
        self.shut.store(false, Ordering::SeqCst);
    }

    fn may_keep(&self) -> bool {
        !self.shut.load(Ordering::SeqCst) && !self.committing.load(Ordering::SeqCst)
    }

    /// A new thread's place.
    pub(super) fn slot(&self) -> Arc<Slot> {
        let slot = Arc::new(Mutex::new(None));
        let mut slots = self.slots.lock();
        slots.retain(|slot| slot.strong_count() > 0);
        slots.push(Arc::downgrade(&slot));
        slot
    }

    /// Closes all connections.
    pub(super) fn close(&self) {
        let slots: Vec<Weak<Slot>> = self.slots.lock().drain(..).collect();
        for slot in slots.into_iter().filter_map(|slot| slot.upgrade()) {
            drop(slot.lock().take());
        }
    }
}

/// A thread's connection, with the snapshot that it may keep.
pub(super) struct Reader {
    watched: Watched,
    kept: Option<Kept>,
    /// The commits that the last read knew of.
    seen: u64,
}

/// A snapshot that is kept: an open transaction.
struct Kept {
    /// The commits that it has, at least.
    commits: u64,
    since: Instant,
}

impl Reader {
    pub(super) fn new(watched: Watched) -> Reader {
        Reader { watched, kept: None, seen: 0 }
    }

    /// The connection, in no transaction.
    pub(super) fn fresh(&mut self) -> &Watched {
        self.let_go();
        &self.watched
    }

    /// The connection for a read: in the snapshot that is kept, if it is the newest.
    pub(super) fn newest(&mut self, snapshots: &Snapshots) -> &Watched {
        // In this order: a commit that ends in between is counted. Both before a snapshot begins: it has at least what is counted here.
        let may_keep = snapshots.may_keep();
        let commits = snapshots.commits.load(Ordering::SeqCst);
        let stays = |kept: &Kept| may_keep && kept.commits == commits && kept.since.elapsed() < KEPT_MAX;
        if !self.kept.as_ref().is_some_and(stays) {
            self.let_go();
            // One alone costs more than it saves.
            if may_keep && self.seen == commits {
                self.keep(commits);
            }
            self.seen = commits;
        }
        &self.watched
    }

    /// Lets go behind a read, where that was asked for meanwhile.
    pub(super) fn end_read(&mut self, snapshots: &Snapshots, failed: bool) {
        if failed || snapshots.shut.load(Ordering::SeqCst) {
            self.let_go();
        }
    }

    fn keep(&mut self, commits: u64) {
        // The time of the read before must not end what begins here.
        self.watched.deadline.clear();
        let begun = page::command(&self.watched.connection, "BEGIN", 0);
        if begun.is_ok() && !self.watched.connection.is_autocommit() {
            self.kept = Some(Kept { commits, since: Instant::now() });
        } else {
            self.let_go();
        }
    }

    /// Ends the snapshot, if one is kept, or whatever else is open.
    pub(super) fn let_go(&mut self) {
        self.kept = None;
        if self.watched.connection.is_autocommit() {
            return;
        }
        self.watched.deadline.clear();
        if let Err(error) = page::command(&self.watched.connection, "COMMIT", 0) {
            tracing::error!(%error, "a snapshot cannot be ended");
        }
    }
}
