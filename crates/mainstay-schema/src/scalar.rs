//! The scalars of the schema language.
use mainstay_expr::Type;
use serde::{Deserialize, Serialize};

/// A scalar type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scalar {
    /// Text.
    String,
    /// A 32-bit integer.
    Int,
    /// A 64-bit float.
    Float,
    /// `true` or `false`.
    Boolean,
    /// An opaque text: somebody's or something's id that is no link.
    Id,
    /// A 64-bit integer; a string on the wire.
    Long,
    /// A decimal; a string on the wire.
    Decimal {
        /// All digits, at most 18.
        precision: u8,
        /// Digits behind the point.
        scale: u8,
    },
    /// A calendar day.
    Date,
    /// A time of day, to the microsecond.
    Time,
    /// A moment, to the microsecond, UTC.
    DateTime,
    /// A UUID.
    Uuid,
    /// An e-mail address.
    Email,
    /// An absolute URL.
    Url,
    /// Any JSON value.
    Json,
    /// Bytes; base64 on the wire.
    Bytes,
}

/// Every scalar's name in the schema language.
pub(crate) const SCALAR_NAMES: [&str; 15] = [
    "String", "Int", "Float", "Boolean", "ID", "Long", "Decimal", "Date", "Time", "DateTime", "UUID", "Email", "URL",
    "JSON", "Bytes",
];

impl Scalar {
    /// The scalar of this name; a `Decimal` with all its digits before the point until its directive says more.
    pub fn named(name: &str) -> Option<Scalar> {
        Some(match name {
            "String" => Scalar::String,
            "Int" => Scalar::Int,
            "Float" => Scalar::Float,
            "Boolean" => Scalar::Boolean,
            "ID" => Scalar::Id,
            "Long" => Scalar::Long,
            "Decimal" => Scalar::Decimal { precision: 18, scale: 0 },
            "Date" => Scalar::Date,
            "Time" => Scalar::Time,
            "DateTime" => Scalar::DateTime,
            "UUID" => Scalar::Uuid,
            "Email" => Scalar::Email,
            "URL" => Scalar::Url,
            "JSON" => Scalar::Json,
            "Bytes" => Scalar::Bytes,
            _ => return None,
        })
    }

    /// Its name in the schema language.
    pub fn name(self) -> &'static str {
        match self {
            Scalar::String => "String",
            Scalar::Int => "Int",
            Scalar::Float => "Float",
            Scalar::Boolean => "Boolean",
            Scalar::Id => "ID",
            Scalar::Long => "Long",
            Scalar::Decimal { .. } => "Decimal",
            Scalar::Date => "Date",
            Scalar::Time => "Time",
            Scalar::DateTime => "DateTime",
            Scalar::Uuid => "UUID",
            Scalar::Email => "Email",
            Scalar::Url => "URL",
            Scalar::Json => "JSON",
            Scalar::Bytes => "Bytes",
        }
    }

    /// Its type in expressions.
    pub fn ty(self) -> Type {
        match self {
            Scalar::String | Scalar::Id | Scalar::Email | Scalar::Url => Type::String,
            Scalar::Int | Scalar::Long => Type::Int,
            Scalar::Float => Type::Float,
            Scalar::Boolean => Type::Bool,
            Scalar::Decimal { scale, .. } => Type::Decimal(scale),
            Scalar::Date => Type::Date,
            Scalar::Time => Type::Time,
            Scalar::DateTime => Type::Timestamp,
            Scalar::Uuid => Type::Uuid,
            Scalar::Json => Type::Json,
            Scalar::Bytes => Type::Bytes,
        }
    }

    /// Whether it is kept as text that has a length.
    pub fn is_text(self) -> bool {
        matches!(self, Scalar::String | Scalar::Id | Scalar::Email | Scalar::Url)
    }
}
