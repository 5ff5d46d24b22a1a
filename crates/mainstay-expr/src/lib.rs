//! Conditions in CEL: parsed, checked against a [`Scope`] of types, folded for a caller, evaluated in memory.
//!
//! Names are opaque symbols that the scope gives meaning; this crate knows no schema files, no SQL and no HTTP.
//! The life of an expression:
//!
//! ```text
//! text --compile--> Compiled { expr, slots } --specialise(outcomes)--> Expr with bound values --> SQL (store) or eval (memory)
//! ```

mod analysis;
mod caller;
mod compile;
mod eval;
mod limits;
mod operators;
mod parse;
mod problem;
mod scope;
mod show;
mod specialise;
mod tree;
mod types;
mod value;
mod walk;
pub mod wire;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod oracle;

pub use analysis::{equality_fields, fields_read, in_memory_only, own_fields_only, reads_change, reads_record};
pub use caller::{AuthValues, CallerValues, resolve, resolve_into};
pub use compile::compile;
pub use eval::{EvalError, Records, eval, time_part};
pub use limits::Limits;
pub use problem::Problem;
pub use scope::{Member, Nearest, Scope};
pub use show::{show, show_members};
pub use specialise::{FieldReading, as_condition, map_bound, over_record, specialise, with_fields, with_guards};
pub use tree::{
    Arith, Caller, CompareOp, Compiled, Expr, Function, Guard, ITEM, NEW, Node, OLD, Outcome, Param, Quantifier,
    Reduction, Slot, SlotValue, THIS, TimePart, VarId,
};
pub use types::{EnumType, RecordType, Span, Symbol, Type};
pub use value::{Decimal, Value};
