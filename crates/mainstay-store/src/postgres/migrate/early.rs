//! What is made before the migration itself, while the tables are in use: indexes, and the columns that they need.
//!
//! Nodes with the old schema do not mind either. A crash leaves columns and indexes that the next attempt finds, or an index
//! that was not built to its end, which it builds again.
use std::time::{Duration, Instant};

use tokio_postgres::{Client, error::SqlState};

use super::{
    Failure, Work, begin, busy, calls,
    drift::{Found, in_the_way},
    looks, quoted,
};
use crate::{
    MigrateError,
    postgres::connection::in_server,
    sql::{Early, InPlace},
};

/// Makes the indexes of tables that have records.
pub(super) async fn make(client: &mut Client, work: &Work<'_>) -> Result<(), Failure> {
    let mut tables: Vec<&str> = Vec::new();
    for statement in &work.rendered.statements {
        if let Some(Early::Index { table, .. }) = &statement.early
            && !tables.contains(&table.as_str())
            && has_records(client, table).await?
        {
            tables.push(table);
        }
    }
    if tables.is_empty() {
        return Ok(());
    }
    let transaction = begin(client, work.patience).await?;
    work.check_start(&transaction).await?;
    let made = in_the_way(&transaction, work.migration, work.rendered).await?;
    transaction.rollback().await?;
    let of_tables = |early: &Early| match early {
        Early::Column { table, .. } | Early::Index { table, .. } => tables.contains(&table.as_str()),
    };
    let wanted =
        work.rendered.statements.iter().filter_map(|of| Some((of, of.early.as_ref().filter(|of| of_tables(of))?)));
    let wanted: Vec<(&InPlace, &Early)> = wanted.filter(|(_, early)| !matches!(made.of(early), Found::Whole)).collect();
    if wanted.iter().any(|(_, early)| matches!(early, Early::Index { unique: true, .. })) {
        look(client, work).await?;
    }
    for (statement, early) in wanted {
        match early {
            Early::Column { .. } => column(client, work, &statement.sql.text).await?,
            Early::Index { name, .. } => {
                if let Found::Broken(name) = made.of(early) {
                    drop_index(client, &name).await?;
                }
                index(client, work, &statement.sql.text, name).await?;
            }
        }
    }
    Ok(())
}

async fn has_records(client: &Client, table: &str) -> Result<bool, Failure> {
    let ask = format!("SELECT EXISTS (SELECT 1 FROM {})", quoted(table));
    match client.query_one(&ask, &[]).await {
        Ok(row) => Ok(row.get(0)),
        // What is wrong with it is told in its place.
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Fails where records are in the way: a unique over them cannot be built.
async fn look(client: &mut Client, work: &Work<'_>) -> Result<(), Failure> {
    let transaction = begin(client, work.patience).await?;
    calls::compute(&transaction, work.rendered, work.schema).await?;
    let offences = looks::offences(&transaction, work.migration, work.rendered).await?;
    transaction.rollback().await?;
    if offences.is_empty() { Ok(()) } else { Err(MigrateError::Offences(offences).into()) }
}

async fn column(client: &mut Client, work: &Work<'_>, text: &str) -> Result<(), Failure> {
    let end = Instant::now() + Duration::from_millis(work.patience.wait_ms_max);
    let mut pause = Duration::from_millis(50);
    loop {
        let transaction = begin(client, work.patience).await?;
        transaction
            .batch_execute(&format!("SET LOCAL lock_timeout = {}", in_server(work.patience.lock_ms.max(1))))
            .await?;
        let outcome = transaction.batch_execute(text).await;
        match outcome {
            Ok(()) => return Ok(transaction.commit().await?),
            Err(error) if error.code() != Some(&SqlState::LOCK_NOT_AVAILABLE) => return Err(error.into()),
            Err(_) => transaction.rollback().await?,
        }
        if Instant::now() + pause > end {
            return Err(busy().into());
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(2));
    }
}

/// Waits for whoever writes the table, without being in anybody's way.
async fn index(client: &mut Client, work: &Work<'_>, text: &str, name: &str) -> Result<(), Failure> {
    let text = text.replacen("INDEX ", "INDEX CONCURRENTLY ", 1);
    client.batch_execute("SET lock_timeout = 0").await?;
    let outcome = client.batch_execute(&text).await;
    client.batch_execute("RESET lock_timeout").await?;
    let Err(error) = outcome else { return Ok(()) };
    // What has the name already is not what was begun here.
    if error.code() != Some(&SqlState::DUPLICATE_TABLE) {
        drop_index(client, name).await?;
    }
    if error.code() == Some(&SqlState::UNIQUE_VIOLATION) {
        // Written since they were looked at.
        look(client, work).await?;
    }
    Err(error.into())
}

async fn drop_index(client: &Client, name: &str) -> Result<(), Failure> {
    Ok(client.batch_execute(&format!("DROP INDEX CONCURRENTLY IF EXISTS {}", quoted(name))).await?)
}
