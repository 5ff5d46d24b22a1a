//! The half of a connection that talks to the server. Whoever waits for an answer runs it: with a task of its own, each statement would
//! wake two tasks, often on two processors.
//!
//! The work (a statement, up to its last row) and the half wake each other through bits, and the task only from outside:
//!
//! ```text
//!           socket ready            another thread
//!                |                        |
//!             [HALF] -- messages --> [WORK]          while RUNNING: the loop goes on
//!             [HALF] <-- requests -- [WORK]          else:          the task is woken
//! ```
use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio_postgres::{Socket, tls::MakeTlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::told;

/// What `tokio_postgres` calls a connection.
pub(super) type Half = tokio_postgres::Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// The work is to be polled.
const WORK: u8 = 1;
/// The half is to be polled.
const HALF: u8 = 2;
/// Both are looked at right now.
const RUNNING: u8 = 4;

/// Turns after which others on this thread have theirs.
const TURNS_MAX: usize = 128;

/// The half, until it has ended or runs in a task of its own.
pub(super) struct OtherHalf {
    half: Option<Box<Half>>,
    wakes: Arc<Wakes>,
    of_work: Waker,
    of_half: Waker,
}

impl OtherHalf {
    pub(super) fn new(half: Half) -> OtherHalf {
        let wakes = Arc::new(Wakes { bits: AtomicU8::new(HALF), task: Mutex::default() });
        let waker = |bit| Waker::from(Arc::new(Side { bit, wakes: wakes.clone() }));
        OtherHalf { half: Some(Box::new(half)), of_work: waker(WORK), of_half: waker(HALF), wakes }
    }

    /// Waits for what is asked of the client.
    pub(super) async fn run<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        if self.half.is_none() {
            return work.await;
        }
        self.wakes.bits.fetch_or(WORK, Ordering::AcqRel);
        let outcome = poll_fn(|context| self.turn(work.as_mut(), context)).await;
        // Nobody waits any more.
        drop(self.wakes.task.lock().take());
        outcome
    }

    /// Looks whether the server has ended the connection meanwhile; then the client knows.
    pub(super) fn look(&mut self) {
        if self.wakes.bits.fetch_and(!HALF, Ordering::AcqRel) & HALF != 0 {
            self.poll_half();
        }
    }

    /// From here on it runs in a task of its own.
    pub(super) fn let_go(&mut self, handle: &Handle) {
        if let Some(half) = self.half.take() {
            drop(handle.spawn(async move { ended(half.await) }));
        }
    }

    fn turn<T>(&mut self, mut work: Pin<&mut impl Future<Output = T>>, context: &mut Context<'_>) -> Poll<T> {
        self.wakes.begin(context);
        for _ in 0..TURNS_MAX {
            if self.wakes.take(WORK)
                && let Poll::Ready(outcome) = work.as_mut().poll(&mut Context::from_waker(&self.of_work))
            {
                self.wakes.take(RUNNING);
                return Poll::Ready(outcome);
            }
            if self.wakes.take(HALF) {
                self.poll_half();
            }
            if self.wakes.rest() {
                return Poll::Pending;
            }
        }
        self.wakes.take(RUNNING);
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_half(&mut self) {
        let Some(half) = &mut self.half else { return };
        if let Poll::Ready(outcome) = Pin::new(half).poll(&mut Context::from_waker(&self.of_half)) {
            ended(outcome);
            // Whoever waits for an answer is told so.
            self.half = None;
            self.wakes.bits.fetch_or(WORK, Ordering::AcqRel);
        }
    }
}

fn ended(outcome: Result<(), tokio_postgres::Error>) {
    if let Err(error) = outcome {
        tracing::debug!(error = told(&error), "a connection to the database has ended");
    }
}

/// Who is to be polled, and the task that does it.
struct Wakes {
    bits: AtomicU8,
    task: Mutex<Option<Waker>>,
}

impl Wakes {
    /// The task of this context looks at both from here on.
    fn begin(&self, context: &Context<'_>) {
        self.bits.fetch_or(RUNNING, Ordering::AcqRel);
        let mut task = self.task.lock();
        if !task.as_ref().is_some_and(|task| task.will_wake(context.waker())) {
            *task = Some(context.waker().clone());
        }
    }

    /// Whether a bit was there; it is not any more.
    fn take(&self, bit: u8) -> bool {
        self.bits.fetch_and(!bit, Ordering::AcqRel) & bit != 0
    }

    /// Nobody looks any more, unless there is something to look at.
    fn rest(&self) -> bool {
        self.bits.compare_exchange(RUNNING, 0, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// One of the two, as a waker.
struct Side {
    bit: u8,
    wakes: Arc<Wakes>,
}

impl Wake for Side {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.wakes.bits.fetch_or(self.bit, Ordering::AcqRel) & RUNNING == 0 {
            let task = self.wakes.task.lock().clone();
            if let Some(task) = task {
                task.wake();
            }
        }
    }
}
