//! The one writer: takes whatever waits, commits it together, and only then answers.
//!
//! 1. Nobody is answered before the commit that holds their change, and nobody is answered well when it fails.
//! 2. A request that fails is undone alone; the others of its group stay.
//! 3. SQLite ends the whole transaction at some errors (a full disk, an interrupt). Then the request that met the error is
//!    answered, and the others are run again: requests are values.
use std::{sync::Arc, thread::JoinHandle, time::Duration};

use parking_lot::Mutex;
use tokio::sync::{
    mpsc::{Receiver, Sender, channel, error::TrySendError},
    oneshot, watch,
};

use super::{
    checkpoint::LogState,
    connection::Watched,
    now, page,
    poll::at_once,
    readers::closed,
    session::{Guard, TimeLimits, WriteSession},
};
use crate::{
    Settings, SqliteDialect, StoreError, WriteError,
    exec::{self, Feed, Outcome, Setting, Work},
    sql::{FeedSql, OnceSql},
};

/// What the writer can be asked for.
pub(super) enum Job {
    /// A request.
    Write {
        /// What it is to do.
        work: Work,
        /// Who waits.
        answer: oneshot::Sender<Outcome>,
    },
    /// Something else that needs the writer's connection, between two groups.
    Alone(Box<dyn FnOnce(&rusqlite::Connection) + Send>),
}

/// The writer's thread and the way to it.
pub(super) struct Writer {
    jobs: Mutex<Option<Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(
        settings: &Settings,
        watched: Watched,
        log: Arc<LogState>,
        committed: watch::Sender<u64>,
    ) -> std::io::Result<Writer> {
        let (sender, receiver) = channel(settings.sqlite.writer_queue_max.max(1));
        let turns = Turns {
            watched,
            log,
            group_max: settings.sqlite.group_max.max(1),
            limits: TimeLimits { all_ms: settings.statement_ms_max, answer_ms: settings.sqlite.answer_ms_max },
            cascade_max: settings.cascade_max,
            once: OnceSql::new(&SqliteDialect),
            feed: FeedSql::new(&SqliteDialect),
            committed,
        };
        let name = "mainstay-write".to_owned();
        let thread = std::thread::Builder::new().name(name).spawn(move || turns.run(receiver))?;
        Ok(Writer { jobs: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }

    /// No writer: what is sent is refused, as it is after the end.
    pub(super) fn none() -> Writer {
        Writer { jobs: Mutex::new(None), thread: Mutex::new(None) }
    }

    /// A way to it for somebody who ends before it does.
    pub(super) fn jobs(&self) -> Option<Sender<Job>> {
        self.jobs.lock().clone()
    }

    /// Whether its thread has ended without being asked to.
    pub(super) fn is_broken(&self) -> bool {
        self.jobs.lock().as_ref().is_some_and(Sender::is_closed)
    }

    /// Puts a job into the queue.
    pub(super) fn send(&self, job: Job) -> Result<(), StoreError> {
        let sent = match &*self.jobs.lock() {
            Some(jobs) => jobs.try_send(job),
            None => return Err(closed()),
        };
        sent.map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Overloaded,
            TrySendError::Closed(_) => closed(),
        })
    }

    /// Writes what waits, and ends the thread.
    pub(super) fn close(&self) {
        drop(self.jobs.lock().take());
        if let Some(thread) = self.thread.lock().take() {
            // A thread that panicked has nothing left to write.
            let _ = thread.join();
        }
    }
}

/// A request that waits for its turn.
struct Waiting {
    work: Work,
    answer: oneshot::Sender<Outcome>,
}

/// The writer's thread.
struct Turns {
    watched: Watched,
    log: Arc<LogState>,
    group_max: usize,
    limits: TimeLimits,
    cascade_max: usize,
    once: OnceSql,
    feed: FeedSql,
    /// Tells that something was committed.
    committed: watch::Sender<u64>,
}

/// What became of a group.
enum Turn {
    /// All of it is committed or refused, each with its outcome.
    Done(Vec<Outcome>),
    /// This one lost the transaction for all, with its error.
    Lost(usize, WriteError),
    /// The transaction could not be begun or committed.
    Failed(StoreError),
}

impl Turns {
    fn run(self, mut jobs: Receiver<Job>) {
        let mut taken = Vec::with_capacity(self.group_max);
        while jobs.blocking_recv_many(&mut taken, self.group_max) > 0 {
            let mut group = Vec::with_capacity(taken.len());
            for job in taken.drain(..) {
                match job {
                    // Nobody waits any more: the caller went away.
                    Job::Write { answer, .. } if answer.is_closed() => {}
                    Job::Write { work, answer } => group.push(Waiting { work, answer }),
                    Job::Alone(work) => {
                        self.write(std::mem::take(&mut group));
                        self.watched.deadline.clear();
                        work(&self.watched.connection);
                    }
                }
            }
            self.write(group);
            self.committed.send_modify(|groups| *groups = groups.wrapping_add(1));
            self.watched.deadline.clear();
            self.log.finish(&self.watched.connection);
        }
    }

    /// Writes a group and answers everyone in it.
    fn write(&self, mut group: Vec<Waiting>) {
        let mut losses = 0;
        while group.len() > 1 {
            match self.turn(&group) {
                Turn::Done(outcomes) => {
                    for (waiting, outcome) in group.into_iter().zip(outcomes) {
                        let _ = waiting.answer.send(outcome);
                    }
                    return;
                }
                Turn::Failed(error) => {
                    for waiting in group {
                        let _ = waiting.answer.send(Err(WriteError { step: 0, error: error.clone().into() }));
                    }
                    return;
                }
                Turn::Lost(culprit, error) => {
                    let _ = group.remove(culprit).answer.send(Err(error));
                    losses += 1;
                }
            }
            // Whatever is wrong now may be wrong for each of them: a transaction for each bounds the work that is lost.
            if losses > GROUP_LOSSES_MAX {
                break;
            }
        }
        for waiting in group {
            let _ = waiting.answer.send(self.alone(&waiting.work));
        }
    }

    /// Runs a group in one transaction.
    fn turn(&self, group: &[Waiting]) -> Turn {
        let connection = &self.watched.connection;
        if let Err(error) = self.command("BEGIN IMMEDIATE") {
            return Turn::Failed(error);
        }
        let mut outcomes = Vec::with_capacity(group.len());
        for (number, waiting) in group.iter().enumerate() {
            let outcome = self.request(&waiting.work, Guard::Shared);
            if connection.is_autocommit() {
                let lost = || WriteError { step: 0, error: closed().into() };
                return Turn::Lost(number, outcome.err().unwrap_or_else(lost));
            }
            outcomes.push(outcome);
        }
        match self.command("COMMIT") {
            Ok(()) => Turn::Done(outcomes),
            Err(error) => {
                self.roll_back();
                Turn::Failed(error)
            }
        }
    }

    /// Runs one request in a transaction of its own.
    fn alone(&self, work: &Work) -> Outcome {
        let outcome = self.request(work, Guard::Alone);
        self.roll_back();
        outcome
    }

    fn request(&self, work: &Work, guard: Guard) -> Outcome {
        let mut session = WriteSession::new(&self.watched, guard, self.limits);
        let feed = Feed::new(&work.author, &self.feed);
        let setting = Setting { now: now(), cascade_max: self.cascade_max, feed: &feed };
        let outcome = at_once(exec::carry_out(&mut session, work, &self.once, setting));
        let last = work.steps.len().saturating_sub(1);
        match outcome {
            Ok(done) => session.keep().map(|()| done).map_err(|error| {
                self.roll_back();
                WriteError { step: last, error: error.into() }
            }),
            Err(error) => match session.undo() {
                Ok(()) => Err(error),
                Err(failed) => {
                    // What cannot be undone alone must not be committed with the others.
                    self.roll_back();
                    Err(WriteError { step: error.step, error: failed.into() })
                }
            },
        }
    }

    fn roll_back(&self) {
        if self.watched.connection.is_autocommit() {
            return;
        }
        if let Err(error) = self.command("ROLLBACK") {
            tracing::error!(%error, "a transaction cannot be rolled back");
        }
    }

    fn command(&self, sql: &str) -> Result<(), StoreError> {
        self.watched.deadline.set(Duration::from_millis(self.limits.all_ms));
        page::command(&self.watched.connection, sql, self.limits.all_ms)
    }
}

/// How many requests of a group may lose its transaction before the rest is written one by one.
const GROUP_LOSSES_MAX: usize = 1;
