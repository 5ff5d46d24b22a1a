//! Questions about a tree: what it reads, whether SQL can say it.
use crate::{
    tree::{Compiled, Expr},
    types::Symbol,
};

/// The own fields of [`crate::THIS`] that are read directly, each once, in order of symbol; own link keys too.
pub fn fields_read(expr: &Expr) -> Vec<Symbol> {
    let _ = expr;
    todo!()
}

/// Whether nothing but fields of the record itself is read: no link is followed.
pub fn own_fields_only(expr: &Expr) -> bool {
    let _ = expr;
    todo!()
}

/// The own fields that are compared for equality with a part of the caller that reads `auth`: worth an index.
pub fn equality_fields(compiled: &Compiled) -> Vec<Symbol> {
    let _ = compiled;
    todo!()
}

/// The first part that SQL cannot say with one meaning on every engine; `None` when all of it can be rendered.
pub fn in_memory_only(expr: &Expr) -> Option<&Expr> {
    let _ = expr;
    todo!()
}
