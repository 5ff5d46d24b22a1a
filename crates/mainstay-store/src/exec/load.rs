//! Many new records, and the notes of their import.
use mainstay_expr::Value;

use super::{Inputs, Request, Row, Session, WriteStatement, failure, feed};
use crate::{
    StepError, StoreError, Written,
    sql::{FedValues, InsertSql, Sql},
};

/// What nobody asks for.
fn nothing() -> Written {
    Written { key: Value::Null, version: None, record: None, created: false }
}

/// Many new records with their statement.
pub(super) struct Task<'a> {
    pub(super) statement: &'a WriteStatement,
    pub(super) sql: &'a InsertSql,
    /// How many values make a record.
    pub(super) width: usize,
    pub(super) fed: Option<&'a FedValues>,
}

/// Inserts record after record.
pub(super) async fn run<S: Session>(
    session: &mut S,
    task: &Task<'_>,
    request: Request<'_>,
) -> Result<Written, StepError> {
    session.protect().await?;
    let (of, width) = (task.statement.of(), task.width.max(1));
    let fed = task.fed.filter(|_| request.feed.is_on());
    // In parts, so that what is noted of them takes little room.
    let together = if fed.is_some() { width * NOTED_MAX } else { request.values.len().max(1) };
    for values in request.values.chunks(together) {
        let inserted = session.insert(task.sql, values, width).await;
        inserted.map_err(|failure| failure::of_write(failure, of, &[]))?;
        if let Some(fed) = fed {
            let noted = values.chunks(width).map(|values| feed::loaded(task.statement, fed, values));
            request.feed.write(session, noted.collect(), request.now).await?;
        }
    }
    Ok(nothing())
}

/// Records whose changes are noted together.
const NOTED_MAX: usize = 1_024;

/// Writes a note, or finds one.
pub(super) async fn note<S: Session>(
    session: &mut S,
    sql: &[Sql],
    finds: bool,
    request: Request<'_>,
) -> Result<Written, StepError> {
    session.protect().await?;
    let inputs = Inputs::of(request.values);
    for sql in sql {
        if !finds {
            session.execute(sql, &inputs).await?;
            continue;
        }
        let mut is_there = false;
        let mut take = |_: &dyn Row| {
            is_there = true;
            Ok(true)
        };
        session.query(sql, &inputs, &mut take).await?;
        if !is_there {
            return Err(StoreError::ImportEnded.into());
        }
    }
    Ok(nothing())
}
