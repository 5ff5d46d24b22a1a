//! Writes that are done once for a key, many at a time. What a transaction reads of the kept answers would be what others write: keys of
//! one caller stand on one page of the index, which is as much as the database tells apart, and one of two writes would have to be run again.
//!
//! 1. A write adds its row and reads none. The unique of caller, key and request keeps it from being done twice.
//! 2. Whether it was done before is looked up in a transaction of its own: before the first attempt by who asks for the write, then here
//!    before each other one, and before it is told of a failure.
//! 3. What is too old, or too many of one caller, is known no more; now and then a write that was kept has what is too many taken out.
use std::sync::{Arc, atomic::Ordering};

use mainstay_expr::Value;
use tokio_postgres::Row;

use super::{
    connection::{Connection, Mode, Stopped},
    engine::{Engine, Inner},
    failure::told,
};
use crate::{
    Kept, Once, StepError, StoreError,
    exec::{self, Inputs},
    sql::TRIMMED_ONE_IN,
};

/// What each transaction is in which answers are looked up or taken out.
const BESIDE: &str = "READ COMMITTED, READ WRITE";

/// The answer of a write that was done meanwhile. A key that is known no more can be used after that.
pub(super) async fn look(inner: &Inner, once: &Once) -> Result<Option<Kept>, StepError> {
    let mut held = inner.pool.take_any(Mode::Write).await?;
    let connection = held.connection()?;
    connection.begin(BESIDE);
    let found = recall_or_forget(connection, inner, &once.values()).await;
    let ended = connection.end("COMMIT").await;
    let found = found.map_err(|stopped| inner.failed(stopped))?;
    ended.map_err(|error| inner.failed(error.into()))?;
    exec::once::recalled(once, found)
}

/// The body and the answer that are kept for a key; where they are known no more, they go.
async fn recall_or_forget(
    connection: &mut Connection,
    inner: &Inner,
    values: &[Value],
) -> Result<Option<(Value, Value)>, Stopped> {
    let mut found = None;
    let mut take = |row: &Row| {
        found = Some(exec::once::kept(row)?);
        Ok(false)
    };
    connection.rows(&inner.once.recall, &Inputs::of(values), &mut take).await?;
    if found.is_none() {
        connection.rows(&inner.once.forget, &Inputs::of(values), &mut |_| Ok(true)).await?;
    }
    Ok(found)
}

impl Engine {
    /// A write was kept: now and then what is known no more is taken out.
    pub(super) fn kept_one(&self, once: &Arc<Once>) {
        if self.inner.kept.fetch_add(1, Ordering::Relaxed) % TRIMMED_ONE_IN != TRIMMED_ONE_IN - 1 {
            return;
        }
        let (inner, once) = (self.inner.clone(), once.clone());
        let begun = self.own.spawn(async move || {
            if let Err(error) = trim(&inner, &once).await {
                tracing::debug!(%error, "kept answers are trimmed another time");
            }
        });
        if let Err(error) = begun {
            tracing::debug!(%error, "nothing is trimmed any more");
        }
    }
}

/// Takes out answers of a caller that are too many; those that are too old go with the signs of life.
async fn trim(inner: &Inner, once: &Once) -> Result<(), StoreError> {
    let mut held = inner.take_own().await?;
    let connection = held.connection()?;
    let values = once.values();
    connection.begin(BESIDE);
    let outcome = connection.rows(&inner.once.trim_many, &Inputs::of(&values), &mut |_| Ok(true)).await;
    let ended = connection.end("COMMIT").await;
    outcome.map_err(|stopped| stopped.into_store_error(0))?;
    ended.map_err(|error| StoreError::Unavailable(told(&error)))
}
