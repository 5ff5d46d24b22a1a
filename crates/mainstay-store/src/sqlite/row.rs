//! Rows to JSON bytes and to values.
use mainstay_expr::{Decimal, Value, wire};
use mainstay_schema::{json_float, json_int, json_string};
use rusqlite::{Row, types::ValueRef};
use uuid::Uuid;

use crate::{
    StoreError,
    cells::{base64, quoted},
    exec::Failure,
    lists,
    sql::{Cell, Column, Decode, Encode},
};

impl crate::exec::Row for Row<'_> {
    fn int(&self, column: usize) -> Result<Option<i64>, Failure> {
        match cell(self, column)? {
            ValueRef::Integer(value) => Ok(Some(value)),
            ValueRef::Null => Ok(None),
            other => Err(unexpected(column, other, "a whole number").into()),
        }
    }

    fn value(&self, cell: Cell) -> Result<Value, Failure> {
        Ok(decode(self, cell)?)
    }

    fn write_value(&self, column: usize, how: Encode, into: &mut Vec<u8>) -> Result<(), Failure> {
        Ok(encode(cell(self, column)?, column, how, into)?)
    }
}

/// Appends a row as a JSON object.
pub(super) fn write_object(row: &Row<'_>, columns: &[Column], out: &mut Vec<u8>) -> Result<(), StoreError> {
    if columns.is_empty() {
        out.push(b'{');
    }
    for (index, column) in columns.iter().enumerate() {
        out.extend_from_slice(&column.prefix);
        encode(cell(row, index)?, index, column.encode, out)?;
    }
    out.push(b'}');
    Ok(())
}

/// Appends a stored value as JSON.
pub(super) fn encode(value: ValueRef<'_>, column: usize, encode: Encode, out: &mut Vec<u8>) -> Result<(), StoreError> {
    match (encode, value) {
        (_, ValueRef::Null) => out.extend_from_slice(b"null"),
        (Encode::Text, ValueRef::Text(text)) => json_string(out, utf8(text, column)?),
        (Encode::Plain | Encode::Timestamp | Encode::Date | Encode::Time, ValueRef::Text(text)) => quoted(out, text),
        (Encode::Int, ValueRef::Integer(value)) => json_int(out, value),
        (Encode::Long, ValueRef::Integer(value)) => {
            out.push(b'"');
            json_int(out, value);
            out.push(b'"');
        }
        (Encode::Float, ValueRef::Real(value)) => json_float(out, value),
        (Encode::Bool, ValueRef::Integer(value)) => {
            out.extend_from_slice(if value == 0 { b"false" } else { b"true" });
        }
        (Encode::Decimal(scale), ValueRef::Integer(units)) => {
            quoted(out, wire::format_decimal(Decimal { units, scale }).as_bytes());
        }
        (Encode::Base64, ValueRef::Blob(bytes)) => base64(out, bytes),
        (Encode::Json | Encode::Built(_), ValueRef::Text(text)) => out.extend_from_slice(text),
        (encode, other) => return Err(unexpected(column, other, &format!("{encode:?}"))),
    }
    Ok(())
}

/// Reads one cell back as a value.
pub(super) fn decode(row: &Row<'_>, at: Cell) -> Result<Value, StoreError> {
    decode_value(cell(row, at.column)?, at)
}

/// Reads a stored value back.
pub(super) fn decode_value(value: ValueRef<'_>, at: Cell) -> Result<Value, StoreError> {
    Ok(match (at.decode, value) {
        (_, ValueRef::Null) => Value::Null,
        (Decode::Bool, ValueRef::Integer(value)) => Value::Bool(value != 0),
        (Decode::Int, ValueRef::Integer(value)) => Value::Int(value),
        (Decode::Float, ValueRef::Real(value)) => Value::Float(value),
        (Decode::Float, ValueRef::Integer(value)) => Value::Float(value as f64),
        (Decode::Decimal(scale), ValueRef::Integer(units)) => Value::Decimal(Decimal { units, scale }),
        (Decode::Duration, ValueRef::Integer(micros)) => Value::Duration(micros),
        (Decode::Bytes, ValueRef::Blob(bytes)) => Value::Bytes(bytes.into()),
        (decode, ValueRef::Text(text)) => {
            let text = utf8(text, at.column)?;
            from_text(decode, text).ok_or_else(|| unexpected(at.column, value, &format!("{decode:?}")))?
        }
        (decode, other) => return Err(unexpected(at.column, other, &format!("{decode:?}"))),
    })
}

fn from_text(decode: Decode, text: &str) -> Option<Value> {
    Some(match decode {
        Decode::Text => Value::text(text),
        Decode::Json => Value::Json(text.into()),
        Decode::Uuid => Value::Uuid(Uuid::try_parse(text).ok()?),
        Decode::Timestamp => Value::Timestamp(wire::parse_timestamp(text).ok()?),
        Decode::Date => Value::Date(wire::parse_date(text).ok()?),
        Decode::Time => Value::Time(wire::parse_time(text).ok()?),
        Decode::List(scalar) => lists::read(scalar, text.as_bytes())?,
        Decode::Bool | Decode::Int | Decode::Float | Decode::Decimal(_) | Decode::Bytes | Decode::Duration => {
            return None;
        }
    })
}

pub(super) fn cell<'r>(row: &'r Row<'_>, column: usize) -> Result<ValueRef<'r>, StoreError> {
    row.get_ref(column).map_err(|error| StoreError::Engine(format!("column {column}: {error}")))
}

fn utf8(bytes: &[u8], column: usize) -> Result<&str, StoreError> {
    std::str::from_utf8(bytes).map_err(|_| StoreError::Engine(format!("column {column} holds text that is not UTF-8")))
}

fn unexpected(column: usize, found: ValueRef<'_>, wanted: &str) -> StoreError {
    StoreError::Engine(format!("column {column} holds {}, not {wanted}", found.data_type()))
}
