//! Scalars and enum values from JSON and from text.
use std::borrow::Cow;

use mainstay_expr::{Decimal, Value, wire};

use super::{EMAIL_LENGTH_MAX, STRING_BYTES_MAX, URL_LENGTH_MAX, WireError, contact};
use crate::{Json, Scalar, nearest};

/// Whole numbers that a float holds exactly: JSON writes `1.0` for 1.
const FLOAT_EXACT_MAX: f64 = 9_007_199_254_740_992.0;

impl Scalar {
    /// Reads a value of this scalar from JSON that is not null.
    pub(crate) fn read(self, length_max: Option<u32>, json: &Json<'_>) -> Result<Value, WireError> {
        match self {
            Scalar::Boolean => match json {
                Json::Bool(value) => Ok(Value::Bool(*value)),
                _ => Err(wrong_type("true or false", json)),
            },
            Scalar::Int => read_int(json),
            Scalar::Float => json.as_float().map(Value::Float).ok_or_else(|| wrong_type("a number", json)),
            Scalar::Long => read_long(json),
            Scalar::Decimal { precision, scale } => read_decimal(precision, scale, json),
            Scalar::Json => read_json(json),
            _ => match json {
                Json::Text(text) => self.read_text(length_max, text),
                _ => Err(wrong_type(self.described(), json)),
            },
        }
    }

    /// The scalars whose wire form is a text.
    fn read_text(self, length_max: Option<u32>, text: &str) -> Result<Value, WireError> {
        match self {
            Scalar::Email => check_length(text, length_max.unwrap_or(EMAIL_LENGTH_MAX).min(EMAIL_LENGTH_MAX))
                .and_then(|()| contact::check_email(text))
                .map(|()| Value::text(text)),
            Scalar::Url => check_length(text, length_max.unwrap_or(URL_LENGTH_MAX).min(URL_LENGTH_MAX))
                .and_then(|()| contact::check_url(text))
                .map(|()| Value::text(text)),
            Scalar::String | Scalar::Id => read_string(length_max, text),
            _ => wire::parse_text(&self.ty(), text).map_err(invalid),
        }
    }

    /// Reads a value of this scalar from plain text.
    pub(crate) fn parse(self, length_max: Option<u32>, text: &str) -> Option<Value> {
        match self {
            Scalar::Boolean | Scalar::Float => wire::parse_text(&self.ty(), text).ok(),
            Scalar::Int | Scalar::Long => match wire::parse_text(&self.ty(), text).ok()? {
                Value::Int(value) => self.read(None, &Json::Int(value)).ok(),
                _ => None,
            },
            Scalar::Json => {
                let json = Json::parse(text.as_bytes(), crate::JsonLimits::default()).ok()?;
                self.read(None, &json).ok()
            }
            _ => self.read(length_max, &Json::Text(text.into())).ok(),
        }
    }

    /// What is expected on the wire, for messages.
    fn described(self) -> &'static str {
        match self {
            Scalar::Date => "a day as a text, as in \"2026-11-21\"",
            Scalar::Time => "a time of day as a text, as in \"02:50:45\"",
            Scalar::DateTime => "a moment as a text, as in \"2026-11-21T02:50:45Z\"",
            Scalar::Uuid => "a UUID as a text",
            Scalar::Bytes => "bytes as a text in base64",
            Scalar::Email => "an e-mail address as a text",
            Scalar::Url => "a URL as a text",
            _ => "a text",
        }
    }
}

/// Reads a value of an enum.
pub(super) fn read_enum(name: &str, values: &[String], json: &Json<'_>) -> Result<Value, WireError> {
    let Json::Text(text) = json else { return Err(wrong_type(&format!("a value of \"{name}\" as a text"), json)) };
    if values.iter().any(|value| value == text) {
        return Ok(Value::text(text.as_ref()));
    }
    let error = WireError::new("unknown_value", format!("\"{name}\" has no value {}", short(text)));
    Err(match nearest(text, values.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean \"{near}\"?")),
        None => error.hint(format!("one of {}", values.join(", "))),
    })
}

fn read_int(json: &Json<'_>) -> Result<Value, WireError> {
    match whole(json) {
        Some(value) if i32::try_from(value).is_ok() => Ok(Value::Int(value)),
        Some(value) => Err(WireError::new("out_of_range", format!("the number {value} does not fit into 32 bits"))
            .hint("a field of type Long holds 64 bits")),
        None => Err(no_whole("a whole number", json)),
    }
}

fn read_long(json: &Json<'_>) -> Result<Value, WireError> {
    match json {
        Json::Text(text) => wire::parse_text(&Scalar::Long.ty(), text).map_err(invalid),
        _ => whole(json).map(Value::Int).ok_or_else(|| no_whole("a whole number as a text", json)),
    }
}

/// A number without a fraction; `1.0` is one.
pub(super) fn whole(json: &Json<'_>) -> Option<i64> {
    match json {
        Json::Int(value) => Some(*value),
        Json::Float(value) if value.fract() == 0.0 && value.abs() <= FLOAT_EXACT_MAX => Some(*value as i64),
        _ => None,
    }
}

fn no_whole(expected: &str, json: &Json<'_>) -> WireError {
    match json {
        Json::Float(value) => WireError::new("wrong_type", format!("expected {expected}, got {value:?}")),
        Json::Rounded(text) => WireError::new("wrong_type", format!("expected {expected}, got {}", cut(text))),
        _ => wrong_type(expected, json),
    }
}

fn read_decimal(precision: u8, scale: u8, json: &Json<'_>) -> Result<Value, WireError> {
    let decimal = match (json, whole(json)) {
        (Json::Text(text), _) => wire::parse_decimal(text, scale).map_err(invalid)?,
        (_, Some(value)) => wire::parse_decimal(&value.to_string(), scale).map_err(invalid)?,
        (Json::Float(_) | Json::Rounded(_), None) => {
            return Err(wrong_type("a decimal as a text", json)
                .hint("a number with a fraction loses digits on its way; send a text, as in \"12.50\""));
        }
        _ => return Err(wrong_type("a decimal as a text", json)),
    };
    check_precision(decimal, precision).map(|()| Value::Decimal(decimal))
}

fn check_precision(decimal: Decimal, precision: u8) -> Result<(), WireError> {
    if decimal.units.unsigned_abs() < 10_u64.pow(u32::from(precision)) {
        return Ok(());
    }
    let whole_digits = precision.saturating_sub(decimal.scale);
    let text = wire::format_decimal(decimal);
    Err(WireError::new("out_of_range", format!("{text} has more than {whole_digits} digits before the point")))
}

fn read_string(length_max: Option<u32>, text: &str) -> Result<Value, WireError> {
    wire::check_text(text).map_err(invalid)?;
    match length_max {
        Some(length_max) => check_length(text, length_max)?,
        None if text.len() > STRING_BYTES_MAX => {
            return Err(WireError::new(
                "too_long",
                format!("this text has {} bytes, at most {STRING_BYTES_MAX} are kept", text.len()),
            ));
        }
        None => {}
    }
    Ok(Value::text(text))
}

fn check_length(text: &str, length_max: u32) -> Result<(), WireError> {
    // Characters are never more than bytes: most texts need no counting.
    if text.len() <= length_max as usize || text.chars().count() <= length_max as usize {
        return Ok(());
    }
    let length = text.chars().count();
    Err(WireError::new("too_long", format!("this text has {length} characters, at most {length_max} are kept")))
}

fn read_json(json: &Json<'_>) -> Result<Value, WireError> {
    if holds_nul(json) {
        return Err(invalid("text holds the character U+0000".to_owned()));
    }
    if let Some(number) = rounded_whole(json) {
        let message = format!("the whole number {} has more digits than are kept", cut(number));
        return Err(invalid(message).hint("send it as a text"));
    }
    Ok(Value::Json(json.to_canonical().into()))
}

fn holds_nul(json: &Json<'_>) -> bool {
    match json {
        Json::Text(text) => text.contains('\0'),
        Json::Array(items) => items.iter().any(holds_nul),
        Json::Object(members) => members.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)),
        Json::Null | Json::Bool(_) | Json::Int(_) | Json::Float(_) | Json::Rounded(_) => false,
    }
}

/// A whole number that would not be kept as it was written: an id, most likely. Fractions are rounded, as everywhere in JSON.
fn rounded_whole<'a>(json: &'a Json<'_>) -> Option<&'a str> {
    match json {
        Json::Rounded(text) => Some(&**text).filter(|text| !text.contains(['.', 'e', 'E'])),
        Json::Array(items) => items.iter().find_map(rounded_whole),
        Json::Object(members) => members.iter().find_map(|(_, value)| rounded_whole(value)),
        Json::Null | Json::Bool(_) | Json::Int(_) | Json::Float(_) | Json::Text(_) => None,
    }
}

pub(super) fn invalid(message: String) -> WireError {
    WireError::new("invalid_value", message)
}

pub(super) fn wrong_type(expected: &str, json: &Json<'_>) -> WireError {
    WireError::new("wrong_type", format!("expected {expected}, got {}", json.kind()))
}

/// A text in quotes, cut when it is long.
pub(super) fn short(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 60;
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// A number as it was written, cut when it is long.
fn cut(number: &str) -> Cow<'_, str> {
    const SHOWN_BYTES_MAX: usize = 40;
    match number.get(..SHOWN_BYTES_MAX) {
        Some(shown) if number.len() > SHOWN_BYTES_MAX => format!("{shown}…").into(),
        _ => number.into(),
    }
}
