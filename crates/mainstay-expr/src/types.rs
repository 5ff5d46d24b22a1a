//! The types of expressions, and the opaque symbols that a scope hands out.

/// A byte range in the text of one expression; `end` is exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A kind of record (a collection, or an embedded type); what it is, the scope knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordType(pub u32);

/// A member of a record type; what it is, the scope knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(pub u32);

/// An enum; its values, the scope knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnumType(pub u32);

/// The type of an expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// `null`, before it meets another type.
    Null,
    /// `true` or `false`.
    Bool,
    /// A 64-bit integer (`Int` and `Long` fields).
    Int,
    /// A 64-bit float, never NaN or infinite.
    Float,
    /// A decimal with so many digits behind the point.
    Decimal(u8),
    /// Text (`String`, `ID`, `Email`, `URL`).
    String,
    /// A UUID.
    Uuid,
    /// Bytes.
    Bytes,
    /// A moment, in microseconds.
    Timestamp,
    /// A calendar day.
    Date,
    /// A time of day, in microseconds.
    Time,
    /// A length of time, in microseconds.
    Duration,
    /// Any JSON value; only compared with `null`.
    Json,
    /// A value of an enum.
    Enum(EnumType),
    /// A list of scalars or enums.
    List(Box<Type>),
    /// A value inside its record (`@embedded`); members are read from it.
    Embedded(RecordType),
    /// The key of a record of this type: what a link is when it is compared.
    Key(RecordType),
    /// A record: the record itself, a variable, or a to-one link followed.
    Record(RecordType),
    /// The records at the other end of a to-many link.
    Records(RecordType),
    /// The caller itself, only compared with `null`.
    Auth,
}
