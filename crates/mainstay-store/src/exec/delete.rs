//! The end of one record or several, with what hangs on them.
use std::sync::Arc;

use mainstay_plan::Delete;

use super::{
    Inputs, Request, Session, WriteStatement, cascade,
    key::Key,
    update::{Found, bound_version, look},
};
use crate::{
    StepError, Written,
    sql::{Cascade, DeleteSql},
};

/// A delete with its statements.
pub(super) struct Task<'a> {
    pub(super) statement: &'a WriteStatement,
    pub(super) plan: &'a Delete,
    pub(super) sql: &'a DeleteSql,
    pub(super) cascades: &'a Arc<[Cascade]>,
}

pub(super) async fn run<S: Session>(
    session: &mut S,
    task: &Task<'_>,
    request: Request<'_>,
) -> Result<Written, StepError> {
    let found = find(session, task, request).await?;
    end(session, task, vec![Key::of(found.key.clone())?], request).await?;
    Ok(Written { key: found.key, version: found.version, record: None, created: false })
}

/// Looks at the stored record, which must be there and be of the caller's to delete.
pub(super) async fn find<S: Session>(
    session: &mut S,
    task: &Task<'_>,
    request: Request<'_>,
) -> Result<Found, StepError> {
    let inputs = Inputs { now: request.now, ..Inputs::of(request.values) };
    look(session, &task.sql.look, &inputs, bound_version(task.plan.version, request.values)).await
}

/// Ends the records with what hangs on them; that one of them links to another holds nothing.
pub(super) async fn end<S: Session>(
    session: &mut S,
    task: &Task<'_>,
    keys: Vec<Key>,
    request: Request<'_>,
) -> Result<(), StepError> {
    let roots = (task.statement.collection, keys);
    let reach = cascade::reach(session, task.cascades, roots, request.cascade_max).await?;
    session.protect().await?;
    cascade::end(session, task.cascades, &reach, request).await
}
