//! The schema last applied, and the way to the next one: one transaction, and before it what nobody has to wait for.
//!
//! Who applies holds a lock of the session ([`lock`]), so that of several nodes one does and the others find it done. Statements that
//! need a table for themselves wait for it a short while only, or all reads would queue up behind them; then everything is
//! given up and tried again.
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mainstay_schema::{Class, Migration, Schema, Snapshot};
use serde_json::Value as Json;
use tokio_postgres::{
    Client, GenericClient, IsolationLevel, Transaction,
    error::SqlState,
    types::{ToSql, Type},
};

use super::{
    PostgresDialect,
    bind::params,
    connection::{forms, in_server},
    failure::store_error,
};
use crate::{
    Drift, MigrateError, Offence, StoreError,
    exec::Inputs,
    sql::{self, InPlaceSql, Sql},
};

mod calls;
mod drift;
mod early;
mod introspect;
mod lock;
mod looks;

use lock::Held;

/// How a migration behaves beside others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// How long a statement waits for a table, in milliseconds, while reads and writes of it queue up behind.
    pub(crate) lock_ms: u64,
    /// For how long all of it is tried again, in milliseconds.
    pub(crate) wait_ms_max: u64,
    /// Whether a session's locks are its own; through a pool of transactions they are not.
    pub(crate) keeps_session: bool,
    /// How long the server waits for the next statement of a transaction, in milliseconds.
    pub(crate) idle_ms: u64,
}

/// Why an attempt failed.
#[derive(Debug)]
enum Failure {
    /// In words of ours.
    Told(MigrateError),
    /// In the database's.
    Database(tokio_postgres::Error),
}

impl From<MigrateError> for Failure {
    fn from(error: MigrateError) -> Failure {
        Failure::Told(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::Told(error.into())
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Failure {
        Failure::Database(error)
    }
}

impl Failure {
    fn is(&self, state: &SqlState) -> bool {
        matches!(self, Failure::Database(error) if error.code() == Some(state))
    }

    fn told(self) -> MigrateError {
        match self {
            Failure::Told(error) => error,
            Failure::Database(error) => match error.as_db_error() {
                // A view of the user's own.
                Some(held) if *held.code() == SqlState::DEPENDENT_OBJECTS_STILL_EXIST => {
                    let what = held.detail().unwrap_or_else(|| held.message()).replace('\n', "; ");
                    let meaning = "drop it first, and make it again afterwards".to_owned();
                    MigrateError::Drift(vec![Drift { what, severity: crate::Severity::Broken, meaning }])
                }
                _ => MigrateError::Store(store_error(&error, 0)),
            },
        }
    }
}

fn failed(error: tokio_postgres::Error) -> StoreError {
    store_error(&error, 0)
}

/// The namespace of the tables.
async fn namespace(client: &impl GenericClient) -> Result<String, StoreError> {
    let row = client.query_typed_one("SELECT current_schema()", &[]).await.map_err(failed)?;
    row.get::<_, Option<String>>(0)
        .ok_or_else(|| StoreError::Engine("the search path of the database names no schema that there is".to_owned()))
}

/// The schema last applied, as text.
async fn remembered(client: &impl GenericClient) -> Result<Option<String>, StoreError> {
    let is_there = "SELECT 1 FROM pg_catalog.pg_class WHERE relname = 'mainstay_schema' AND relkind = 'r' \
                    AND relnamespace = pg_catalog.quote_ident(current_schema())::regnamespace";
    if client.query_typed_opt(is_there, &[]).await.map_err(failed)?.is_none() {
        return Ok(None);
    }
    let row = client.query_typed_opt(&sql::recall(&PostgresDialect), &[]).await.map_err(failed)?;
    Ok(row.map(|row| row.get(0)))
}

/// Whether the schema last applied is written down in a form that only a newer Mainstay knows.
pub(crate) async fn is_newer(client: &Client) -> Result<bool, StoreError> {
    let Some(text) = remembered(client).await? else { return Ok(false) };
    let format = serde_json::from_str::<Json>(&text).ok();
    let format = format.and_then(|snapshot| snapshot.get("format")?.as_u64());
    Ok(format.is_some_and(|format| format > u64::from(Schema::default().snapshot().format)))
}

/// The schema last applied.
pub(crate) async fn snapshot(client: &impl GenericClient) -> Result<Option<Snapshot>, StoreError> {
    let text = remembered(client).await?;
    text.map(|text| Snapshot::from_json(&text)).transpose().map_err(|error| StoreError::Unreadable(error.to_string()))
}

/// The statements of a migration, for people.
pub(crate) async fn render(client: &Client, migration: &Migration, schema: &Schema) -> Result<Vec<String>, StoreError> {
    let rendered = sql::in_place(&PostgresDialect, &namespace(client).await?, migration, schema)?;
    let statements = rendered.statements.into_iter().map(|statement| statement.sql.text);
    Ok(statements.chain(rendered.validations).collect())
}

/// The records that are in the way of a migration; nothing is left behind.
pub(crate) async fn look(
    client: &mut Client,
    migration: &Migration,
    schema: &Arc<Schema>,
    patience: Patience,
) -> Result<Vec<Offence>, StoreError> {
    let rendered = sql::in_place(&PostgresDialect, &namespace(client).await?, migration, schema)?;
    let transaction = begin(client, patience).await.map_err(failed)?;
    let found = match calls::compute(&transaction, &rendered, schema).await {
        Ok(()) => looks::offences(&transaction, migration, &rendered).await,
        Err(error) => Err(error),
    };
    transaction.rollback().await.map_err(failed)?;
    found.map_err(|failure| match failure.told() {
        MigrateError::Store(error) => error,
        other => StoreError::Engine(other.to_string()),
    })
}

/// What was changed by hand, worst first; and a hash of the tables as they are.
pub(crate) async fn drift(
    client: &mut Client,
    remembered: &Snapshot,
    patience: Patience,
) -> Result<(Vec<Drift>, String), StoreError> {
    drift::drift(client, remembered, patience).await.map_err(failed)
}

/// Makes tables of the server's own where they are not there; of two nodes that begin at once one does.
pub(crate) async fn make_own(client: &mut Client, tables: &str, patience: Patience) -> Result<(), StoreError> {
    let made = async {
        let transaction = begin(client, patience).await?;
        lock::take_in(&transaction).await?;
        transaction.batch_execute(tables).await?;
        transaction.commit().await
    };
    made.await.map_err(failed)
}

/// Each statement sees what is there when it begins: the locks make the order. It takes as long as it takes; but who does not go on with
/// the next one is gone, and holds nothing any more.
async fn begin(client: &mut Client, patience: Patience) -> Result<Transaction<'_>, tokio_postgres::Error> {
    let transaction =
        client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).read_only(false).start().await?;
    let idle_ms = in_server(patience.idle_ms.max(1));
    let limits = format!("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = {idle_ms}");
    transaction.batch_execute(&format!("{limits}; {}", forms())).await?;
    Ok(transaction)
}

/// Carries a migration out and remembers what it leads to: all or nothing.
pub(crate) async fn apply(
    client: &mut Client,
    migration: &Migration,
    schema: &Arc<Schema>,
    patience: Patience,
) -> Result<(), MigrateError> {
    apply_watched(client, migration, schema, patience, &mut |_| Ok(())).await
}

/// Is asked before each statement, and may make it fail.
type Watch<'w> = dyn FnMut(usize) -> Result<(), StoreError> + Send + 'w;

/// As [`apply`], watched.
async fn apply_watched(
    client: &mut Client,
    migration: &Migration,
    schema: &Arc<Schema>,
    patience: Patience,
    watch: &mut Watch<'_>,
) -> Result<(), MigrateError> {
    if let Some(step) = migration.steps.iter().find(|step| step.class == Class::Refused) {
        return Err(MigrateError::Refused(step.text.clone()));
    }
    let rendered = sql::in_place(&PostgresDialect, &namespace(client).await?, migration, schema)?;
    let work = Work { migration, schema, rendered: &rendered, patience };
    if !patience.keeps_session {
        return work.carry_out(client, watch).await.map_err(Failure::told);
    }
    let held = Held::take(client).await.map_err(failed)?;
    let outcome = async {
        if rendered.goes_on {
            early::make(client, &work).await?;
        }
        work.carry_out(client, watch).await
    };
    let outcome = outcome.await.map_err(Failure::told);
    // A session that is gone holds nothing.
    let _ = held.release(client).await;
    outcome
}

/// What is to be done.
struct Work<'a> {
    migration: &'a Migration,
    schema: &'a Arc<Schema>,
    rendered: &'a InPlaceSql,
    patience: Patience,
}

impl Work<'_> {
    /// Tries until the tables are free.
    async fn carry_out(&self, client: &mut Client, watch: &mut Watch<'_>) -> Result<(), Failure> {
        let end = Instant::now() + Duration::from_millis(self.patience.wait_ms_max);
        let mut pause = Duration::from_millis(50);
        loop {
            let outcome = self.attempt(client, watch).await;
            let Err(failure) = outcome else { break };
            let is_busy = failure.is(&SqlState::LOCK_NOT_AVAILABLE) || failure.is(&SqlState::T_R_DEADLOCK_DETECTED);
            if !is_busy || Instant::now() + pause > end {
                return Err(if is_busy { busy().into() } else { failure });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
        self.validate(client).await;
        Ok(())
    }

    /// Once, in one transaction.
    async fn attempt(&self, client: &mut Client, watch: &mut Watch<'_>) -> Result<(), Failure> {
        let transaction = begin(client, self.patience).await?;
        transaction
            .batch_execute(&format!("SET LOCAL lock_timeout = {}", in_server(self.patience.lock_ms.max(1))))
            .await?;
        if !self.patience.keeps_session {
            lock::take_in(&transaction).await?;
        }
        self.check_start(&transaction).await?;
        let made = drift::in_the_way(&transaction, self.migration, self.rendered).await?;
        if !self.rendered.reads.is_empty() {
            let tables: Vec<String> = self.rendered.reads.iter().map(|table| quoted(table)).collect();
            let lock = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", tables.join(", "));
            transaction.batch_execute(&lock).await?;
        }
        calls::compute(&transaction, self.rendered, self.schema).await?;
        let offences = looks::offences(&transaction, self.migration, self.rendered).await?;
        if !offences.is_empty() {
            return Err(MigrateError::Offences(offences).into());
        }
        transaction.batch_execute(&sql::bookkeeping(&PostgresDialect)).await?;
        for (at, statement) in self.rendered.statements.iter().enumerate() {
            watch(at)?;
            match statement.early.as_ref().map_or(drift::Found::Nothing, |early| made.of(early)) {
                drift::Found::Whole => continue,
                drift::Found::Broken(name) => {
                    transaction.batch_execute(&format!("DROP INDEX {}", quoted(&name))).await?
                }
                drift::Found::Nothing => {}
            }
            execute(&transaction, &statement.sql).await?;
        }
        watch(self.rendered.statements.len())?;
        let [forget, write] = sql::remember(&PostgresDialect);
        transaction.execute(&forget, &[]).await?;
        transaction.execute(&write, &[&self.migration.to.to_json()]).await?;
        watch(self.rendered.statements.len() + 1)?;
        transaction.commit().await?;
        Ok(())
    }

    /// Fails unless the database is where the migration begins.
    async fn check_start(&self, client: &impl GenericClient) -> Result<(), Failure> {
        let from = snapshot(client).await?;
        if from.is_none() != self.migration.is_first || from.is_some_and(|from| from != self.migration.from) {
            return Err(MigrateError::Moved.into());
        }
        Ok(())
    }

    /// Looks at what constraints have not been looked at for: records that were there obey already, so that a failure costs
    /// nothing, and the next migration tries again.
    async fn validate(&self, client: &Client) {
        let waiting = "SELECT format('ALTER TABLE %I VALIDATE CONSTRAINT %I', r.relname, c.conname) FROM pg_constraint AS c \
                       JOIN pg_class AS r ON r.oid = c.conrelid WHERE NOT c.convalidated AND c.contype IN ('c', 'f') \
                       AND r.relnamespace = quote_ident(current_schema())::regnamespace AND r.relname = ANY($1)";
        let to = &self.migration.to;
        let tables: Vec<&str> =
            to.tables.iter().map(|of| of.table.as_str()).chain(to.joins.iter().map(|of| of.table.as_str())).collect();
        let waiting = match client.query_typed(waiting, &[(&tables, Type::TEXT_ARRAY)]).await {
            Ok(rows) => rows.into_iter().map(|row| row.get::<_, String>(0)).collect(),
            Err(error) => vec![format!("-- {error}")],
        };
        for statement in waiting {
            if let Err(error) = client.batch_execute(&statement).await {
                tracing::warn!(statement, %error, "a constraint is in force, but was not validated");
            }
        }
    }
}

fn busy() -> MigrateError {
    let what = "the tables are in use: other transactions held them until the patience of the migration ended";
    MigrateError::Store(StoreError::Engine(what.to_owned()))
}

fn quoted(name: &str) -> String {
    use sql::Dialect;
    PostgresDialect.quote(name)
}

/// Runs a statement of a migration.
async fn execute(client: &impl GenericClient, sql: &Sql) -> Result<(), tokio_postgres::Error> {
    if sql.binds.is_empty() {
        return client.batch_execute(&sql.text).await;
    }
    let params = params(sql, &Inputs::of(&[]));
    client.execute(&sql.text, &as_dyn(&params)).await.map(|_| ())
}

/// Parameters as the client takes them.
fn as_dyn<T: ToSql + Sync>(params: &[T]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|param| param as &(dyn ToSql + Sync)).collect()
}

#[cfg(test)]
mod tests;
