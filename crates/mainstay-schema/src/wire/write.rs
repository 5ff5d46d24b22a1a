//! Values as JSON.
use mainstay_expr::{Value, wire};

use crate::{FieldKind, KeyKind, Scalar, Schema, json_float, json_int, json_string, json_write::write_joined};

impl Schema {
    /// Appends the wire form of a value of a field of this kind: `Long`, `Decimal` and keys as texts, moments of fixed width,
    /// bytes as base64, floats as short as they read back the same.
    pub fn write_value(&self, kind: &FieldKind, value: &Value, out: &mut Vec<u8>) {
        write_json(value, self.ints_are_texts(kind), out);
    }

    /// Whether whole numbers of this kind are written as texts, because they may not fit into a JavaScript number.
    fn ints_are_texts(&self, kind: &FieldKind) -> bool {
        match kind {
            FieldKind::Scalar(scalar) | FieldKind::ScalarList(scalar) => *scalar == Scalar::Long,
            FieldKind::ToOne { target, .. } | FieldKind::Inverse { target, .. } | FieldKind::Many { target, .. } => {
                self.collection(*target).key == KeyKind::Int
            }
            FieldKind::Enum(_) | FieldKind::EnumList(_) | FieldKind::Embedded { .. } => false,
        }
    }
}

impl KeyKind {
    /// Appends the wire form of a key: a text.
    pub fn write(self, key: &Value, out: &mut Vec<u8>) {
        write_json(key, true, out);
    }
}

fn write_json(value: &Value, ints_are_texts: bool, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(value) if ints_are_texts => quoted(out, |out| json_int(out, *value)),
        Value::Int(value) => json_int(out, *value),
        Value::Float(value) => json_float(out, *value),
        Value::Text(text) => json_string(out, text),
        Value::Json(text) => out.extend_from_slice(text.as_bytes()),
        Value::Uuid(uuid) => {
            quoted(out, |out| {
                out.extend_from_slice(uuid.hyphenated().encode_lower(&mut [0; wire::UUID_LEN]).as_bytes())
            });
        }
        Value::Decimal(value) => quoted(out, |out| out.extend_from_slice(wire::format_decimal(*value).as_bytes())),
        Value::Bytes(bytes) => quoted(out, |out| out.extend_from_slice(wire::format_base64(bytes).as_bytes())),
        Value::Duration(value) => quoted(out, |out| out.extend_from_slice(wire::format_duration(*value).as_bytes())),
        Value::Timestamp(micros) => fixed(out, wire::format_timestamp, *micros),
        Value::Date(days) => fixed(out, wire::format_date, *days),
        Value::Time(micros) => fixed(out, wire::format_time, *micros),
        Value::List(items) => write_joined(out, b'[', b']', items, |out, item| write_json(item, ints_are_texts, out)),
    }
}

fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

fn fixed<T, const N: usize>(out: &mut Vec<u8>, format: fn(T, &mut [u8; N]), value: T) {
    let mut text = [0; N];
    format(value, &mut text);
    quoted(out, |out| out.extend_from_slice(&text));
}
