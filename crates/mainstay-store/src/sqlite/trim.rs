//! Takes old changes out of the feed, a few at a time, so that nobody who writes waits for long.
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::mpsc::Sender;

use super::{feed::number, now, writer::Job};
use crate::{FeedSettings, Retention, feed::Class};

/// Changes that are looked at in one transaction.
const CHUNK: u64 = 1_000;
/// Changes whose sizes stand for all.
const SAMPLE: u64 = 256;
/// What a change takes beside its texts, in bytes, about.
const CHANGE_BYTES: u64 = 60;

/// What is kept, and how far it was looked through.
#[derive(Debug)]
pub(super) struct Trim {
    settings: FeedSettings,
    /// Each with the number up to which nothing of it is left to take out.
    classes: Mutex<Vec<(Class, u64)>>,
    /// The change up to which there were too many when their sizes were last looked at.
    excess: AtomicU64,
}

impl Trim {
    pub(super) fn new(settings: FeedSettings) -> Trim {
        let trim = Trim { settings, classes: Mutex::default(), excess: AtomicU64::new(0) };
        trim.retain(&[]);
        trim
    }

    /// Says how long the changes of some collections are kept.
    pub(super) fn retain(&self, of: &[Retention]) {
        let classes = Class::all(self.settings.keep_s, of);
        *self.classes.lock() = classes.into_iter().map(|class| (class, 0)).collect();
    }

    /// Takes out some changes of those that are too old or too many: how many, and whether there may be more.
    pub(super) fn some(&self, connection: &Connection, now_micros: i64) -> rusqlite::Result<(u64, bool)> {
        let last = super::feed::end(connection)?;
        for (class, done) in &mut *self.classes.lock() {
            let Some(up_to) = old(connection, *done, class.before(now_micros))? else { continue };
            let up_to = up_to.min(last.saturating_sub(1));
            if up_to <= *done {
                continue;
            }
            let taken = take(connection, (*done, up_to), &class.names, class.inside)?;
            *done = up_to;
            return Ok((taken, true));
        }
        let Some(first) = first(connection)? else { return Ok((0, false)) };
        // All sizes are estimated once a round: what comes to be too many meanwhile waits for the next.
        let excess = match self.excess.swap(0, Relaxed) {
            0 => self.too_many(connection, (first, last))?,
            known => (first <= known).then_some(known),
        };
        let Some(excess) = excess else { return Ok((0, false)) };
        self.excess.store(excess, Relaxed);
        Ok((take(connection, (first - 1, excess.min(first + CHUNK - 1)), "[]", false)?, true))
    }

    /// Up to which change there is too much, where there is; never all of them. Numbers whose change is gone already take nothing.
    fn too_many(&self, connection: &Connection, (first, last): (u64, u64)) -> rusqlite::Result<Option<u64>> {
        let step = ((last.saturating_sub(first) + 1) / SAMPLE).max(1);
        let mut sample = connection.prepare_cached(
            "SELECT coalesce(length(before), 0) + coalesce(length(after), 0) + length(record) + length(collection) + \
             coalesce(length(caller), 0) + coalesce(length(request), 0) FROM mainstay_changes WHERE seq = ?1",
        )?;
        let room = self.settings.size_max_mib.saturating_mul(1024 * 1024);
        let mut bytes = 0_u64;
        for at in (first..last).rev().step_by(usize::try_from(step).unwrap_or(usize::MAX)) {
            let size = sample.query_row([number(at)], |row| row.get::<_, i64>(0)).optional()?;
            bytes += size.map_or(0, |size| (size.unsigned_abs() + CHANGE_BYTES) * step);
            if bytes > room {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }
}

/// The number of the first change that is there.
fn first(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    let sql = "SELECT min(seq) FROM mainstay_changes";
    let first = connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, Option<i64>>(0))?;
    Ok(first.map(i64::unsigned_abs))
}

/// The last of some changes behind a number that are older than a moment.
fn old(connection: &Connection, behind: u64, before: i64) -> rusqlite::Result<Option<u64>> {
    let sql = "SELECT seq, time FROM mainstay_changes WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![number(behind), number(CHUNK)])?;
    let mut found = None;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(1)? >= before {
            break;
        }
        found = Some(row.get::<_, i64>(0)?.unsigned_abs());
    }
    Ok(found)
}

/// Takes changes out between two numbers, of these collections or of all others, and writes down that they are gone.
fn take(connection: &Connection, (behind, up_to): (u64, u64), names: &str, inside: bool) -> rusqlite::Result<u64> {
    let which = "seq > ?1 AND seq <= ?2 AND (collection IN (SELECT value FROM json_each(?3))) = ?4";
    let values = params![number(behind), number(up_to), names, inside];
    let transaction = connection.unchecked_transaction()?;
    transaction
        .prepare_cached(&format!(
            "INSERT INTO mainstay_changes_gone (collection, xid, seq) SELECT collection, 0, max(seq) FROM \
             mainstay_changes WHERE {which} GROUP BY collection ON CONFLICT (collection) DO UPDATE SET seq = \
             max(seq, excluded.seq)"
        ))?
        .execute(values)?;
    let taken = transaction.prepare_cached(&format!("DELETE FROM mainstay_changes WHERE {which}"))?.execute(values)?;
    transaction.commit()?;
    Ok(taken as u64)
}

/// The thread that has the writer trim from time to time.
#[derive(Debug)]
pub(super) struct Trimmer {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Trimmer {
    pub(super) fn start(trim: Arc<Trim>, jobs: Sender<Job>) -> std::io::Result<Trimmer> {
        let every = Duration::from_millis(trim.settings.trim_every_ms.max(1));
        let (stop, stopped) = sync_channel(1);
        let thread = std::thread::Builder::new().name("mainstay-trim".to_owned()).spawn(move || {
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                // Each part is a job of its own: whoever writes meanwhile comes between two of them.
                while trim_some(&trim, &jobs) {
                    if stopped.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout) {
                        return;
                    }
                }
            }
        })?;
        Ok(Trimmer { stop: Some(stop), thread: Some(thread) })
    }

    /// Ends the thread.
    pub(super) fn close(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked trims no more.
            let _ = thread.join();
        }
    }
}

/// What is left to the others between two parts.
const PAUSE: Duration = Duration::from_millis(5);

/// Has the writer take out some changes; whether there may be more.
fn trim_some(trim: &Arc<Trim>, jobs: &Sender<Job>) -> bool {
    let (answer, answered) = sync_channel(1);
    let trim = trim.clone();
    let job = Job::Alone(Box::new(move |connection| {
        let _ = answer.send(trim.some(connection, now()));
    }));
    if jobs.try_send(job).is_err() {
        return false;
    }
    match answered.recv() {
        Ok(Ok((_, more))) => more,
        Ok(Err(error)) => {
            tracing::warn!(%error, "old changes cannot be taken out");
            false
        }
        Err(_) => false,
    }
}
