//! Conditions in CEL: parsed, checked against a [`Scope`] of types, folded for a caller, evaluated in memory.
//!
//! Names are opaque symbols that the scope gives meaning; this crate knows no schema files, no SQL and no HTTP.
//! The life of an expression:
//!
//! ```text
//! text --compile--> Compiled { expr, slots } --specialise(outcomes)--> Expr with bound values --> SQL (store) or eval (memory)
//! ```

mod types;
mod tree;
mod value;
mod scope;

pub use scope::{Member, Nearest, Scope};
pub use tree::{Arith, Caller, CompareOp, Compiled, Expr, Function, Guard, Node, Outcome, Param, Quantifier, Slot, SlotValue, THIS, VarId};
pub use types::{EnumType, RecordType, Span, Symbol, Type};
pub use value::{Decimal, Value};
