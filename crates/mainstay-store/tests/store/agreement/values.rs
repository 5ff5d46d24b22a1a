//! Values of every type: ordinary ones, extremes, and few enough that they often meet their equals.
use mainstay_expr::{Decimal, Type, Value, wire};
use mainstay_schema::{FieldKind, KeyKind, Scalar, Schema};
use uuid::Uuid;

use super::bytes::Bytes;

const TEXTS: [&str; 26] = [
    "", "a", "A", "ab", "a ", " ", "b", "é", "e\u{301}", "\u{301}", "👍", "👍a", "a👍", "\u{FFFF}", "%", "_", "a%b",
    "a_b", "\\", "a\\", "'", "\"", "null", "1", "ß\n", "OPEN",
];
const INTS: [i32; 8] = [0, 1, 2, 3, -1, 7, i32::MAX, i32::MIN];
const LONGS: [i64; 9] = [0, 1, -1, 3, 1 << 53, (1 << 53) + 1, i64::MAX, i64::MIN, i64::MIN + 1];
const FLOATS: [f64; 14] = [
    0.0,
    0.5,
    1.0,
    -1.0,
    -2.25,
    0.1,
    3.0,
    1e15,
    9_007_199_254_740_992.0,
    9_223_372_036_854_775_808.0,
    -9_223_372_036_854_775_808.0,
    5e-324,
    f64::MAX,
    f64::MIN,
];
const MOMENTS: [i64; 7] =
    [0, 1_700_000_000_000_000, 1_700_000_000_000_001, -1, 86_400_000_000, wire::TIMESTAMP_MIN, wire::TIMESTAMP_MAX];
const DAYS: [i32; 5] = [0, 1, -1, wire::DATE_MIN, wire::DATE_MAX];
const TIMES: [i64; 4] = [0, 1, 43_200_000_000, wire::TIME_MAX];
const BYTES: [&[u8]; 5] = [b"", b"a", b"\0", b"\xff\xfe", b"a\0b"];
const LENGTHS: [&str; 5] = ["1s", "24h", "0s", "-1m30s", "2540400h"];

/// The n-th key of a collection.
pub(crate) fn key(kind: KeyKind, number: usize) -> Value {
    const TEXT_KEYS: [&str; 6] = ["a", "A", "é", "👍", "a%", "1"];
    match kind {
        KeyKind::Uuid => Value::Uuid(Uuid::from_u128(number as u128 + 1)),
        KeyKind::Int => Value::Int(number as i64 + 1),
        KeyKind::String => Value::text(TEXT_KEYS[number % TEXT_KEYS.len()]),
    }
}

/// A text of anything.
pub(crate) fn text(bytes: &mut Bytes<'_>) -> &'static str {
    bytes.one_of(&TEXTS)
}

/// A length of time, as it is written.
pub(crate) fn length(bytes: &mut Bytes<'_>) -> &'static str {
    bytes.one_of(&LENGTHS)
}

fn decimal(precision: u8, scale: u8, bytes: &mut Bytes<'_>) -> Value {
    let one = 10_i64.pow(u32::from(scale));
    let most = 10_i64.pow(u32::from(precision)) - 1;
    Value::Decimal(Decimal { units: bytes.one_of(&[0, 1, one, -1, 2 * one, most, -most]), scale })
}

/// A value of a scalar.
pub(crate) fn scalar(of: Scalar, bytes: &mut Bytes<'_>) -> Value {
    match of {
        Scalar::Int => Value::Int(i64::from(bytes.one_of(&INTS))),
        Scalar::Decimal { precision, scale } => decimal(precision, scale, bytes),
        Scalar::Json => Value::Json((bytes.one_of(&["1", "[]", "{\"a\":null}", "\"null\"", "false"])).into()),
        of => typed(&of.ty(), bytes),
    }
}

/// A value of a type, as a caller may send it.
pub(crate) fn typed(ty: &Type, bytes: &mut Bytes<'_>) -> Value {
    match ty {
        Type::Bool => Value::Bool(bytes.one_of(&[true, false])),
        Type::Int => Value::Int(bytes.one_of(&LONGS)),
        Type::Float => Value::Float(bytes.one_of(&FLOATS)),
        Type::Decimal(scale) => decimal((scale + 10).min(18), *scale, bytes),
        Type::Uuid => key(KeyKind::Uuid, bytes.below(4)),
        Type::Bytes => Value::Bytes((bytes.one_of(&BYTES)).into()),
        Type::Timestamp => Value::Timestamp(bytes.one_of(&MOMENTS)),
        Type::Date => Value::Date(bytes.one_of(&DAYS)),
        Type::Time => Value::Time(bytes.one_of(&TIMES)),
        Type::Duration => wire::parse_text(ty, length(bytes)).unwrap(),
        Type::List(of) => list(bytes, |bytes| typed(of, bytes)),
        _ => Value::text(text(bytes)),
    }
}

fn list(bytes: &mut Bytes<'_>, mut one: impl FnMut(&mut Bytes<'_>) -> Value) -> Value {
    Value::List((0..bytes.below(4)).map(|_| one(bytes)).collect())
}

/// A value of a field that is no link.
pub(crate) fn field(schema: &Schema, kind: &FieldKind, bytes: &mut Bytes<'_>) -> Value {
    let one_of_enum = |of: usize, bytes: &mut Bytes<'_>| Value::text(bytes.one_of(&schema.enums[of].values));
    match kind {
        FieldKind::Scalar(of) => scalar(*of, bytes),
        FieldKind::Enum(of) => one_of_enum(of.0 as usize, bytes),
        FieldKind::ScalarList(of) => list(bytes, |bytes| scalar(*of, bytes)),
        FieldKind::EnumList(of) => list(bytes, |bytes| one_of_enum(of.0 as usize, bytes)),
        FieldKind::Embedded { of, list } => {
            let json = if *list {
                let items: Vec<String> = (0..bytes.below(3)).map(|_| embedded(schema, of.0 as usize, bytes)).collect();
                format!("[{}]", items.join(","))
            } else {
                embedded(schema, of.0 as usize, bytes)
            };
            Value::Json(json.into())
        }
        FieldKind::ToOne { .. } | FieldKind::Inverse { .. } | FieldKind::Many { .. } => Value::Null,
    }
}

/// An embedded value in its canonical form.
fn embedded(schema: &Schema, of: usize, bytes: &mut Bytes<'_>) -> String {
    let mut members: Vec<_> = schema.embedded[of].members.iter().collect();
    members.sort_by(|a, b| a.name.cmp(&b.name));
    let members = members.into_iter().map(|member| {
        let is_null = !member.required && bytes.rarely(4);
        let value = if is_null { Value::Null } else { field(schema, &member.kind, bytes) };
        let mut json = Vec::new();
        schema.write_value(&member.kind, &value, &mut json);
        format!("{:?}:{}", member.name, String::from_utf8(json).unwrap())
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// A value as it is written in an expression; none for types that cannot be written.
pub(crate) fn written(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(i64::MIN) => "(-9223372036854775807 - 1)".to_owned(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => format!("{value:?}"),
        Value::Decimal(value) => wire::format_decimal(*value),
        Value::Bytes(bytes) => {
            format!("b'{}'", bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect::<String>())
        }
        Value::Text(text) => {
            format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
        }
        value => {
            let mut text = String::new();
            wire::write_text(value, &mut text);
            format!("'{text}'")
        }
    }
}
