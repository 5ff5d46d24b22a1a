//! The end of one record, with what hangs on it.
use std::sync::Arc;

use mainstay_plan::Delete;

use super::{
    Inputs, Request, Session, WriteStatement, cascade,
    key::Key,
    update::{bound_version, look},
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
    let inputs = Inputs { now: request.now, ..Inputs::of(request.values) };
    let wanted = bound_version(task.plan.version, request.values);
    let found = look(session, &task.sql.look, &inputs, wanted)?;
    let root = (task.statement.collection, Key::of(found.key.clone())?);
    let reach = cascade::reach(session, task.cascades, root, request.cascade_max)?;
    session.protect()?;
    cascade::end(session, task.cascades, &reach, request.now)?;
    Ok(Written { key: found.key, version: found.version, record: None, created: false })
}
