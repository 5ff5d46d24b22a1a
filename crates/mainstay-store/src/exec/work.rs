//! A whole write: all of its steps, and what is kept of it where it is done once for a key.
use std::sync::Arc;

use super::{Session, Setting, once, run};
use crate::{Author, Kept, Once, Step, StepError, Write, WriteError, Written, sql::OnceSql};

/// What a request is to do: a value that can be run again.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    /// Its steps.
    pub(crate) steps: Vec<Step>,
    /// Who wants it.
    pub(crate) author: Author,
    /// The key that it is done once for.
    pub(crate) once: Option<Arc<Once>>,
}

impl Work {
    /// A write, done once where it has a key.
    pub(crate) fn of(write: Write, once: Option<Arc<Once>>) -> Work {
        Work { steps: write.steps, author: write.author, once }
    }
}

/// What a request did.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// What each step did; nothing where it was done before.
    pub(crate) written: Vec<Written>,
    /// The answer that is kept, where the request is done once for its key.
    pub(crate) kept: Option<Kept>,
}

/// What a write comes to.
pub(crate) type Outcome = Result<Done, WriteError>;

/// Carries out a request. On an error everything since [`Session::protect`] must be undone.
pub(crate) async fn carry_out<S: Session>(
    session: &mut S,
    work: &Work,
    sql: &OnceSql,
    setting: Setting<'_>,
) -> Outcome {
    let Some(key) = &work.once else {
        return steps(session, &work.steps, setting).await.map(|written| Done { written, kept: None });
    };
    let failed = |error: StepError| WriteError { step: 0, error };
    session.protect().await.map_err(|failure| failed(failure.into()))?;
    // What it answers is kept in the transaction of its steps.
    if !sql.is_beside
        && let Some(kept) = once::recall(session, sql, key).await.map_err(failed)?
    {
        return Ok(Done { written: Vec::new(), kept: Some(kept) });
    }
    let written = steps(session, &work.steps, setting).await?;
    let kept = once::remember(session, sql, key, &written).await.map_err(failed)?;
    Ok(Done { written, kept: Some(kept) })
}

/// Carries out the steps, one after another.
pub(crate) async fn steps<S: Session>(
    session: &mut S,
    steps: &[Step],
    setting: Setting<'_>,
) -> Result<Vec<Written>, WriteError> {
    if steps.len() > 1 {
        session.protect().await.map_err(|failure| WriteError { step: 0, error: failure.into() })?;
    }
    setting.feed.clear();
    let mut done = Vec::with_capacity(steps.len());
    for (number, step) in steps.iter().enumerate() {
        let written = run(session, step, &done, setting).await;
        done.push(written.map_err(|error| WriteError { step: number, error })?);
    }
    if let Err(failure) = setting.feed.write_down(session, setting.now).await {
        let failed =
            |failure: super::Failure| WriteError { step: steps.len().saturating_sub(1), error: failure.into() };
        session.tear().await.map_err(failed)?;
        return Err(failed(failure));
    }
    Ok(done)
}
