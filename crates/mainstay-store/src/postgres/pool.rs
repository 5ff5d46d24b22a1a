//! The connections that requests share. Who finds none waits its turn; while the database is away, everybody is told at once.
//!
//! A server that is there and has no room for one more connection is not away: as long as there is another one here, its turn is waited
//! for. There are fewer turns from then on, and now and then one more is tried.
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError},
    time::timeout,
};

use super::{
    connection::{Connection, Connector, Mode},
    engine::CONNECTIONS_BESIDE,
    failure::has_no_room,
};
use crate::StoreError;

/// The first pause after a connection could not be made.
const PAUSE_MIN: Duration = Duration::from_millis(50);
/// The longest.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How long nobody tries one more connection than the server had room for.
const CROWDED: Duration = Duration::from_secs(5);

/// All connections.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    connector: Arc<Connector>,
    permits: Arc<Semaphore>,
    turns_max: usize,
    /// Connections that nobody uses, the one used last on top; those that write apart.
    idle: Mutex<[Vec<Connection>; 2]>,
    waiting: AtomicUsize,
    /// Turns that there are, without those that the server has no room for.
    turns: AtomicUsize,
    /// When one more is tried.
    crowded_until: Mutex<Option<Instant>>,
    away: Mutex<Option<Away>>,
    closing: AtomicBool,
    /// Whether the log is told that the database is away: not before somebody was told that it is there.
    tells: AtomicBool,
}

/// No connection could be made.
struct Away {
    /// Nobody tries before.
    until: Instant,
    pause: Duration,
    why: String,
}

/// Why there is no new connection.
enum NotMade {
    /// The database cannot be reached.
    Away(StoreError),
    /// It has no room for one more, it says.
    Crowded(String),
}

/// A connection that somebody uses; it goes back when this is dropped.
pub(super) struct Held {
    connection: Option<Connection>,
    shared: Arc<Shared>,
    /// Given back after the connection is.
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    pub(super) fn new(connector: Arc<Connector>, connections: usize) -> Pool {
        Pool {
            shared: Arc::new(Shared {
                connector,
                permits: Arc::new(Semaphore::new(connections.max(1))),
                turns_max: connections.max(1),
                idle: Mutex::default(),
                waiting: AtomicUsize::new(0),
                turns: AtomicUsize::new(connections.max(1)),
                crowded_until: Mutex::default(),
                away: Mutex::default(),
                closing: AtomicBool::new(false),
                tells: AtomicBool::new(false),
            }),
        }
    }

    /// The log is told from now on.
    pub(super) fn tell(&self) {
        self.shared.tells.store(true, Ordering::Relaxed);
    }

    /// A connection for statements of a kind.
    pub(super) async fn take(&self, mode: Mode) -> Result<Held, StoreError> {
        let mut held = self.take_any(mode).await?;
        held.connection()?.set_mode(mode);
        Ok(held)
    }

    /// A connection whose statements are whatever they are, of this kind if there is one.
    pub(super) async fn take_any(&self, mode: Mode) -> Result<Held, StoreError> {
        loop {
            self.shared.try_one_more();
            let permit = self.shared.permit().await?;
            let connection = match self.shared.idle(mode) {
                Some(connection) => connection,
                None => match self.shared.connect().await {
                    Ok(connection) => connection,
                    Err(NotMade::Away(error)) => return Err(error),
                    Err(NotMade::Crowded(why)) => {
                        self.shared.do_without(permit, why)?;
                        continue;
                    }
                },
            };
            return Ok(Held { connection: Some(connection), shared: self.shared.clone(), _permit: permit });
        }
    }

    /// Lets go of all connections, and of each that comes back.
    pub(super) fn close(&self) {
        self.shared.closing.store(true, Ordering::Release);
        self.shared.permits.close();
        drop(std::mem::take(&mut *self.shared.idle.lock()));
    }
}

impl Shared {
    async fn permit(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        match self.permits.clone().try_acquire_owned() {
            Ok(permit) => return Ok(permit),
            Err(TryAcquireError::Closed) => return Err(closed()),
            Err(TryAcquireError::NoPermits) => {}
        }
        let settings = &self.connector.settings().postgres;
        let _waiting = Waiting::of(&self.waiting, settings.connections_queue_max)?;
        let wait_max = Duration::from_millis(settings.connections_wait_ms_max);
        match timeout(wait_max, self.permits.clone().acquire_owned()).await {
            Ok(permit) => permit.map_err(|_| closed()),
            Err(_) => Err(StoreError::Overloaded),
        }
    }

    /// A connection that nobody uses, of this kind if there is one.
    fn idle(&self, mode: Mode) -> Option<Connection> {
        let mut idle = self.idle.lock();
        let first = usize::from(mode == Mode::Write);
        for of in [first, 1 - first] {
            while let Some(mut connection) = idle[of].pop() {
                if connection.is_sound() {
                    return Some(connection);
                }
            }
        }
        None
    }

    /// Gives back a turn for which the server has no room; where it is the last one, the database cannot be reached.
    fn do_without(&self, turn: OwnedSemaphorePermit, why: String) -> Result<(), StoreError> {
        let mut until = self.crowded_until.lock();
        let turns = self.turns.load(Ordering::Relaxed);
        if turns <= 1 {
            return Err(self.mark_away(why));
        }
        if until.is_none() {
            tracing::warn!(
                "the database {} has no room for more connections: {why}. Requests wait for those that this process has; what the server \
                 takes (max_connections) is to be at least database.connections and {CONNECTIONS_BESIDE} for each node, and exports",
                self.connector.shown(),
            );
        }
        *until = Some(Instant::now() + CROWDED);
        self.turns.store(turns - 1, Ordering::Relaxed);
        turn.forget();
        Ok(())
    }

    /// Adds a turn again, now and then, where there are fewer than there should be.
    fn try_one_more(&self) {
        if self.turns.load(Ordering::Relaxed) == self.turns_max {
            return;
        }
        let mut until = self.crowded_until.lock();
        let (turns, now) = (self.turns.load(Ordering::Relaxed), Instant::now());
        if turns == self.turns_max || until.is_some_and(|until| now < until) {
            return;
        }
        *until = (turns + 1 < self.turns_max).then_some(now + CROWDED);
        self.turns.store(turns + 1, Ordering::Relaxed);
        self.permits.add_permits(1);
    }

    async fn connect(&self) -> Result<Connection, NotMade> {
        if let Some(away) = &*self.away.lock()
            && Instant::now() < away.until
        {
            return Err(NotMade::Away(StoreError::Unavailable(away.why.clone())));
        }
        let limit = self.connector.patience();
        let outcome = match timeout(limit, self.connector.connect()).await {
            Ok(Err(error)) if has_no_room(&error) => return Err(NotMade::Crowded(self.connector.why_not(&error))),
            Ok(outcome) => outcome.map_err(|error| self.connector.why_not(&error)),
            Err(_) => Err(format!("no answer within {} ms", limit.as_millis())),
        };
        match outcome {
            Ok(connection) => {
                if self.away.lock().take().is_some() {
                    tracing::info!("the database {} is back", self.connector.shown());
                }
                Ok(connection)
            }
            Err(why) => Err(NotMade::Away(self.mark_away(why))),
        }
    }

    fn mark_away(&self, why: String) -> StoreError {
        let mut away = self.away.lock();
        let now = Instant::now();
        let pause = match &*away {
            // Several may have tried at once.
            Some(away) if now < away.until => away.pause,
            Some(away) => (away.pause * 2).min(PAUSE_MAX),
            None => {
                if self.tells.load(Ordering::Relaxed) {
                    tracing::error!("the database {} cannot be reached: {why}", self.connector.shown());
                }
                PAUSE_MIN
            }
        };
        *away = Some(Away { until: now + pause, pause, why: why.clone() });
        StoreError::Unavailable(why)
    }

    fn give_back(&self, mut connection: Connection) {
        if connection.is_sound() && !self.closing.load(Ordering::Acquire) {
            let of = usize::from(connection.mode() == Some(Mode::Write));
            self.idle.lock()[of].push(connection);
        }
    }
}

impl Held {
    /// The connection.
    pub(super) fn connection(&mut self) -> Result<&mut Connection, StoreError> {
        self.connection.as_mut().ok_or_else(closed)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.shared.give_back(connection);
        }
    }
}

/// Somebody who waits.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn of(count: &'a AtomicUsize, max: usize) -> Result<Waiting<'a>, StoreError> {
        let waiting = Waiting(count);
        if count.fetch_add(1, Ordering::Relaxed) < max { Ok(waiting) } else { Err(StoreError::Overloaded) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is asked of a store that is closed.
pub(super) fn closed() -> StoreError {
    StoreError::Unavailable("the database is closed".to_owned())
}
