//! What SQL cannot compute: rows are read portion by portion, computed here, and kept in a table of the transaction.
use mainstay_expr::{Value, wire};
use mainstay_schema::{ColumnType, Scalar, Schema};
use tokio_postgres::{Row, Transaction};

use super::{Failure, as_dyn};
use crate::{
    StoreError,
    calls::outcome,
    exec::{self, Inputs, Row as _},
    lists,
    postgres::{
        PostgresDialect,
        bind::{params, with_points},
    },
    sql::{Call, CallRows, Cell, Dialect, InPlaceSql},
};

/// Rows that are computed at a time: memory does not grow with the table.
const PORTION: i32 = 1_000;

/// Computes everything that looks and statements need.
pub(super) async fn compute(
    transaction: &Transaction<'_>,
    rendered: &InPlaceSql,
    schema: &Schema,
) -> Result<(), Failure> {
    for (at, (call, rows)) in rendered.calls.iter().enumerate() {
        fill(transaction, &Call::name(at), call, rows, schema).await?;
    }
    Ok(())
}

async fn fill(
    transaction: &Transaction<'_>,
    table: &str,
    call: &Call,
    rows: &CallRows,
    schema: &Schema,
) -> Result<(), Failure> {
    let key = PostgresDialect.key_type(rows.key);
    let outcome_type = plain(&rows.outcome);
    let value = PostgresDialect.column("value", &outcome_type, false, &[]);
    transaction
        .batch_execute(&format!(
            "CREATE TEMPORARY TABLE {table} (key {key} NOT NULL PRIMARY KEY, {value}) ON COMMIT DROP"
        ))
        .await?;
    let statement = transaction.prepare(&rows.rows.text).await?;
    let given = params(&rows.rows, &Inputs::of(&[]));
    let portal = transaction.bind(&statement, &as_dyn(&given)).await?;
    let (key, value) =
        (PostgresDialect.stored("k", &ColumnType::Key(rows.key)), PostgresDialect.stored("v", &outcome_type));
    let insert = format!("INSERT INTO {table} SELECT {key}, {value} FROM unnest($1::text[], $2::text[]) AS u(k, v)");
    let insert = transaction.prepare(&insert).await?;
    loop {
        let portion = transaction.query_portal(&portal, PORTION).await?;
        if portion.is_empty() {
            break;
        }
        let mut keys: Vec<&str> = Vec::with_capacity(portion.len());
        let mut values: Vec<Option<String>> = Vec::with_capacity(portion.len());
        for row in &portion {
            keys.push(row.try_get(0)?);
            values.push(text(&computed(call, schema, row)?, &rows.outcome));
        }
        transaction.execute(&insert, &[&keys, &values]).await?;
    }
    transaction.batch_execute(&format!("ANALYZE {table}")).await?;
    Ok(())
}

fn computed(call: &Call, schema: &Schema, row: &Row) -> Result<Value, StoreError> {
    outcome(call, schema, &mut |at, decode| match row.value(Cell { column: at + 1, decode }) {
        Ok(value) => Ok(value),
        Err(exec::Failure::Store(error)) => Err(error),
        Err(other) => Err(StoreError::Engine(format!("{other:?}"))),
    })
}

/// The type without the values that a check of the column's own names.
fn plain(ty: &ColumnType) -> ColumnType {
    match ty {
        ColumnType::Enum(_) => ColumnType::Scalar(Scalar::String),
        ty => ty.clone(),
    }
}

/// A value as a text that the database reads as one of its column.
fn text(value: &Value, ty: &ColumnType) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => value.to_string(),
        Value::Float(value) => format!("{value:e}"),
        Value::Decimal(value) => wire::format_decimal(*value),
        Value::Bytes(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("\\x{digits}")
        }
        Value::Json(json) => with_points(json).into_owned(),
        Value::List(_) => with_points(&lists::kept_in(ty, value)).into_owned(),
        value => {
            let mut text = String::new();
            wire::write_text(value, &mut text);
            match (value, text.strip_prefix("0000")) {
                // The year 0000 has another name there.
                (Value::Timestamp(_) | Value::Date(_), Some(rest)) => format!("0001{rest} BC"),
                _ => text,
            }
        }
    })
}
