//! Rows to JSON bytes and to values, from the server's binary form.
use std::error::Error;

use mainstay_expr::{Decimal, Value, wire};
use mainstay_schema::{Scalar, json_float, json_int, json_string};
use tokio_postgres::{
    Row,
    types::{FromSql, Type},
};
use uuid::Uuid;

use super::{
    bind::{EPOCH_DAYS, EPOCH_MICROS, JSONB_VERSION},
    canonical,
    dialect::KEPT,
    numeric,
};
use crate::{
    StoreError,
    cells::{base64, quoted},
    exec::Failure,
    lists,
    sql::{Cell, Decode, Encode},
};

impl crate::exec::Row for Row {
    fn int(&self, column: usize) -> Result<Option<i64>, Failure> {
        Ok(match raw(self, column)? {
            Some(cell) => Some(cell.int().ok_or_else(|| cell.unexpected(column, "a whole number"))?),
            None => None,
        })
    }

    fn value(&self, at: Cell) -> Result<Value, Failure> {
        Ok(match raw(self, at.column)? {
            Some(cell) => {
                cell.value(at.decode).ok_or_else(|| cell.unexpected(at.column, &format!("{:?}", at.decode)))?
            }
            None => Value::Null,
        })
    }

    fn write_value(&self, column: usize, encode: Encode, into: &mut Vec<u8>) -> Result<(), Failure> {
        match raw(self, column)? {
            Some(cell) => {
                cell.write(encode, into).ok_or_else(|| cell.unexpected(column, &format!("{encode:?}")))?;
            }
            None => into.extend_from_slice(b"null"),
        }
        Ok(())
    }
}

/// A cell that is not null.
#[derive(Clone, Copy)]
struct Raw<'a> {
    ty: &'a Type,
    bytes: &'a [u8],
}

/// The bytes of a cell, of whatever type.
struct Bytes<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Bytes<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Bytes<'a>, Box<dyn Error + Sync + Send>> {
        Ok(Bytes(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn raw(row: &Row, column: usize) -> Result<Option<Raw<'_>>, StoreError> {
    let bytes: Option<Bytes<'_>> =
        row.try_get(column).map_err(|error| StoreError::Engine(format!("column {column}: {error}")))?;
    Ok(bytes.map(|Bytes(bytes)| Raw { ty: row.columns()[column].type_(), bytes }))
}

impl<'a> Raw<'a> {
    fn unexpected(self, column: usize, wanted: &str) -> StoreError {
        StoreError::Engine(format!("column {column} holds {}, not {wanted}", self.ty))
    }

    /// A whole number, or a truth value as 0 or 1.
    fn int(self) -> Option<i64> {
        match *self.ty {
            Type::INT8 => Some(i64::from_be_bytes(self.bytes.try_into().ok()?)),
            Type::INT4 => Some(i64::from(i32::from_be_bytes(self.bytes.try_into().ok()?))),
            Type::INT2 => Some(i64::from(i16::from_be_bytes(self.bytes.try_into().ok()?))),
            Type::BOOL => self.bool().map(i64::from),
            _ => None,
        }
    }

    fn bool(self) -> Option<bool> {
        match (self.ty, self.bytes) {
            (&Type::BOOL, [value]) => Some(*value != 0),
            _ => None,
        }
    }

    fn float(self) -> Option<f64> {
        match *self.ty {
            Type::FLOAT8 => Some(f64::from_be_bytes(self.bytes.try_into().ok()?)),
            _ => None,
        }
    }

    fn decimal(self, scale: u8) -> Option<Decimal> {
        let units = match *self.ty {
            Type::NUMERIC => numeric::units(self.bytes, scale)?,
            _ => return None,
        };
        Some(Decimal { units, scale })
    }

    fn text(self) -> Option<&'a str> {
        let is_text = matches!(*self.ty, Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::UNKNOWN | Type::NAME);
        if is_text { std::str::from_utf8(self.bytes).ok() } else { None }
    }

    fn uuid(self) -> Option<Uuid> {
        match *self.ty {
            Type::UUID => Uuid::from_slice(self.bytes).ok(),
            _ => Uuid::try_parse(self.text()?).ok(),
        }
    }

    /// A moment; one outside of the years 0000 to 9999 as the nearest inside.
    fn moment(self) -> Option<i64> {
        match *self.ty {
            Type::TIMESTAMPTZ => {
                let since_2000 = i64::from_be_bytes(self.bytes.try_into().ok()?);
                Some(since_2000.saturating_add(EPOCH_MICROS).clamp(wire::TIMESTAMP_MIN, wire::TIMESTAMP_MAX))
            }
            _ => None,
        }
    }

    fn day(self) -> Option<i32> {
        match *self.ty {
            Type::DATE => {
                let since_2000 = i32::from_be_bytes(self.bytes.try_into().ok()?);
                Some(since_2000.saturating_add(EPOCH_DAYS).clamp(wire::DATE_MIN, wire::DATE_MAX))
            }
            _ => None,
        }
    }

    fn clock(self) -> Option<i64> {
        match *self.ty {
            Type::TIME => Some(i64::from_be_bytes(self.bytes.try_into().ok()?).clamp(0, wire::TIME_MAX)),
            _ => None,
        }
    }

    fn bytes(self) -> Option<&'a [u8]> {
        match *self.ty {
            Type::BYTEA => Some(self.bytes),
            _ => None,
        }
    }

    fn json(self) -> Option<&'a str> {
        let json = match (self.ty, self.bytes) {
            (&Type::JSONB, [JSONB_VERSION, json @ ..]) => json,
            (&Type::JSON | &Type::TEXT, json) => json,
            _ => return None,
        };
        std::str::from_utf8(json).ok()
    }

    /// Reads it back.
    fn value(self, decode: Decode) -> Option<Value> {
        Some(match decode {
            Decode::Bool => Value::Bool(self.bool()?),
            Decode::Int => Value::Int(self.int()?),
            Decode::Float => Value::Float(self.float()?),
            Decode::Decimal(scale) => Value::Decimal(self.decimal(scale)?),
            Decode::Text => Value::text(self.text()?),
            Decode::Uuid => Value::Uuid(self.uuid()?),
            Decode::Bytes => Value::Bytes(self.bytes()?.into()),
            Decode::Timestamp => Value::Timestamp(self.moment()?),
            Decode::Date => Value::Date(self.day()?),
            Decode::Time => Value::Time(self.clock()?),
            Decode::Duration => Value::Duration(self.int()?),
            Decode::Json => {
                let mut out = Vec::with_capacity(self.bytes.len());
                canonical::write(self.json()?, &mut out);
                Value::Json(String::from_utf8(out).ok()?.into())
            }
            Decode::List(scalar) => list(scalar, self.json()?)?,
        })
    }

    /// Appends it as JSON.
    fn write(self, encode: Encode, out: &mut Vec<u8>) -> Option<()> {
        match encode {
            Encode::Text => json_string(out, self.text()?),
            Encode::Plain if *self.ty == Type::UUID => {
                quoted(out, self.uuid()?.hyphenated().encode_lower(&mut [0; wire::UUID_LEN]).as_bytes());
            }
            Encode::Plain => quoted(out, self.text()?.as_bytes()),
            Encode::Timestamp => fixed::<_, { wire::TIMESTAMP_LEN }>(out, wire::format_timestamp, self.moment()?),
            Encode::Date => fixed::<_, { wire::DATE_LEN }>(out, wire::format_date, self.day()?),
            Encode::Time => fixed::<_, { wire::TIME_LEN }>(out, wire::format_time, self.clock()?),
            Encode::Int => json_int(out, self.int()?),
            Encode::Long => {
                out.push(b'"');
                json_int(out, self.int()?);
                out.push(b'"');
            }
            Encode::Float => json_float(out, self.float()?),
            Encode::Bool => out.extend_from_slice(if self.bool()? { b"true" } else { b"false" }),
            Encode::Decimal(scale) => quoted(out, wire::format_decimal(self.decimal(scale)?).as_bytes()),
            Encode::Base64 => base64(out, self.bytes()?),
            Encode::Json => canonical::write(self.json()?, out),
            Encode::Built(false) => out.extend_from_slice(self.json()?.as_bytes()),
            Encode::Built(true) => built(self.json()?, out),
        }
        Some(())
    }
}

fn fixed<T, const N: usize>(out: &mut Vec<u8>, format: fn(T, &mut [u8; N]), value: T) {
    let mut buffer = [0; N];
    format(value, &mut buffer);
    quoted(out, &buffer);
}

/// Appends JSON that a statement built around columns that keep JSON.
fn built(json: &str, out: &mut Vec<u8>) {
    let [begin, end] = KEPT.map(char::from);
    let mut rest = json;
    while let Some((before, behind)) = rest.split_once(begin) {
        out.extend_from_slice(before.as_bytes());
        let (kept, behind) = behind.split_once(end).unwrap_or((behind, ""));
        canonical::write(kept, out);
        rest = behind;
    }
    out.extend_from_slice(rest.as_bytes());
}

fn list(scalar: Scalar, text: &str) -> Option<Value> {
    let mut json = Vec::with_capacity(text.len());
    canonical::write(text, &mut json);
    lists::read(scalar, &json)
}

/// A cell of JSON as text.
pub(super) struct JsonText(pub(super) String);

impl FromSql<'_> for JsonText {
    fn from_sql(ty: &Type, raw: &[u8]) -> Result<JsonText, Box<dyn Error + Sync + Send>> {
        let json = if *ty == Type::JSONB { raw.get(1..).unwrap_or_default() } else { raw };
        Ok(JsonText(std::str::from_utf8(json)?.to_owned()))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::JSON | Type::JSONB | Type::TEXT)
    }
}
