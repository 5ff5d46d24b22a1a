//! How columns are written into answers, read back, and bound.
use mainstay_expr::{Type, wire};
use mainstay_schema::{Collection, ColumnType, Field, FieldId, FieldKind, KeyKind, Scalar, Schema};

use crate::{
    StoreError,
    sql::{Bind, Decode, Encode, writer::defect},
};

/// How a stored field is written into an answer.
pub(crate) fn encode(schema: &Schema, of: &Collection, field: &Field) -> Encode {
    if of.system.id == Some(field.id) {
        return encode_key(of.key);
    }
    match &field.kind {
        FieldKind::Scalar(scalar) => encode_scalar(*scalar),
        FieldKind::Enum(_) => Encode::Plain,
        FieldKind::ToOne { target, .. } => encode_key(schema.collection(*target).key),
        FieldKind::ScalarList(_)
        | FieldKind::EnumList(_)
        | FieldKind::Embedded { .. }
        | FieldKind::Inverse { .. }
        | FieldKind::Many { .. } => Encode::Json,
    }
}

/// A key is a text on the wire.
fn encode_key(key: KeyKind) -> Encode {
    match key {
        KeyKind::Uuid => Encode::Plain,
        KeyKind::Int => Encode::Long,
        KeyKind::String => Encode::Text,
    }
}

fn encode_scalar(scalar: Scalar) -> Encode {
    match scalar {
        Scalar::String | Scalar::Id | Scalar::Email | Scalar::Url => Encode::Text,
        Scalar::Uuid => Encode::Plain,
        Scalar::DateTime => Encode::Timestamp,
        Scalar::Date => Encode::Date,
        Scalar::Time => Encode::Time,
        Scalar::Int => Encode::Int,
        Scalar::Long => Encode::Long,
        Scalar::Float => Encode::Float,
        Scalar::Boolean => Encode::Bool,
        Scalar::Decimal { scale, .. } => Encode::Decimal(scale),
        Scalar::Json => Encode::Json,
        Scalar::Bytes => Encode::Base64,
    }
}

/// How a stored field is read back.
pub(crate) fn decode(schema: &Schema, of: &Collection, field: &Field) -> Result<Decode, StoreError> {
    if of.system.id == Some(field.id) {
        return Ok(decode_key(of.key));
    }
    match &field.kind {
        FieldKind::ScalarList(scalar) => Ok(Decode::List(*scalar)),
        FieldKind::EnumList(_) => Ok(Decode::List(Scalar::String)),
        FieldKind::Embedded { .. } => Ok(Decode::Json),
        kind => decode_type(schema, &schema.field_type(kind)),
    }
}

/// How a column of a snapshot is read back.
pub(crate) fn decode_column(ty: &ColumnType) -> Decode {
    match ty {
        ColumnType::Scalar(scalar) => match scalar {
            Scalar::Boolean => Decode::Bool,
            Scalar::Int | Scalar::Long => Decode::Int,
            Scalar::Float => Decode::Float,
            Scalar::Decimal { scale, .. } => Decode::Decimal(*scale),
            Scalar::String | Scalar::Id | Scalar::Email | Scalar::Url => Decode::Text,
            Scalar::Uuid => Decode::Uuid,
            Scalar::Bytes => Decode::Bytes,
            Scalar::DateTime => Decode::Timestamp,
            Scalar::Date => Decode::Date,
            Scalar::Time => Decode::Time,
            Scalar::Json => Decode::Json,
        },
        ColumnType::Enum(_) => Decode::Text,
        ColumnType::Key(key) => decode_key(*key),
        ColumnType::List(of) => match **of {
            ColumnType::Scalar(scalar) => Decode::List(scalar),
            ColumnType::Enum(_) => Decode::List(Scalar::String),
            _ => Decode::Json,
        },
        ColumnType::Embedded(_) => Decode::Json,
    }
}

/// How a column of a snapshot is shown.
pub(crate) fn encode_column(ty: &ColumnType) -> Encode {
    match ty {
        ColumnType::Scalar(scalar) => encode_scalar(*scalar),
        ColumnType::Enum(_) => Encode::Plain,
        ColumnType::Key(key) => encode_key(*key),
        ColumnType::List(_) | ColumnType::Embedded(_) => Encode::Json,
    }
}

/// How keys of this kind are read back.
pub(crate) fn decode_key(key: KeyKind) -> Decode {
    match key {
        KeyKind::Uuid => Decode::Uuid,
        KeyKind::Int => Decode::Int,
        KeyKind::String => Decode::Text,
    }
}

/// How a value of this type is read back.
pub(crate) fn decode_type(schema: &Schema, ty: &Type) -> Result<Decode, StoreError> {
    Ok(match ty {
        Type::Bool => Decode::Bool,
        Type::Int => Decode::Int,
        Type::Float => Decode::Float,
        Type::Decimal(scale) => Decode::Decimal(*scale),
        Type::String | Type::Enum(_) => Decode::Text,
        Type::Uuid => Decode::Uuid,
        Type::Bytes => Decode::Bytes,
        Type::Timestamp => Decode::Timestamp,
        Type::Date => Decode::Date,
        Type::Time => Decode::Time,
        Type::Duration => Decode::Duration,
        Type::Json | Type::Embedded(_) => Decode::Json,
        Type::Key(of) | Type::Record(of) => match schema.collection_of(*of) {
            Some(of) => decode_key(of.key),
            None => return Err(defect("a key of no collection")),
        },
        Type::List(of) => Decode::List(list_scalar(of)?),
        Type::Null | Type::Records(_) | Type::Auth => return Err(defect("this type has no values in a column")),
    })
}

/// The scalar that a list's elements are written as.
pub(crate) fn list_scalar(of: &Type) -> Result<Scalar, StoreError> {
    Ok(match of {
        Type::Bool => Scalar::Boolean,
        Type::Int => Scalar::Int,
        Type::Float => Scalar::Float,
        Type::Decimal(scale) => Scalar::Decimal { precision: wire::DECIMAL_DIGITS_MAX, scale: *scale },
        Type::Uuid => Scalar::Uuid,
        Type::Bytes => Scalar::Bytes,
        Type::Timestamp => Scalar::DateTime,
        Type::Date => Scalar::Date,
        Type::Time => Scalar::Time,
        // Keys say for themselves what they are; an empty list has no elements to ask.
        Type::String | Type::Enum(_) | Type::Key(_) | Type::Null => Scalar::String,
        _ => return Err(defect("a list of such elements is not bound")),
    })
}

/// The bind of a field's column to a value of the request.
pub(crate) fn bind(of: &Collection, field: FieldId, value: u16) -> Bind {
    match of.field(field).kind {
        FieldKind::ScalarList(scalar) => Bind::List(value, scalar),
        FieldKind::EnumList(_) => Bind::List(value, Scalar::String),
        _ => Bind::Value(value),
    }
}
