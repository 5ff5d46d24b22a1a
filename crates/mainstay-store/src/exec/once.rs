//! Writes that are done once: their answers kept in the transaction of the write, and looked up there where nobody else writes.
use mainstay_expr::Value;

use super::{Failure, Inputs, Row, Session};
use crate::{
    Kept, Once, StepError, StoreError, Written,
    sql::{Cell, Decode, OnceSql},
};

/// The answer of a write that was done before.
pub(crate) async fn recall<S: Session>(session: &mut S, sql: &OnceSql, once: &Once) -> Result<Option<Kept>, StepError> {
    let mut found = None;
    let mut take = |row: &dyn Row| {
        found = Some(kept(row)?);
        Ok(false)
    };
    session.query(&sql.recall, &Inputs::of(&once.values()), &mut take).await?;
    recalled(once, found)
}

/// The body and the answer of a row that [`OnceSql::recall`] gives.
pub(crate) fn kept(row: &dyn Row) -> Result<(Value, Value), Failure> {
    let bytes = |column| row.value(Cell { column, decode: Decode::Bytes });
    Ok((bytes(0)?, bytes(1)?))
}

/// What such a row, if there was one, means for a write.
pub(crate) fn recalled(once: &Once, found: Option<(Value, Value)>) -> Result<Option<Kept>, StepError> {
    match found {
        None => Ok(None),
        Some((Value::Bytes(body), Value::Bytes(answer))) if *body == once.body => {
            Ok(Some(Kept { answer: answer.to_vec(), replayed: true }))
        }
        Some((Value::Bytes(_), Value::Bytes(_))) => Err(StepError::KeyReused),
        Some(_) => Err(StoreError::Engine("an answer that was kept is no text of bytes".to_owned()).into()),
    }
}

/// Keeps the answer of a write that was done now. Unless that is done beside it, a few are taken out that are too old or too many.
pub(crate) async fn remember<S: Session>(
    session: &mut S,
    sql: &OnceSql,
    once: &Once,
    written: &[Written],
) -> Result<Kept, StepError> {
    let answer = (once.answer)(written);
    if answer.len() > once.answer_bytes_max {
        return Err(StepError::KeptTooLarge { limit: once.answer_bytes_max });
    }
    let mut values = once.values();
    values[5] = Value::Bytes(answer.as_slice().into());
    if sql.is_beside {
        session.execute(&sql.remember, &Inputs::of(&values)).await?;
        return Ok(Kept { answer, replayed: false });
    }
    session.execute(&sql.forget, &Inputs::of(&values)).await?;
    let mut number = 0;
    let mut take = |row: &dyn Row| {
        number = row.int(0)?.unwrap_or_default();
        Ok(true)
    };
    session.query(&sql.remember, &Inputs::of(&values), &mut take).await?;
    let up_to = number.saturating_sub(i64::try_from(once.keys_max).unwrap_or(i64::MAX));
    trim(session, sql, &mut values, up_to).await?;
    Ok(Kept { answer, replayed: false })
}

async fn trim<S: Session>(session: &mut S, sql: &OnceSql, values: &mut [Value], up_to: i64) -> Result<(), Failure> {
    if let Some(trim_old) = &sql.trim_old {
        session.execute(trim_old, &Inputs::of(values)).await?;
    }
    if up_to > 0 {
        values[7] = Value::Int(up_to);
        session.execute(&sql.trim_many, &Inputs::of(values)).await?;
    }
    Ok(())
}
