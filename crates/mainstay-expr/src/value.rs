//! The values that expressions, records and statements are made of.
use std::sync::Arc;

use uuid::Uuid;

/// A decimal number: `units` divided by ten to the power of `scale`. At most 18 digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// The digits as one whole number.
    pub units: i64,
    /// Digits behind the point.
    pub scale: u8,
}

/// One value. Its type is known from where it stands: a `Long` and an `Int` are both [`Value::Int`].
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// `Int`, `Long`, integer keys.
    Int(i64),
    /// `Float`; never NaN or infinite.
    Float(f64),
    /// `Decimal`.
    Decimal(Decimal),
    /// `String`, `ID`, `Email`, `URL`, enum values, string keys; never holds U+0000.
    Text(Arc<str>),
    /// `UUID` and UUID keys.
    Uuid(Uuid),
    /// `Bytes`.
    Bytes(Arc<[u8]>),
    /// `DateTime`: microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// `Date`: days since 1970-01-01.
    Date(i32),
    /// `Time`: microseconds since midnight.
    Time(i64),
    /// A length of time in microseconds (only inside expressions).
    Duration(i64),
    /// `JSON`, embedded values: canonical JSON text (keys sorted, no white space).
    Json(Arc<str>),
    /// A list of scalars or enums.
    List(Arc<[Value]>),
}

impl Value {
    /// Text from anything that can become a shared string.
    pub fn text(text: impl Into<Arc<str>>) -> Value {
        Value::Text(text.into())
    }

    /// Whether this is [`Value::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
}
