//! Schema files to a checked, immutable [`Schema`]; the difference of two as migration steps.
//!
//! This crate knows the schema language and how values are written on the wire; it knows no database and no HTTP.

mod diagnostic;
mod hash;
mod json;
mod json_numbers;
mod json_write;
mod keep;
mod load;
mod migrate;
mod model;
mod names;
mod past;
mod prelude;
mod rule_text;
mod scalar;
mod scope;
mod snapshot;
mod wire;

pub use diagnostic::{Diagnostic, Diagnostics};
pub use hash::fingerprint;
pub use json::{Json, JsonError, JsonLimits};
pub use json_write::{json_float, json_int, json_string};
pub use keep::parse_keep;
pub use load::Source;
pub use migrate::{
    Class, ColumnChange, ColumnSource, Conversion, JoinChange, JoinSource, Look, LookKind, Migration, Step, StepKind,
    TableChange,
};
pub use model::*;
pub use names::{nearest, plural, snake_case};
pub use past::Past;
pub use prelude::PRELUDE;
pub use rule_text::RuleText;
pub use scalar::Scalar;
pub use scope::{Defines, SchemaScope};
pub use snapshot::{
    CheckSnapshot, ColumnSnapshot, ColumnType, Comparison, ConditionSnapshot, EmbeddedSnapshot, EnumSnapshot,
    ForeignKeySnapshot, IndexSnapshot, JoinSnapshot, MemberSnapshot, Operand, Snapshot, TableSnapshot, UniqueSnapshot,
};
pub use wire::{
    EMAIL_LENGTH_MAX, KEY_INT_MAX, KEY_LENGTH_MAX, LIST_LENGTH_MAX, STRING_BYTES_MAX, URL_LENGTH_MAX, WireError,
};
