//! Values into the parameters of a prepared statement, in binary, by the types that the server gives them.
use std::{borrow::Cow, error::Error, fmt::Debug};

use bytes::{BufMut, BytesMut};
use mainstay_expr::{Value, wire};
use mainstay_schema::{Scalar, json_int};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::numeric;
use crate::{
    exec::Inputs,
    lists,
    sql::{Bind, Sql},
};

/// The moment 2000-01-01T00:00:00Z, from which the server counts, in microseconds since 1970.
pub(super) const EPOCH_MICROS: i64 = 946_684_800_000_000;
/// The same day, in days since 1970.
pub(super) const EPOCH_DAYS: i32 = 10_957;
/// What a `jsonb` begins with.
pub(super) const JSONB_VERSION: u8 = 1;

/// What a parameter is bound to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Param<'a> {
    /// A value.
    Value(&'a Value),
    /// A list of scalars.
    List(&'a Value, Scalar),
    /// JSON.
    Json(&'a str),
    /// A whole number.
    Int(i64),
    /// A moment.
    Moment(i64),
}

/// The parameters of a statement, in their order.
pub(super) fn params<'a>(sql: &'a Sql, inputs: &Inputs<'a>) -> Vec<Param<'a>> {
    sql.binds.iter().map(|bind| param(bind, inputs)).collect()
}

fn param<'a>(bind: &'a Bind, inputs: &Inputs<'a>) -> Param<'a> {
    match bind {
        Bind::Value(number) => Param::Value(inputs.value(*number)),
        Bind::Literal(value) => Param::Value(value),
        Bind::Key => Param::Value(inputs.key),
        Bind::Keys => Param::Json(inputs.keys),
        Bind::Limit(number) => Param::Int(inputs.limit(*number)),
        Bind::List(number, scalar) => Param::List(inputs.value(*number), *scalar),
        Bind::Fed(number) => Param::Value(inputs.fed(*number)),
        Bind::Old(field) => Param::Value(inputs.old(*field)),
        Bind::Now => Param::Moment(inputs.now),
    }
}

/// A value that is not of the parameter's type.
#[derive(Debug, thiserror::Error)]
#[error("{0} is bound to a parameter of type {1}")]
struct Mismatch(String, Type);

type Bound = Result<IsNull, Box<dyn Error + Sync + Send>>;

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Bound {
        match self {
            Param::Value(value) => write(value, ty, out),
            Param::List(value, _) if value.is_null() => Ok(IsNull::Yes),
            Param::List(value, scalar) => put_json(&String::from_utf8_lossy(&lists::kept(*scalar, value)), ty, out),
            Param::Json(json) => put_json(json, ty, out),
            Param::Int(value) => write(&Value::Int(*value), ty, out),
            Param::Moment(micros) => write(&Value::Timestamp(*micros), ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn write(value: &Value, ty: &Type, out: &mut BytesMut) -> Bound {
    match (value, ty) {
        (Value::Null, _) => return Ok(IsNull::Yes),
        (Value::Bool(value), &Type::BOOL) => out.put_u8(u8::from(*value)),
        (Value::Int(value) | Value::Duration(value), _) => return int(*value, ty, out),
        (Value::Float(value), &Type::FLOAT8) => out.put_f64(*value),
        (Value::Decimal(value), &Type::NUMERIC) => numeric::write(*value, out),
        (Value::Text(text), &Type::TEXT | &Type::VARCHAR | &Type::BPCHAR) => out.put_slice(text.as_bytes()),
        (Value::Uuid(uuid), &Type::UUID) => out.put_slice(uuid.as_bytes()),
        (Value::Bytes(bytes), &Type::BYTEA) => out.put_slice(bytes),
        (Value::Timestamp(micros), &Type::TIMESTAMPTZ) => out.put_i64(micros.saturating_sub(EPOCH_MICROS)),
        (Value::Date(days), &Type::DATE) => out.put_i32(days.saturating_sub(EPOCH_DAYS)),
        (Value::Time(micros), &Type::TIME) => out.put_i64(*micros),
        (Value::Json(json), _) => return put_json(json, ty, out),
        (Value::List(items), _) => {
            let mut json = Vec::with_capacity(2 + 40 * items.len());
            lists::compared(items, |_, _| false, &mut json);
            return put_json(&String::from_utf8_lossy(&json), ty, out);
        }
        // A caller's text that stands for a key.
        (Value::Uuid(_), &Type::TEXT) => {
            let mut text = String::new();
            wire::write_text(value, &mut text);
            out.put_slice(text.as_bytes());
        }
        _ => return Err(Mismatch(format!("{value:?}"), ty.clone()).into()),
    }
    Ok(IsNull::No)
}

fn int(value: i64, ty: &Type, out: &mut BytesMut) -> Bound {
    match *ty {
        Type::INT8 => out.put_i64(value),
        Type::INT4 => out.put_i32(i32::try_from(value)?),
        Type::INT2 => out.put_i16(i16::try_from(value)?),
        Type::NUMERIC => numeric::write_int(value, out),
        Type::TEXT => {
            let mut digits = Vec::with_capacity(20);
            json_int(&mut digits, value);
            out.put_slice(&digits);
        }
        _ => return Err(Mismatch(value.to_string(), ty.clone()).into()),
    }
    Ok(IsNull::No)
}

fn put_json(json: &str, ty: &Type, out: &mut BytesMut) -> Bound {
    match *ty {
        Type::JSONB => out.put_u8(JSONB_VERSION),
        Type::JSON | Type::TEXT => {}
        _ => return Err(Mismatch("JSON".to_owned(), ty.clone()).into()),
    }
    out.put_slice(with_points(json).as_bytes());
    Ok(IsNull::No)
}

/// The same JSON, with floats that `jsonb` would make whole numbers of 64 bits (`1e16`) written with a point, so that they come back as
/// floats.
pub(super) fn with_points(json: &str) -> Cow<'_, str> {
    if !["e16", "e17", "e18"].iter().any(|power| json.contains(power)) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 20);
    let mut rest = json;
    while let Some(at) = rest.find(|c: char| c == '"' || c.is_ascii_digit()) {
        let (before, token) = rest.split_at(at);
        out.push_str(before);
        let length = if token.starts_with('"') { string_length(token) } else { number_length(token) };
        let (token, behind) = token.split_at(length);
        match expanded(token) {
            Some(digits) => out.push_str(&digits),
            None => out.push_str(token),
        }
        rest = behind;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn string_length(token: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in token.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    token.len()
}

fn number_length(token: &str) -> usize {
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
    token.find(|c| !is_number(c)).unwrap_or(token.len())
}

/// `1.5e17` as `150000000000000000.0`; `None` of all else.
fn expanded(token: &str) -> Option<String> {
    let (mantissa, power) = token.split_once('e')?;
    let power: usize = power.parse().ok().filter(|power| (16..=18).contains(power))?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let zeros = power.checked_sub(fraction.len())?;
    token.starts_with(|c: char| c.is_ascii_digit()).then(|| format!("{whole}{fraction}{}.0", "0".repeat(zeros)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_that_look_like_whole_numbers_get_a_point() {
        assert_eq!(
            with_points(r#"{"a":1e16,"b":[-1.25e17,"1e16 \" 1e17"]}"#),
            r#"{"a":10000000000000000.0,"b":[-125000000000000000.0,"1e16 \" 1e17"]}"#
        );
        assert_eq!(with_points("[1.5,1e15,1e19]"), "[1.5,1e15,1e19]");
    }
}
