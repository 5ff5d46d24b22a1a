//! Values as text and back: the forms on the wire and in storage.
mod bytes;
mod decimal;
mod duration;
mod list;
mod number;
mod time;

use uuid::Uuid;

pub use self::{
    bytes::{format_base64, parse_base64},
    decimal::{DECIMAL_DIGITS_MAX, format_decimal, parse_decimal, rescale},
    duration::{format_duration, parse_duration},
    number::{fits_float, keeps_digits},
    time::{
        DATE_LEN, DATE_MAX, DATE_MIN, TIME_LEN, TIME_MAX, TIMESTAMP_LEN, TIMESTAMP_MAX, TIMESTAMP_MIN, format_date,
        format_time, format_timestamp, parse_date, parse_time, parse_timestamp,
    },
};
pub(crate) use self::{decimal::within, time::civil_from_days};
use crate::{types::Type, value::Value};

/// Bytes of a formatted UUID.
pub const UUID_LEN: usize = 36;

/// Parses the text of a `p.` value, an address or a cursor into a value of this type. Enum values are taken as they are: the
/// caller knows which belong. Lists are JSON arrays. The error says what was expected, in lower case, with the text quoted.
pub fn parse_text(ty: &Type, text: &str) -> Result<Value, String> {
    match ty {
        Type::Bool => parse_bool(text).map(Value::Bool),
        Type::Int => parse_int(text).map(Value::Int),
        Type::Float => parse_float(text).map(Value::Float),
        Type::Decimal(scale) => parse_decimal(text, *scale).map(Value::Decimal),
        Type::String | Type::Enum(_) => check_text(text).map(|()| Value::text(text)),
        Type::Uuid => parse_uuid(text).map(Value::Uuid),
        Type::Bytes => parse_base64(text).map(|bytes| Value::Bytes(bytes.into())),
        Type::Timestamp => parse_timestamp(text).map(Value::Timestamp),
        Type::Date => parse_date(text).map(Value::Date),
        Type::Time => parse_time(text).map(Value::Time),
        Type::Duration => parse_duration(text).map(Value::Duration),
        Type::List(element) => list::parse_list(element, text),
        Type::Null
        | Type::Json
        | Type::Embedded(_)
        | Type::Key(_)
        | Type::Record(_)
        | Type::Records(_)
        | Type::Auth => Err("a value of this kind has no text form".to_owned()),
    }
}

/// Writes a value in its wire form, without JSON quotes: what [`parse_text`] reads. Lists and JSON are written as JSON; null
/// as `null`.
pub fn write_text(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => out.push_str(&value.to_string()),
        Value::Float(value) => out.push_str(&value.to_string()),
        Value::Decimal(value) => out.push_str(&format_decimal(*value)),
        Value::Text(text) | Value::Json(text) => out.push_str(text),
        Value::Uuid(uuid) => out.push_str(uuid.hyphenated().encode_lower(&mut [0; UUID_LEN])),
        Value::Bytes(bytes) => out.push_str(&format_base64(bytes)),
        Value::Timestamp(micros) => push_ascii(out, format_timestamp, *micros),
        Value::Date(days) => push_ascii(out, format_date, *days),
        Value::Time(micros) => push_ascii(out, format_time, *micros),
        Value::Duration(micros) => out.push_str(&format_duration(*micros)),
        Value::List(values) => list::write_list(values, out),
    }
}

/// A UUID in its hyphenated form, in either case.
pub fn parse_uuid(text: &str) -> Result<Uuid, String> {
    let wrong = || format!("{} is no UUID: expected a form like 019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f", quote(text));
    if text.len() != UUID_LEN {
        return Err(wrong());
    }
    Uuid::try_parse(text).map_err(|_| wrong())
}

/// Text without U+0000, which no engine keeps.
pub fn check_text(text: &str) -> Result<(), String> {
    if text.contains('\0') { Err("text holds the character U+0000".to_owned()) } else { Ok(()) }
}

fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("{} is neither true nor false", quote(text))),
    }
}

/// Canonical only: one number has one text, so that an address is the address of one thing.
fn parse_int(text: &str) -> Result<i64, String> {
    let wrong = || format!("{} is no whole number of 64 bits", quote(text));
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.starts_with(['0', '+']) && text != "0" {
        return Err(wrong());
    }
    text.parse().map_err(|_| wrong())
}

/// A float from its text: finite, never minus zero, and zero only where every digit is.
pub fn parse_float(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("{} is no number", quote(text)))?;
    if !number.is_finite() {
        return Err(format!("{} is no finite number", quote(text)));
    }
    if number != 0.0 {
        return Ok(number);
    }
    if is_lost(text) {
        return Err(format!("{} is too small a number: it would be kept as 0", quote(text)));
    }
    // Minus zero is zero: engines do not agree on keeping its sign.
    Ok(0.0)
}

/// Whether the text of a number that reads as zero has another digit before its exponent.
fn is_lost(text: &str) -> bool {
    text.bytes().take_while(|byte| !matches!(byte, b'e' | b'E')).any(|byte| matches!(byte, b'1'..=b'9'))
}

fn push_ascii<T, const N: usize>(out: &mut String, format: fn(T, &mut [u8; N]), value: T) {
    let mut buffer = [b'0'; N];
    format(value, &mut buffer);
    out.extend(buffer.map(char::from));
}

/// The text in quotes, cut when it is long, for messages.
pub(crate) fn quote(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 60;
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests;
