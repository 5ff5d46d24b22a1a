//! Keeps the write-ahead log short without making anybody wait.
//!
//! Commits append to the log; a checkpoint copies it into the database, after which the log begins anew. A thread copies while
//! the writer goes on (PASSIVE takes no lock that a writer needs), but what is committed meanwhile stays in the log, so under
//! steady load it would never begin anew. So the thread copies the bulk, brings it to the disk, and asks the writer to copy
//! the little that is left between two groups.
use std::{
    fs::File,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::Connection;

use super::{connection::open_checkpointer, snapshots::Snapshots};
use crate::Settings;

/// What the writer and the checkpointer tell each other.
#[derive(Debug)]
pub(super) struct LogState {
    /// Pages in the log after the last commit.
    pages: AtomicU32,
    /// Pages in the log at the last checkpoint.
    floor: AtomicU32,
    /// Whether the writer is asked to copy what is left.
    finish: AtomicBool,
    pages_max: u32,
    pages_hard_max: u32,
    wake: SyncSender<()>,
    snapshots: Arc<Snapshots>,
}

impl LogState {
    /// Follows the log's growth at each commit of the writer's connection.
    pub(super) fn follow(self: &Arc<LogState>, connection: &mut Connection) -> rusqlite::Result<()> {
        let (log, snapshots) = (self.clone(), self.snapshots.clone());
        connection.commit_hook(Some(move || {
            snapshots.committing();
            false
        }))?;
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            log.committed(u32::try_from(pages).unwrap_or(0));
            Ok(())
        }))
    }

    fn committed(&self, pages: u32) {
        self.snapshots.committed();
        self.pages.store(pages, Ordering::Relaxed);
        let floor = self.floor.load(Ordering::Relaxed);
        if pages < floor {
            self.floor.store(0, Ordering::Relaxed);
        } else if pages - floor >= self.pages_max {
            self.floor.store(pages, Ordering::Relaxed);
            // When it is full the thread is awake already.
            let _ = self.wake.try_send(());
        }
    }

    /// Copies what is left, on the writer's connection, if it was asked for or nothing else helps. For between two groups.
    pub(super) fn finish(&self, connection: &Connection) {
        let asked = self.finish.swap(false, Ordering::Acquire);
        if asked || self.pages.load(Ordering::Relaxed) >= self.pages_hard_max {
            checkpoint(connection, "PASSIVE");
        }
        if asked {
            self.snapshots.open();
        }
    }

    /// The snapshots that are told of commits.
    pub(super) fn snapshots(&self) -> &Arc<Snapshots> {
        &self.snapshots
    }
}

/// The thread that copies.
pub(super) struct Checkpointer {
    log: Arc<LogState>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<File>>,
    /// Closing any handle of the file drops SQLite's own locks on it, so this one stays open until all connections are closed.
    file: Option<File>,
}

impl Checkpointer {
    pub(super) fn start(settings: &Settings) -> Result<Checkpointer, String> {
        let (wake, woken) = sync_channel(1);
        let log = Arc::new(LogState {
            pages: AtomicU32::new(0),
            floor: AtomicU32::new(0),
            finish: AtomicBool::new(false),
            pages_max: settings.sqlite.wal_pages_max,
            pages_hard_max: settings.sqlite.wal_pages_max.saturating_mul(HARD_FACTOR),
            wake,
            snapshots: Arc::default(),
        });
        let file = File::open(settings.file()).map_err(|error| error.to_string())?;
        let connection = open_checkpointer(settings).map_err(|error| error.to_string())?;
        let idle = Duration::from_millis(settings.sqlite.wal_idle_ms);
        let stop = Arc::new(AtomicBool::new(false));
        let work = Work { connection, log: log.clone(), stop: stop.clone(), file, durable: settings.durable };
        let thread = std::thread::Builder::new()
            .name("mainstay-checkpoint".to_owned())
            .spawn(move || work.run(&woken, idle))
            .map_err(|error| error.to_string())?;
        Ok(Checkpointer { log, stop, thread: Some(thread), file: None })
    }

    pub(super) fn log(&self) -> &Arc<LogState> {
        &self.log
    }

    /// Ends the thread. To be dropped only once all connections are closed.
    pub(super) fn close(&mut self) {
        self.stop.store(true, Ordering::Release);
        let _ = self.log.wake.try_send(());
        if let Some(thread) = self.thread.take() {
            self.file = thread.join().ok();
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.close();
    }
}

/// How many times its usual length the log may have before the writer copies it itself.
const HARD_FACTOR: u32 = 4;

struct Work {
    connection: Connection,
    log: Arc<LogState>,
    stop: Arc<AtomicBool>,
    /// The database file, to bring it to the disk.
    file: File,
    durable: bool,
}

impl Work {
    fn run(self, woken: &Receiver<()>, idle: Duration) -> File {
        let mut seen = 0;
        loop {
            match woken.recv_timeout(idle) {
                Err(RecvTimeoutError::Disconnected) => return self.file,
                _ if self.stop.load(Ordering::Acquire) => return self.file,
                Ok(()) => self.copy(),
                Err(RecvTimeoutError::Timeout) => seen = self.rest(seen),
            }
        }
    }

    /// Under load: copies the bulk, and has the writer copy what it commits meanwhile.
    fn copy(&self) {
        self.log.finish.store(false, Ordering::Release);
        self.log.snapshots.shut();
        checkpoint(&self.connection, "PASSIVE");
        // The writer's copy has to bring the database to the disk: this makes its wait short.
        if self.durable
            && let Err(error) = self.file.sync_data()
        {
            tracing::warn!(%error, "the database file cannot be brought to the disk");
        }
        self.log.finish.store(true, Ordering::Release);
    }

    /// Has threads that have nothing to do let go of their snapshots. When nothing was committed since the last look: makes the log empty.
    /// Gives how long it is.
    fn rest(&self, seen: u32) -> u32 {
        self.log.snapshots.shut();
        let pages = self.log.pages.load(Ordering::Relaxed);
        let is_idle = pages != 0 && pages == seen;
        if is_idle {
            self.log.finish.store(false, Ordering::Release);
        }
        let is_empty = is_idle && checkpoint(&self.connection, "PASSIVE") && checkpoint(&self.connection, "TRUNCATE");
        // Else the writer opens them, once it has copied what is left.
        if !self.log.finish.load(Ordering::Acquire) {
            self.log.snapshots.open();
        }
        if is_empty {
            // A commit in between sets its own number again at the next one.
            self.log.pages.store(0, Ordering::Relaxed);
            return 0;
        }
        pages
    }
}

/// Copies the log into the database; whether all of it was copied that was there when it began.
pub(super) fn checkpoint(connection: &Connection, mode: &str) -> bool {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    let copied = connection.query_row(&sql, [], |row| {
        let (busy, pages, copied): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(busy == 0 && pages == copied)
    });
    copied.unwrap_or_else(|error| {
        if error.sqlite_error_code() != Some(rusqlite::ErrorCode::DatabaseBusy) {
            tracing::warn!(%error, "the write-ahead log cannot be copied into the database");
        }
        false
    })
}
