//! Writes: each in one transaction as if nobody else wrote, run again where others got in its way.
use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

use tokio::{sync::Mutex, time::timeout};

use super::{
    connection::Mode,
    engine::Inner,
    once,
    session::{Fate, Guard, WriteSession},
};
use crate::{
    Step, StepError, StoreError, WriteError,
    exec::{self, Done, Feed, Outcome, Setting, Work},
};

/// Writes that others got in the way of run again one by one, those that may meet each other in one row.
const LANES: usize = 16;
/// The longest pause before a write is run again: the first are a few milliseconds.
const PAUSE_MAX: Duration = Duration::from_millis(100);

/// The rows in which writes wait that are run again.
pub(super) type Lanes = [Mutex<()>; LANES];

/// Carries out a request; on disk once this returns.
pub(super) async fn run(inner: &Inner, work: &Work) -> Outcome {
    let limit_ms = inner.settings.statement_ms_max;
    match timeout(Duration::from_millis(limit_ms), attempts(inner, work)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(StoreError::TimedOut { limit_ms }.into()),
    }
}

async fn attempts(inner: &Inner, work: &Work) -> Outcome {
    let mut guard = if is_single(inner, work) { Guard::Single } else { Guard::Transaction };
    let mut lane = None;
    let mut conflicts = 0;
    let mut looked_again = false;
    loop {
        let (outcome, fate) = attempt(inner, work, guard).await;
        match (outcome, fate) {
            (Err(_), Fate::InTransaction) if guard == Guard::Single => guard = Guard::Transaction,
            (Err(_), Fate::Again) if conflicts < inner.settings.postgres.retries_max => {
                conflicts += 1;
                if lane.is_none() {
                    lane = Some(inner.lanes[lane_of(work)].lock().await);
                }
                tokio::time::sleep(pause(conflicts)).await;
                if let Some(done) = done_meanwhile(inner, work).await? {
                    return Ok(done);
                }
            }
            (Err(error), Fate::Again) => return Err(WriteError { error: StoreError::Conflict.into(), ..error }),
            // Where the same request was done meanwhile, what it did may be what this one fails for. Or somebody has made the record that
            // is to be changed where there is one.
            (Err(error), _) if !matches!(error.error, StepError::Store(_)) => {
                if let Some(done) = done_meanwhile(inner, work).await? {
                    return Ok(done);
                }
                if looked_again || !looks_first(&work.steps) || !is_not_unique(&error) {
                    return Err(error);
                }
                looked_again = true;
            }
            (outcome, _) => return outcome,
        }
    }
}

/// What came of the same request, where it was done meanwhile.
async fn done_meanwhile(inner: &Inner, work: &Work) -> Result<Option<Done>, WriteError> {
    let Some(once) = &work.once else { return Ok(None) };
    let kept = once::look(inner, once).await.map_err(|error| WriteError { step: 0, error })?;
    Ok(kept.map(|kept| Done { written: Vec::new(), kept: Some(kept) }))
}

async fn attempt(inner: &Inner, work: &Work, guard: Guard) -> (Outcome, Fate) {
    let mut held = match inner.pool.take(Mode::Write).await {
        Ok(held) => held,
        Err(error) => return (Err(error.into()), Fate::Final),
    };
    let connection = match held.connection() {
        Ok(connection) => connection,
        Err(error) => return (Err(error.into()), Fate::Final),
    };
    let mut session = WriteSession::new(connection, guard, inner.limits());
    let feed = Feed::new(&work.author, &inner.feed);
    let setting = Setting { now: super::now(), cascade_max: inner.settings.cascade_max, feed: &feed };
    let outcome = exec::carry_out(&mut session, work, &inner.once, setting).await;
    let outcome = match outcome {
        Ok(done) => keep(&mut session, work, done).await,
        Err(error) => {
            session.undo().await;
            Err(error)
        }
    };
    if outcome.is_ok() && feed.has_told() {
        inner.wake.wrote();
    }
    (outcome, session.fate())
}

/// Whether a request looks for what is there before it makes it. Who made that meanwhile may have looked for nothing, and then nobody
/// notices but the unique.
pub(super) fn looks_first(steps: &[Step]) -> bool {
    steps.iter().any(|step| matches!(step, Step::Upsert(_)))
}

pub(super) fn is_not_unique(error: &WriteError) -> bool {
    matches!(error.error, StepError::NotUnique { .. })
}

async fn keep(session: &mut WriteSession<'_>, work: &Work, done: Done) -> Outcome {
    let last = work.steps.len().saturating_sub(1);
    let kept = session.keep().await;
    kept.map(|()| done).map_err(|failure| WriteError { step: last, error: failure.into() })
}

/// Whether a request is one statement, unless that comes to nothing.
fn is_single(inner: &Inner, work: &Work) -> bool {
    match &work.steps[..] {
        [Step::Run(task)] => work.once.is_none() && !inner.is_pooled_outside() && task.statement.is_single(),
        _ => false,
    }
}

/// The row in which a request waits: that of the collection that it writes first.
fn lane_of(work: &Work) -> usize {
    let statement = work.steps.first().and_then(Step::statement);
    statement.map_or(0, |statement| statement.collection.0 as usize % LANES)
}

/// Longer each time, and by chance, so that two that met do not meet again.
pub(super) fn pause(conflicts: u32) -> Duration {
    let longest = Duration::from_millis(1 << conflicts.min(7)).min(PAUSE_MAX);
    let chance = RandomState::new().build_hasher().finish() % 1_000;
    longest.mul_f64(chance as f64 / 1_000.0)
}
