//! What a name means: asked by the checker, answered by the schema.
use std::sync::Arc;

use crate::types::{EnumType, RecordType, Symbol, Type};

/// What a name is on a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Member {
    /// A stored value of the record.
    Field {
        /// Its symbol.
        symbol: Symbol,
        /// Its type, never a record.
        ty: Type,
        /// Whether it may be null.
        nullable: bool,
    },
    /// A to-one link: compared it is the other's key, followed it is the other record.
    Link {
        /// Its symbol; as a field of type `Key(target)` it is the stored key.
        symbol: Symbol,
        /// The type at the other end.
        target: RecordType,
        /// Whether it may be null.
        nullable: bool,
    },
    /// A to-many link (`@inverse`, `@many`).
    Links {
        /// Its symbol.
        symbol: Symbol,
        /// The type at the other end.
        target: RecordType,
    },
    /// The record's own key.
    Key,
    /// A named expression (`@define`) of this type, over a record of this type; its text is compiled in its place.
    Define(Arc<str>),
}

/// An unknown name, with the nearest one that exists, for the hint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nearest(pub Option<String>);

/// The names an expression may use.
pub trait Scope {
    /// The record type that plain names are members of; `None` where there is no record.
    fn this(&self) -> Option<RecordType>;
    /// What `name` is on a record (or embedded value) of type `of`.
    fn member(&self, of: RecordType, name: &str) -> Result<Member, Nearest>;
    /// A global named expression, by its name.
    fn define(&self, name: &str) -> Option<Arc<str>>;
    /// The text of a rule (`read`, `update`, …) of a record type; `None` where it has none.
    fn rule(&self, of: RecordType, action: &str) -> Result<Option<Arc<str>>, Nearest>;
    /// The type of a declared claim `auth.claims.NAME`.
    fn claim(&self, name: &str) -> Result<Type, Nearest>;
    /// The type of the keys of a record type: `Uuid`, `Int` or `String`.
    fn key(&self, of: RecordType) -> Type;
    /// Whether `value` belongs to the enum.
    fn enum_value(&self, of: EnumType, value: &str) -> Result<(), Nearest>;
    /// The name of a record type, for messages.
    fn record_name(&self, of: RecordType) -> String;
    /// The name of an enum, for messages.
    fn enum_name(&self, of: EnumType) -> String;
}
