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

pub(super) fn run(session: &mut dyn Session, task: &Task<'_>, request: Request<'_>) -> Result<Written, StepError> {
    let found = find(session, task, request)?;
    end(session, task, vec![Key::of(found.key.clone())?], request)?;
    Ok(Written { key: found.key, version: found.version, record: None, created: false })
}

/// Looks at the stored record, which must be there and be of the caller's to delete.
pub(super) fn find(session: &mut dyn Session, task: &Task<'_>, request: Request<'_>) -> Result<Found, StepError> {
    let inputs = Inputs { now: request.now, ..Inputs::of(request.values) };
    look(session, &task.sql.look, &inputs, bound_version(task.plan.version, request.values))
}

/// Ends the records with what hangs on them; that one of them links to another holds nothing.
pub(super) fn end(
    session: &mut dyn Session,
    task: &Task<'_>,
    keys: Vec<Key>,
    request: Request<'_>,
) -> Result<(), StepError> {
    let roots = (task.statement.collection, keys);
    let reach = cascade::reach(session, task.cascades, roots, request.cascade_max)?;
    session.protect()?;
    cascade::end(session, task.cascades, &reach, request.now)
}
