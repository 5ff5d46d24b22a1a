//! What types are called, and values as constants of a statement.
use mainstay_expr::{Type, Value, wire};
use mainstay_schema::{ColumnType, KeyKind, Scalar};

use crate::{lists, postgres::bind::with_points, sql::literal};

/// The type in which expressions of a type are computed. Whole numbers are wider here than in columns.
pub(super) fn computed(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "boolean",
        Type::Int | Type::Duration => "bigint",
        Type::Float => "float8",
        Type::Decimal(_) => "numeric",
        Type::Uuid => "uuid",
        Type::Bytes => "bytea",
        Type::Timestamp => "timestamptz",
        Type::Date => "date",
        Type::Time => "time",
        Type::Json | Type::Embedded(_) | Type::List(_) => "jsonb",
        Type::String | Type::Enum(_) | Type::Null | Type::Key(_) | Type::Record(_) | Type::Records(_) | Type::Auth => {
            "text"
        }
    }
}

/// The type of a column.
pub(super) fn column(ty: &ColumnType) -> String {
    match ty {
        ColumnType::Key(kind) => key(*kind).to_owned(),
        ColumnType::Enum(_) => TEXT.to_owned(),
        ColumnType::List(_) | ColumnType::Embedded(_) => "jsonb".to_owned(),
        ColumnType::Scalar(scalar) => match scalar {
            Scalar::Decimal { precision, scale } => format!("numeric({precision},{scale})"),
            Scalar::String | Scalar::Id | Scalar::Email | Scalar::Url => TEXT.to_owned(),
            Scalar::Int => "integer".to_owned(),
            Scalar::Float => "double precision".to_owned(),
            scalar => computed(&scalar.ty()).to_owned(),
        },
    }
}

/// The type of a key.
pub(super) fn key(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Uuid => "uuid",
        KeyKind::Int => "bigint",
        KeyKind::String => TEXT,
    }
}

/// Texts are equal and ordered by their bytes, whatever the database's own order is.
const TEXT: &str = "text COLLATE \"C\"";

/// A value as a constant of its column's type.
pub(super) fn constant(ty: &ColumnType, value: &Value) -> String {
    let of = |name: &str| format!("{}::{name}", literal(&text_of(value)));
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) | Value::Duration(value) => value.to_string(),
        Value::Decimal(value) => wire::format_decimal(*value),
        Value::Float(value) => format!("'{value:e}'::float8"),
        Value::Bytes(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("'\\x{digits}'::bytea")
        }
        Value::Text(text) => literal(text),
        Value::Uuid(_) => of("uuid"),
        Value::Timestamp(_) => format!("{}::timestamptz", literal(&moment(&text_of(value)))),
        Value::Date(_) => format!("{}::date", literal(&moment(&text_of(value)))),
        Value::Time(_) => of("time"),
        Value::Json(json) => format!("{}::jsonb", literal(&with_points(json))),
        Value::List(_) => format!("{}::jsonb", literal(&with_points(&lists::kept_in(ty, value)))),
    }
}

/// The year 0000 has another name there.
fn moment(text: &str) -> String {
    match text.strip_prefix("0000") {
        Some(rest) => format!("0001{rest} BC"),
        None => text.to_owned(),
    }
}

fn text_of(value: &Value) -> String {
    let mut text = String::new();
    wire::write_text(value, &mut text);
    text
}
