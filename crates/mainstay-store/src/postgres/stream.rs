//! Streams: reads without an end in sight, in one snapshot, handed out in batches.
use std::sync::Arc;

use mainstay_expr::Value;
use tokio::sync::mpsc::Sender;
use tokio_postgres::{IsolationLevel, Transaction};

use super::{bind::params, connection::forms, engine::Inner, failure::store_error};
use crate::{
    Batch, StoreError,
    exec::{self, Inputs, Row},
    read::ReadStatement,
};

/// Batches of a stream that wait to be taken.
pub(super) const BATCHES_WAITING_MAX: usize = 4;
/// Rows that the server is asked for first, and at most at a time: as many as have about so many bytes.
const ROWS_FIRST: i32 = 100;
const ROWS_MAX: i32 = 1_000;
const PORTION_BYTES: usize = 1024 * 1024;
/// A stream takes as long as it takes.
const WITHOUT_LIMITS: &str = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";

/// Nobody takes the batches any more.
struct Gone;

/// Carries out the reads; the last thing sent may be a failure.
pub(super) async fn run(
    inner: &Inner,
    reads: &[(Arc<ReadStatement>, Vec<Value>)],
    batches: &Sender<Result<Batch, StoreError>>,
) {
    if let Err(error) = in_snapshot(inner, reads, batches).await {
        let _ = batches.send(Err(error)).await;
    }
}

async fn in_snapshot(
    inner: &Inner,
    reads: &[(Arc<ReadStatement>, Vec<Value>)],
    batches: &Sender<Result<Batch, StoreError>>,
) -> Result<(), StoreError> {
    let failed = |error: tokio_postgres::Error| store_error(&error, 0);
    // A connection of its own, which ends with the stream.
    let mut connection = inner.connector.connect().await.map_err(failed)?;
    let begin = connection.client_mut().build_transaction().isolation_level(IsolationLevel::RepeatableRead);
    let transaction = begin.read_only(true).start().await.map_err(failed)?;
    transaction.batch_execute(&format!("{WITHOUT_LIMITS}; {}", forms())).await.map_err(failed)?;
    for (number, (statement, values)) in reads.iter().enumerate() {
        match one(&transaction, number, statement, values, batches).await? {
            Ok(()) => {}
            Err(Gone) => break,
        }
    }
    transaction.rollback().await.map_err(failed)
}

async fn one(
    transaction: &Transaction<'_>,
    read: usize,
    of: &ReadStatement,
    values: &[Value],
    batches: &Sender<Result<Batch, StoreError>>,
) -> Result<Result<(), Gone>, StoreError> {
    let failed = |error: tokio_postgres::Error| store_error(&error, 0);
    let statement = transaction.prepare(&of.sql.page.text).await.map_err(failed)?;
    let values = params(&of.sql.page, &Inputs::of(values));
    let portal = transaction.bind_raw(&statement, values).await.map_err(failed)?;
    let mut batch = Batch::of(read);
    let mut wanted = ROWS_FIRST;
    loop {
        let rows = transaction.query_portal(&portal, wanted).await.map_err(failed)?;
        let mut bytes = 0;
        for row in &rows {
            let before = batch.json.len();
            row.write(&of.sql.columns, &mut batch.json).map_err(exec::store_error)?;
            bytes += batch.json.len() - before;
            if let Some(full) = batch.end_record()
                && batches.send(Ok(full)).await.is_err()
            {
                return Ok(Err(Gone));
            }
        }
        if rows.is_empty() {
            break;
        }
        wanted = portion(rows.len(), bytes);
    }
    Ok(if batches.send(Ok(batch)).await.is_err() { Err(Gone) } else { Ok(()) })
}

/// Rows to ask for next, where so many had so many bytes: memory does not grow with what a record holds.
fn portion(rows: usize, bytes: usize) -> i32 {
    let each = bytes.div_ceil(rows.max(1)).max(1);
    i32::try_from(PORTION_BYTES / each).unwrap_or(ROWS_MAX).clamp(1, ROWS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_records_come_a_few_at_a_time() {
        assert_eq!(portion(100, 20_000), ROWS_MAX);
        assert_eq!(portion(100, 100 * 100_000), 10);
        assert_eq!(portion(1, 16 * 1024 * 1024), 1);
        assert_eq!(portion(0, 0), ROWS_MAX);
    }
}
