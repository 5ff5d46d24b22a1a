//! A checked expression for the outcomes of one caller: slots become bound values, and what follows is folded.
use crate::{
    tree::{Expr, Guard, Outcome},
    types::RecordType,
};

/// The expression for these slot outcomes, folded as far as it goes. A slot with a value becomes [`crate::Node::Bound`] of
/// the number that `bind` gives for the slot's; a constant result is a literal `true` or `false`, or [`crate::Node::Error`].
pub fn specialise(expr: &Expr, outcomes: &[Outcome], bind: &mut dyn FnMut(u16) -> u16) -> Expr {
    let _ = (expr, outcomes, bind);
    todo!()
}

/// The expression with its bound values renumbered.
pub fn map_bound(expr: &Expr, map: &mut dyn FnMut(u16) -> u16) -> Expr {
    let _ = (expr, map);
    todo!()
}

/// The expression in caller mode: every link that it follows carries the guard of the type at its other end. A link's own
/// stored key is not guarded.
pub fn with_guards(expr: &Expr, guard: &mut dyn FnMut(RecordType) -> Guard) -> Expr {
    let _ = (expr, guard);
    todo!()
}
