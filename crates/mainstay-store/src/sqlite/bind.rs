//! Values into the placeholders of a statement.
use mainstay_expr::{Value, wire};
use mainstay_schema::{FieldId, FieldKind, Scalar, Schema, json_float, json_int, json_string};
use rusqlite::{
    Result, Statement,
    types::{Null, ToSqlOutput, ValueRef},
};

use crate::{
    exec::Inputs,
    sql::{Bind, Sql},
};

/// Binds every placeholder of the statement.
pub(super) fn bind(statement: &mut Statement<'_>, sql: &Sql, inputs: &Inputs<'_>) -> Result<()> {
    for (index, bind) in sql.binds.iter().enumerate() {
        let at = index + 1;
        match bind {
            Bind::Value(number) => stored(statement, at, value_of(inputs, *number))?,
            Bind::Literal(value) => stored(statement, at, value)?,
            Bind::Key => stored(statement, at, inputs.key)?,
            Bind::Keys => statement.raw_bind_parameter(at, inputs.keys)?,
            Bind::Limit(number) => statement.raw_bind_parameter(at, limit_of(inputs, *number))?,
            Bind::List(number, scalar) => list(statement, at, value_of(inputs, *number), *scalar)?,
            Bind::Fed(number) => {
                stored(statement, at, inputs.fed.get(usize::from(*number)).unwrap_or(&Value::Null))?;
            }
            Bind::Old(field) => stored(statement, at, old(inputs, *field))?,
            Bind::Now => stored(statement, at, &Value::Timestamp(inputs.now))?,
        }
    }
    Ok(())
}

/// A value of the request; null where the request has fewer.
fn value_of<'a>(inputs: &Inputs<'a>, number: u16) -> &'a Value {
    inputs.values.get(usize::from(number)).unwrap_or(&Value::Null)
}

/// What a field was before the change.
fn old<'a>(inputs: &Inputs<'a>, field: FieldId) -> &'a Value {
    inputs.old.iter().find(|(of, _)| *of == field).map_or(&Value::Null, |(_, value)| value)
}

/// The size of a page, and one more.
fn limit_of(inputs: &Inputs<'_>, number: u16) -> i64 {
    match value_of(inputs, number) {
        Value::Int(limit) => limit.saturating_add(1),
        _ => 1,
    }
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
            array(items, &mut json);
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

/// A list for comparisons: its elements in their stored form.
fn array(items: &[Value], out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        match item {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Bool(value) => json_int(out, i64::from(*value)),
            Value::Int(value) | Value::Duration(value) => json_int(out, *value),
            Value::Decimal(value) => json_int(out, value.units),
            Value::Float(value) => json_float(out, *value),
            Value::Text(text) => json_string(out, text),
            Value::List(items) => array(items, out),
            Value::Uuid(_)
            | Value::Bytes(_)
            | Value::Timestamp(_)
            | Value::Date(_)
            | Value::Time(_)
            | Value::Json(_) => {
                let mut text = String::new();
                wire::write_text(item, &mut text);
                json_string(out, &text);
            }
        }
    }
    out.push(b']');
}

/// A list for its own column: its elements in their wire form.
fn list(statement: &mut Statement<'_>, at: usize, value: &Value, scalar: Scalar) -> Result<()> {
    if value.is_null() {
        return statement.raw_bind_parameter(at, Null);
    }
    let mut json = Vec::new();
    // How scalars are written does not depend on the schema.
    Schema::default().write_value(&FieldKind::ScalarList(scalar), value, &mut json);
    text(statement, at, &json)
}
