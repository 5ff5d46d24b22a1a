//! Keys that later steps need, looked up in the transaction.
use mainstay_expr::Value;
use mainstay_plan::Find;

use super::{Inputs, Request, Row, Session};
use crate::{StepError, Written, sql::FindSql};

pub(super) async fn run<S: Session>(
    session: &mut S,
    plan: &Find,
    sql: &FindSql,
    request: Request<'_>,
) -> Result<Written, StepError> {
    let mut keys = Vec::new();
    let mut take = |row: &dyn Row| {
        keys.push(row.value(sql.key)?);
        Ok(true)
    };
    session.query(&sql.sql, &Inputs::of(request.values), &mut take).await?;
    let missing = || keys.iter().enumerate().filter(|(_, key)| key.is_null()).map(|(at, _)| at as u32);
    if plan.all && missing().next().is_some() {
        return Err(StepError::NotFoundAt { at: missing().collect() });
    }
    Ok(Written { key: Value::List(keys.into()), version: None, record: None, created: false })
}

/// The keys of all records that a condition holds of.
pub(super) async fn matching<S: Session>(
    session: &mut S,
    sql: &FindSql,
    limit: u16,
    request: Request<'_>,
) -> Result<Written, StepError> {
    let limit = match request.values.get(usize::from(limit)) {
        Some(Value::Int(limit)) => usize::try_from(*limit).unwrap_or_default(),
        _ => 0,
    };
    let mut keys = Vec::new();
    let mut take = |row: &dyn Row| {
        keys.push(row.value(sql.key)?);
        Ok(keys.len() <= limit)
    };
    session.query(&sql.sql, &Inputs::of(request.values), &mut take).await?;
    if keys.len() > limit {
        return Err(StepError::TooManyMatch { limit });
    }
    Ok(Written { key: Value::List(keys.into()), version: None, record: None, created: false })
}
