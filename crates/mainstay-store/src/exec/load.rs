//! Many new records, and the notes of their import.
use mainstay_expr::Value;

use super::{Inputs, Request, Session, WriteStatement, failure};
use crate::{StepError, Written, sql::Sql};

/// What nobody asks for.
fn nothing() -> Written {
    Written { key: Value::Null, version: None, record: None, created: false }
}

/// Inserts record after record; `width` values make one.
pub(super) fn run(
    session: &mut dyn Session,
    statement: &WriteStatement,
    sql: &Sql,
    width: usize,
    request: Request<'_>,
) -> Result<Written, StepError> {
    session.protect()?;
    session
        .execute_each(sql, request.values, width.max(1))
        .map_err(|failure| failure::of_write(failure, statement.of(), &[]))?;
    Ok(nothing())
}

/// Writes a note.
pub(super) fn note(session: &mut dyn Session, sql: &[Sql], request: Request<'_>) -> Result<Written, StepError> {
    session.protect()?;
    for sql in sql {
        session.execute(sql, &Inputs::of(request.values))?;
    }
    Ok(nothing())
}
