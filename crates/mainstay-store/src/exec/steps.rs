//! The steps of a write, one after another: values that earlier steps tell, and which of two writes an upsert comes to.
use mainstay_expr::Value;

use super::{Feed, Inputs, Request, Session, each, run_statement};
use crate::{ReadTask, Step, StepError, Task, Upsert, Written, step::complete};

/// What all steps of a write share.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    /// The time of the write, in microseconds since 1970.
    pub(crate) now: i64,
    /// How many records a delete may reach.
    pub(crate) cascade_max: usize,
    /// What the change feed is told.
    pub(crate) feed: &'a Feed<'a>,
}

impl<'a> Setting<'a> {
    /// One statement with its values.
    pub(super) fn request(self, values: &'a [Value]) -> Request<'a> {
        Request { values, now: self.now, cascade_max: self.cascade_max, feed: self.feed }
    }
}

/// Carries out one step; `done` is what the earlier ones came to. On an error everything since [`Session::protect`] must be
/// undone.
pub(crate) async fn run<S: Session>(
    session: &mut S,
    step: &Step,
    done: &[Written],
    setting: Setting<'_>,
) -> Result<Written, StepError> {
    match step {
        Step::Run(task) => run_task(session, task, done, setting).await,
        Step::Read(read) => run_read(session, read, done).await,
        Step::Upsert(upsert) => run_upsert(session, upsert, done, setting).await,
        Step::Each(each) => each::run(session, each, done, setting).await,
    }
}

pub(super) async fn run_task<S: Session>(
    session: &mut S,
    task: &Task,
    done: &[Written],
    setting: Setting<'_>,
) -> Result<Written, StepError> {
    let values = complete(&task.values, &task.late, done);
    let request = setting.request(&values);
    run_statement(session, &task.statement, request).await
}

async fn run_read<S: Session>(session: &mut S, read: &ReadTask, done: &[Written]) -> Result<Written, StepError> {
    let values = complete(&read.values, &read.late, done);
    let page = session.read(&read.statement.sql, &Inputs::of(&values), &mut Vec::new()).await?;
    let (key, version) = done.get(read.of).map_or((Value::Null, None), |of| (of.key.clone(), of.version));
    let record = (page.rows > 0).then_some(page.json);
    Ok(Written { key, version: page.version.or(version), record, created: false })
}

async fn run_upsert<S: Session>(
    session: &mut S,
    upsert: &Upsert,
    done: &[Written],
    setting: Setting<'_>,
) -> Result<Written, StepError> {
    let found = run_task(session, &upsert.find, done, setting).await?;
    let exists = is_found(&found);
    if exists
        && let (None, Some(seen)) = (&upsert.update, &upsert.seen)
        && !is_found(&run_task(session, seen, done, setting).await?)
    {
        return Err(StepError::OfUpdate(Box::new(StepError::NotFound)));
    }
    let task = if exists { &upsert.update } else { &upsert.create };
    let task = task.as_ref().ok_or(StepError::CannotUpsert { exists })?;
    let written = run_task(session, task, done, setting).await;
    if exists { written.map_err(|error| StepError::OfUpdate(Box::new(error))) } else { written }
}

/// Whether a look-up for one key has found it.
fn is_found(found: &Written) -> bool {
    matches!(&found.key, Value::List(keys) if keys.first().is_some_and(|key| !key.is_null()))
}
