//! Many new records, and the notes of their import.
use mainstay_expr::Value;

use super::{Inputs, Request, Session, WriteStatement, failure};
use crate::{StepError, Written, sql::Sql};

/// What nobody asks for.
fn nothing() -> Written {
    Written { key: Value::Null, version: None, record: None, created: false }
}

/// Inserts record after record; `width` values make one.
pub(super) async fn run<S: Session>(
    session: &mut S,
    statement: &WriteStatement,
    sql: &Sql,
    width: usize,
    request: Request<'_>,
) -> Result<Written, StepError> {
    session.protect().await?;
    session
        .execute_each(sql, request.values, width.max(1))
        .await
        .map_err(|failure| failure::of_write(failure, statement.of(), &[]))?;
    Ok(nothing())
}

/// Writes a note.
pub(super) async fn note<S: Session>(session: &mut S, sql: &[Sql], request: Request<'_>) -> Result<Written, StepError> {
    session.protect().await?;
    for sql in sql {
        session.execute(sql, &Inputs::of(request.values)).await?;
    }
    Ok(nothing())
}
