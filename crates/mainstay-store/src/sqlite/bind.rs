//! Values into the placeholders of a statement.
use mainstay_expr::{Value, wire};
use mainstay_schema::{Scalar, json_int};
use rusqlite::{
    Result, Statement,
    types::{Null, ToSqlOutput, ValueRef},
};

use crate::{
    exec::Inputs,
    lists,
    sql::{Bind, Sql},
};

/// Binds every placeholder of the statement.
pub(super) fn bind(statement: &mut Statement<'_>, sql: &Sql, inputs: &Inputs<'_>) -> Result<()> {
    for (index, bind) in sql.binds.iter().enumerate() {
        let at = index + 1;
        match bind {
            Bind::Value(number) => stored(statement, at, inputs.value(*number))?,
            Bind::Literal(value) => stored(statement, at, value)?,
            Bind::Key => stored(statement, at, inputs.key)?,
            Bind::Keys => statement.raw_bind_parameter(at, inputs.keys)?,
            Bind::Limit(number) => statement.raw_bind_parameter(at, inputs.limit(*number))?,
            Bind::List(number, scalar) => list(statement, at, inputs.value(*number), *scalar)?,
            Bind::Fed(number) => stored(statement, at, inputs.fed(*number))?,
            Bind::Old(field) => stored(statement, at, inputs.old(*field))?,
            Bind::Now => stored(statement, at, &Value::Timestamp(inputs.now))?,
        }
    }
    Ok(())
}

/// Binds a value as it is stored.
fn stored(statement: &mut Statement<'_>, at: usize, value: &Value) -> Result<()> {
    match value {
        Value::Null => statement.raw_bind_parameter(at, Null),
        Value::Bool(value) => statement.raw_bind_parameter(at, *value),
        Value::Int(value) | Value::Duration(value) => statement.raw_bind_parameter(at, *value),
        Value::Decimal(value) => statement.raw_bind_parameter(at, value.units),
        Value::Float(value) => statement.raw_bind_parameter(at, *value),
        Value::Text(text) | Value::Json(text) => statement.raw_bind_parameter(at, text.as_ref()),
        Value::Bytes(bytes) => statement.raw_bind_parameter(at, bytes.as_ref()),
        Value::Uuid(uuid) => {
            statement.raw_bind_parameter(at, &*uuid.hyphenated().encode_lower(&mut [0; wire::UUID_LEN]))
        }
        Value::Timestamp(micros) => fixed(statement, at, wire::format_timestamp, *micros),
        Value::Date(days) => fixed(statement, at, wire::format_date, *days),
        Value::Time(micros) => fixed(statement, at, wire::format_time, *micros),
        Value::List(items) => {
            let mut json = Vec::with_capacity(2 + 40 * items.len());
            lists::compared(items, as_stored, &mut json);
            text(statement, at, &json)
        }
    }
}

fn fixed<T, const N: usize>(
    statement: &mut Statement<'_>,
    at: usize,
    format: fn(T, &mut [u8; N]),
    value: T,
) -> Result<()> {
    let mut buffer = [0; N];
    format(value, &mut buffer);
    text(statement, at, &buffer)
}

/// Binds bytes that are UTF-8 by the way they were written.
fn text(statement: &mut Statement<'_>, at: usize, bytes: &[u8]) -> Result<()> {
    statement.raw_bind_parameter(at, ToSqlOutput::Borrowed(ValueRef::Text(bytes)))
}

/// What is stored otherwise than it is sent: truth values are numbers, and decimals their units.
fn as_stored(value: &Value, out: &mut Vec<u8>) -> bool {
    match value {
        Value::Bool(value) => json_int(out, i64::from(*value)),
        Value::Decimal(value) => json_int(out, value.units),
        _ => return false,
    }
    true
}

/// A list for its own column: its elements in their wire form.
fn list(statement: &mut Statement<'_>, at: usize, value: &Value, scalar: Scalar) -> Result<()> {
    if value.is_null() {
        return statement.raw_bind_parameter(at, Null);
    }
    text(statement, at, &lists::kept(scalar, value))
}
