//! A checked expression for the outcomes of one caller: slots become bound values, and what follows is folded.
mod condition;
mod fields;
mod simplify;

use self::simplify::simplify;
pub use self::{
    condition::as_condition,
    fields::{FieldReading, over_record, with_fields},
};
use crate::{
    tree::{CompareOp, Expr, Guard, Node, Outcome},
    types::{RecordType, Symbol, Type},
    value::Value,
};

/// The expression for these slot outcomes, folded as far as it goes. A slot with a value becomes [`Node::Bound`] of the
/// number that `bind` gives for the slot's; a constant result is a literal, or [`Node::Error`]. Guards stay as they are.
pub fn specialise(expr: &Expr, outcomes: &[Outcome], bind: &mut dyn FnMut(u16) -> u16) -> Expr {
    match &expr.node {
        Node::Slot(number) => slot(expr, *number, outcomes, bind),
        Node::Compare(op, a, b) if is_no_key(a, outcomes) || is_no_key(b, outcomes) => {
            let other = if is_no_key(a, outcomes) { b } else { a };
            let other = specialise(other, outcomes, bind);
            constant_unless_error(*op == CompareOp::Ne, &other, expr)
        }
        Node::In(item, list) if is_no_key(item, outcomes) => {
            let list = specialise(list, outcomes, bind);
            constant_unless_error(false, &list, expr)
        }
        Node::List(items) if items.iter().any(|item| is_no_key(item, outcomes)) => {
            let keys = items.iter().filter(|item| !is_no_key(item, outcomes));
            let node = Node::List(keys.map(|item| specialise(item, outcomes, bind)).collect());
            Expr::composite(node, expr.ty.clone(), expr.span)
        }
        _ => simplify(expr.map_parts(&mut |part| specialise(part, outcomes, bind))),
    }
}

/// The expression with its bound values renumbered, in guards too.
pub fn map_bound(expr: &Expr, map: &mut dyn FnMut(u16) -> u16) -> Expr {
    let mut mapped = match &expr.node {
        Node::Bound(number) => Expr { node: Node::Bound(map(*number)), ..expr.clone() },
        _ => expr.map_parts(&mut |part| map_bound(part, map)),
    };
    if let Node::Link { guard: Some(guard), .. } | Node::Links { guard: Some(guard), .. } = &mut mapped.node {
        *guard = map_bound(guard, map).into();
    }
    mapped
}

/// The expression in caller mode: every link that it follows carries the guard of the type at its other end. A link's own
/// stored key is not guarded.
pub fn with_guards(expr: &Expr, guard: &mut dyn FnMut(RecordType, Symbol, RecordType) -> Guard) -> Expr {
    let mut guarded = expr.map_parts(&mut |part| with_guards(part, guard));
    if let Node::Link { of, symbol, target, guard: place } | Node::Links { of, symbol, target, guard: place } =
        &mut guarded.node
        && let Type::Record(record) = of.ty
    {
        *place = guard(record, *symbol, *target);
    }
    guarded.with_flags()
}

fn slot(expr: &Expr, number: u16, outcomes: &[Outcome], bind: &mut dyn FnMut(u16) -> u16) -> Expr {
    match outcomes.get(usize::from(number)).copied() {
        Some(Outcome::False) => Expr::bool(false, expr.span),
        Some(Outcome::True) => Expr::bool(true, expr.span),
        Some(Outcome::Null) => Expr::literal(Value::Null, expr.ty.clone(), expr.span),
        Some(Outcome::Value) => {
            let node = Node::Bound(bind(number));
            Expr { node, ty: expr.ty.clone(), span: expr.span, may_null: false, may_error: false }
        }
        // A text that is no key, where it is not compared, has no value to give.
        Some(Outcome::Error | Outcome::NoKey) | None => Expr::error(expr.ty.clone(), expr.span),
    }
}

fn is_no_key(expr: &Expr, outcomes: &[Outcome]) -> bool {
    match expr.node {
        Node::Slot(number) => outcomes.get(usize::from(number)) == Some(&Outcome::NoKey),
        _ => false,
    }
}

/// The truth value, or an error when `other` is one: `other == null ? value : value`.
fn constant_unless_error(value: bool, other: &Expr, whole: &Expr) -> Expr {
    let constant = Expr::bool(value, whole.span);
    if !other.may_error {
        return constant;
    }
    if matches!(other.node, Node::Error) {
        return Expr::error(Type::Bool, whole.span);
    }
    let null = Expr::literal(Value::Null, other.ty.clone(), whole.span);
    let asked = Node::Compare(CompareOp::Eq, Box::new(other.clone()), Box::new(null));
    let asked = Expr::composite(asked, Type::Bool, whole.span);
    let node = Node::Cond(Box::new(asked), Box::new(constant.clone()), Box::new(constant));
    Expr::composite(node, Type::Bool, whole.span)
}

#[cfg(test)]
mod tests;
