//! What was changed by hand, and what an earlier migration that did not come to its end has left behind.
use mainstay_schema::{Migration, Snapshot, fingerprint};
use tokio_postgres::{Client, Error, Transaction};

use super::{Failure, Patience, begin, introspect::tables};
use crate::{
    Drift, MigrateError, Severity,
    drift::{Tables, differences, in_the_way as others_in_the_way},
    postgres::PostgresDialect,
    sql::{self, Early, InPlaceSql},
};

/// The words of a table's options.
const OPTIONS: &str = "UNLOGGED, ROW LEVEL SECURITY";
/// Where the tables are.
const HERE: &str = "quote_ident(current_schema())::regnamespace";

/// What was changed by hand, worst first; and a hash of the tables that the schema knows.
pub(super) async fn drift(
    client: &mut Client,
    remembered: &Snapshot,
    patience: Patience,
) -> Result<(Vec<Drift>, String), Error> {
    let transaction = begin(client, patience).await?;
    let mut actual = tables(&transaction, HERE).await?;
    let expected = made(&transaction, remembered).await?;
    transaction.rollback().await?;
    let found = differences(&expected, &actual, OPTIONS);
    actual.retain(|name, _| expected.contains_key(name));
    Ok((found, fingerprint(format!("{actual:?}").as_bytes())))
}

/// The tables that a schema makes in an empty database: the session's own namespace is one, and everything in it goes.
async fn made(transaction: &Transaction<'_>, snapshot: &Snapshot) -> Result<Tables, Error> {
    transaction.batch_execute("SAVEPOINT mainstay_made; SET LOCAL search_path = pg_temp").await?;
    let statements = sql::create_in_place(&PostgresDialect, snapshot).join(";\n");
    transaction.batch_execute(&statements).await?;
    let found = tables(transaction, "pg_my_temp_schema()").await?;
    transaction.batch_execute("ROLLBACK TO SAVEPOINT mainstay_made; RELEASE SAVEPOINT mainstay_made").await?;
    Ok(found)
}

/// What there is already of what a migration makes.
#[derive(Debug, Default)]
pub(super) struct Made {
    whole: Vec<Early>,
    broken: Vec<String>,
}

/// What there is of one thing.
#[derive(Debug)]
pub(super) enum Found {
    /// All of it.
    Whole,
    /// An index that was not built to its end.
    Broken(String),
    /// Nothing.
    Nothing,
}

impl Made {
    pub(super) fn of(&self, early: &Early) -> Found {
        if self.whole.contains(early) {
            return Found::Whole;
        }
        match early {
            Early::Index { name, .. } if self.broken.contains(name) => Found::Broken(name.clone()),
            _ => Found::Nothing,
        }
    }
}

/// Fails where a change by hand is in the way of a migration; else, what of it there is already.
pub(super) async fn in_the_way(
    transaction: &Transaction<'_>,
    migration: &Migration,
    rendered: &InPlaceSql,
) -> Result<Made, Failure> {
    let actual = tables(transaction, HERE).await?;
    let expected = made(transaction, &migration.from).await?;
    let found = differences(&expected, &actual, OPTIONS);
    let mut drift = others_in_the_way(found, (&expected, &actual), migration, &[]);
    let made = left_behind(transaction, migration, rendered, &actual, &mut drift).await?;
    if drift.is_empty() { Ok(made) } else { Err(MigrateError::Drift(drift).into()) }
}

async fn left_behind(
    transaction: &Transaction<'_>,
    migration: &Migration,
    rendered: &InPlaceSql,
    actual: &Tables,
    drift: &mut Vec<Drift>,
) -> Result<Made, Error> {
    let mut made_of = Made::default();
    let wanted: Vec<&Early> = rendered.statements.iter().filter_map(|statement| statement.early.as_ref()).collect();
    let broken = format!(
        "SELECT c.relname::text FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid WHERE NOT i.indisvalid AND \
         c.relnamespace = {HERE}"
    );
    made_of.broken = transaction.query(&broken, &[]).await?.into_iter().map(|row| row.get(0)).collect();
    let is_there = |early: &&&Early| match early {
        Early::Column { table, column } => actual.get(table).is_some_and(|of| of.columns.contains_key(column)),
        Early::Index { table, name, .. } => actual.get(table).is_some_and(|of| of.indexes.contains_key(name)),
    };
    let there: Vec<&Early> = wanted.iter().filter(is_there).copied().collect();
    if there.is_empty() {
        return Ok(made_of);
    }
    let expected = made(transaction, &migration.to).await?;
    for early in there {
        let (is_same, what) = match early {
            Early::Column { table, column } => {
                let of = |tables: &Tables| tables.get(table).and_then(|of| of.columns.get(column)).cloned();
                (of(actual) == of(&expected), format!("table \"{table}\" has a column \"{column}\" of its own"))
            }
            Early::Index { table, name, .. } => {
                let of = |tables: &Tables| tables.get(table).and_then(|of| of.indexes.get(name)).cloned();
                (of(actual) == of(&expected), format!("table \"{table}\" has an index \"{name}\" of its own"))
            }
        };
        if is_same {
            made_of.whole.push(early.clone());
        } else {
            let meaning = "the schema wants its name: rename it or drop it".to_owned();
            drift.push(Drift { what, severity: Severity::Broken, meaning });
        }
    }
    Ok(made_of)
}
