//! Writes that are tried: carried out in a transaction that is rolled back.
use std::time::Duration;

use tokio::time::timeout;

use super::{
    connection::{Connection, Mode},
    engine::Inner,
    explain,
    failure::store_error,
    now,
    session::{Fate, Guard, WriteSession},
    writes::{is_not_unique, looks_first, pause},
};
use crate::{
    Rehearsed, Step, StoreError, Touched, WriteError, Written,
    exec::{self, Feed, Noting, Setting},
};

/// What this transaction has done so far, by table.
const TOUCHED: &str = "SELECT relname::text, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_xact_user_tables \
                       WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 ORDER BY relname";

/// Carries the steps out and takes everything back; again where others got in the way, as a write is.
pub(super) async fn run(inner: &Inner, steps: &[Step]) -> Result<Vec<Written>, WriteError> {
    let limit_ms = inner.settings.statement_ms_max;
    match timeout(Duration::from_millis(limit_ms), attempts(inner, steps)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(StoreError::TimedOut { limit_ms }.into()),
    }
}

async fn attempts(inner: &Inner, steps: &[Step]) -> Result<Vec<Written>, WriteError> {
    let mut conflicts = 0;
    let mut looked_again = false;
    loop {
        let (outcome, fate) = attempt(inner, steps).await?;
        match (outcome, fate) {
            (Err(_), Fate::Again) if conflicts < inner.settings.postgres.retries_max => {
                conflicts += 1;
                tokio::time::sleep(pause(conflicts)).await;
            }
            (Err(error), Fate::Again) => return Err(WriteError { error: StoreError::Conflict.into(), ..error }),
            (Err(error), _) if !looked_again && looks_first(steps) && is_not_unique(&error) => looked_again = true,
            (outcome, _) => return outcome,
        }
    }
}

type Outcome = Result<Vec<Written>, WriteError>;

/// What one attempt came to; an error of its own is one that no further attempt mends.
async fn attempt(inner: &Inner, steps: &[Step]) -> Result<(Outcome, Fate), WriteError> {
    let mut held = inner.pool.take(Mode::Write).await?;
    let connection = held.connection()?;
    let feed = Feed::none();
    let setting = Setting { now: now(), cascade_max: inner.settings.cascade_max, feed: &feed };
    let session = WriteSession::new(connection, Guard::Transaction, inner.limits());
    let mut session = Noting::new(session);
    let outcome = exec::carry_out_steps(&mut session, steps, setting).await;
    let fate = session.session.fate();
    let ran = session.ran;
    let touched = match &outcome {
        Ok(_) => touched(connection).await?,
        Err(_) => Vec::new(),
    };
    connection.end("ROLLBACK").await.map_err(|error| store_error(&error, 0))?;
    let statements = match steps.iter().find_map(Step::statement).map(|statement| statement.schema()) {
        Some(schema) => explain::statements(connection.client(), schema, &ran).await?,
        None => Vec::new(),
    };
    *inner.rehearsed.lock() = Some(Rehearsed { statements, touched });
    Ok((outcome, fate))
}

async fn touched(connection: &mut Connection) -> Result<Vec<Touched>, StoreError> {
    let failed = |error: tokio_postgres::Error| store_error(&error, 0);
    let rows = connection.client().query_typed(TOUCHED, &[]).await.map_err(failed)?;
    let number = |row: &tokio_postgres::Row, at: usize| -> Result<u64, tokio_postgres::Error> {
        Ok(u64::try_from(row.try_get::<_, i64>(at)?).unwrap_or(0))
    };
    let of = |row: &tokio_postgres::Row| {
        let table = row.try_get(0)?;
        Ok(Touched { table, created: number(row, 1)?, changed: number(row, 2)?, deleted: number(row, 3)? })
    };
    rows.iter().map(of).collect::<Result<_, _>>().map_err(failed)
}
