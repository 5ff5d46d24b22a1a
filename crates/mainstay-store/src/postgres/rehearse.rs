//! Writes that are tried: carried out in a transaction that is rolled back.

use super::{
    connection::{Connection, Mode},
    engine::Inner,
    explain,
    failure::store_error,
    now,
    session::{Guard, WriteSession},
};
use crate::{
    Rehearsed, Step, StoreError, Touched, WriteError, Written,
    exec::{self, Feed, Noting, Setting},
};

/// What this transaction has done so far, by table.
const TOUCHED: &str = "SELECT relname::text, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_xact_user_tables \
                       WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 ORDER BY relname";

/// Carries the steps out and takes everything back.
pub(super) async fn run(inner: &Inner, steps: &[Step]) -> Result<Vec<Written>, WriteError> {
    let mut held = inner.pool.take(Mode::Write).await?;
    let connection = held.connection()?;
    let feed = Feed::none();
    let setting = Setting { now: now(), cascade_max: inner.settings.cascade_max, feed: &feed };
    let session = WriteSession::new(connection, Guard::Transaction, inner.limits());
    let mut session = Noting::new(session);
    let outcome = exec::carry_out_steps(&mut session, steps, setting).await;
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
    outcome
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
