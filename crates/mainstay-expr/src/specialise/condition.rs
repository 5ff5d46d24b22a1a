//! A folded expression as a condition, where an error refuses just as false does.
use super::simplify::{Known, condition};
use crate::{
    tree::{Expr, Node},
    types::Type,
};

/// The expression as a condition of which only "is it true?" is asked: what can never be true comes out as the literal
/// `false`, and alternatives that cannot are left out. `a || error` becomes `a`; the two differ under a negation only.
pub fn as_condition(expr: Expr) -> Expr {
    let span = expr.span;
    match expr.node {
        Node::And(terms) => {
            let terms: Vec<Expr> = terms.into_iter().map(as_condition).collect();
            if terms.iter().any(|term| matches!(condition(term), Known::False)) {
                return Expr::bool(false, span);
            }
            let open = terms.into_iter().filter(|term| term.as_bool() != Some(true));
            joined(open.collect(), Node::And, Expr::bool(true, span))
        }
        Node::Or(terms) => {
            let terms: Vec<Expr> = terms.into_iter().map(as_condition).collect();
            if terms.iter().any(|term| matches!(condition(term), Known::True)) {
                return Expr::bool(true, span);
            }
            let open = terms.into_iter().filter(|term| term.as_bool() != Some(false));
            joined(open.collect(), Node::Or, Expr::bool(false, span))
        }
        _ if matches!(condition(&expr), Known::Fails) => Expr::bool(false, span),
        _ => expr,
    }
}

fn joined(mut terms: Vec<Expr>, connect: fn(Vec<Expr>) -> Node, none: Expr) -> Expr {
    match terms.len() {
        0 => none,
        1 => terms.pop().unwrap_or(none),
        _ => Expr::composite(connect(terms), Type::Bool, none.span),
    }
}
