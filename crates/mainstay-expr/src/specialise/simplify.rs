//! One step of folding: an expression whose parts are folded already. The meaning stays, errors included.
use crate::{
    eval::eval_alone,
    tree::{CompareOp, Expr, Function, Node, Quantifier},
    types::Type,
    value::Value,
};

/// The same expression, simpler where that can be seen.
pub(super) fn simplify(expr: Expr) -> Expr {
    let Expr { node, ty, span, may_null, may_error } = expr;
    let whole = |node| Expr { node, ty: ty.clone(), span, may_null, may_error };
    match node {
        Node::And(terms) => connective(terms, false, whole(Node::Error)),
        Node::Or(terms) => connective(terms, true, whole(Node::Error)),
        Node::Cond(c, a, b) => match condition(&c) {
            Known::True => *a,
            Known::False => *b,
            Known::Fails => Expr::error(ty, span),
            Known::Open => whole(Node::Cond(c, a, b)),
        },
        Node::Compare(op, a, b) => comparison(op, *a, *b, whole(Node::Error)),
        Node::In(item, list) => membership(*item, *list, whole(Node::Error)),
        Node::Quantify { kind, var, over, body } => {
            let none = kind == Quantifier::All;
            // What holds of no element is settled; so is what `all` asks of each, where it holds of each.
            let settled = is_empty_list(&over) || (!over.may_error && !over.may_null && body.as_bool() == Some(none));
            match over.node {
                Node::Error | Node::Literal(Value::Null) => Expr::error(ty, span),
                _ if settled => Expr::bool(none, span),
                _ => whole(Node::Quantify { kind, var, over, body }),
            }
        }
        Node::Reduce { kind, var, over, body } => match over.node {
            Node::Error | Node::Literal(Value::Null) => Expr::error(ty, span),
            _ => whole(Node::Reduce { kind, var, over, body }),
        },
        Node::Not(_) | Node::Neg(_) | Node::Arith(..) | Node::Call(..) => strict(whole(node)),
        Node::List(items) if items.iter().any(is_error) => Expr::error(ty, span),
        node => whole(node),
    }
}

/// What is known of a condition.
pub(super) enum Known {
    True,
    False,
    /// An error, or null, which is one where a truth value is needed.
    Fails,
    Open,
}

pub(super) fn condition(expr: &Expr) -> Known {
    match &expr.node {
        Node::Literal(Value::Bool(true)) => Known::True,
        Node::Literal(Value::Bool(false)) => Known::False,
        Node::Literal(_) | Node::Error => Known::Fails,
        _ => Known::Open,
    }
}

/// `||` when `decides` is true, `&&` when it is false.
fn connective(terms: Vec<Expr>, decides: bool, whole: Expr) -> Expr {
    let mut open = Vec::with_capacity(terms.len());
    let mut failed = None;
    for term in flat(terms, decides) {
        match condition(&term) {
            Known::True if decides => return Expr::bool(true, whole.span),
            Known::False if !decides => return Expr::bool(false, whole.span),
            Known::True | Known::False => {}
            Known::Fails => failed = failed.or(Some(Expr::error(Type::Bool, term.span))),
            Known::Open => open.push(term),
        }
    }
    match (open.pop(), failed) {
        (None, None) => Expr::bool(!decides, whole.span),
        (None, Some(failed)) => failed,
        // Alone, a null stays null, but in a connective it was an error.
        (Some(only), None) if open.is_empty() && !only.may_null => only,
        (Some(last), failed) => {
            open.push(last);
            open.extend(failed);
            let node = if decides { Node::Or(open) } else { Node::And(open) };
            Expr::composite(node, Type::Bool, whole.span)
        }
    }
}

fn flat(terms: Vec<Expr>, decides: bool) -> Vec<Expr> {
    let mut out = Vec::with_capacity(terms.len());
    for term in terms {
        match term.node {
            Node::Or(inner) if decides => out.extend(inner),
            Node::And(inner) if !decides => out.extend(inner),
            _ => out.push(term),
        }
    }
    out
}

fn comparison(op: CompareOp, a: Expr, b: Expr, whole: Expr) -> Expr {
    if is_error(&a) || is_error(&b) {
        return Expr::error(Type::Bool, whole.span);
    }
    if is_literal(&a) && is_literal(&b) {
        return strict(Expr { node: Node::Compare(op, Box::new(a), Box::new(b)), ..whole });
    }
    if a.is_null() || b.is_null() {
        let other = if a.is_null() { &b } else { &a };
        match op {
            _ if !op.is_equality() => return Expr::error(Type::Bool, whole.span),
            _ if other.may_null || other.may_error => {}
            _ => return Expr::bool(op == CompareOp::Ne, whole.span),
        }
    }
    Expr { node: Node::Compare(op, Box::new(a), Box::new(b)), ..whole }.with_flags()
}

fn membership(item: Expr, list: Expr, whole: Expr) -> Expr {
    if is_error(&item) || is_error(&list) || list.is_null() {
        return Expr::error(Type::Bool, whole.span);
    }
    if is_empty_list(&list) {
        return super::constant_unless_error(false, &item, &whole);
    }
    if let Node::List(items) = &list.node {
        if let [only] = items.as_slice() {
            return comparison(CompareOp::Eq, item, only.clone(), whole);
        }
        if is_literal(&item) && items.iter().all(is_literal) {
            return strict(Expr { node: Node::In(Box::new(item), Box::new(list)), ..whole });
        }
    }
    Expr { node: Node::In(Box::new(item), Box::new(list)), ..whole }.with_flags()
}

/// An operator or function that fails on errors and nulls: folded when all its parts are known.
fn strict(expr: Expr) -> Expr {
    let parts = expr.parts();
    let equality = matches!(&expr.node, Node::Compare(op, ..) if op.is_equality()) || matches!(expr.node, Node::In(..));
    if parts.iter().any(|part| is_error(part) || (part.is_null() && !equality)) {
        return Expr::error(expr.ty, expr.span);
    }
    let known = parts.iter().all(|part| is_literal(part) || is_literal_list(part));
    // A pattern is not worth compiling here.
    if !known || matches!(expr.node, Node::Call(Function::Matches, _)) {
        return expr;
    }
    match eval_alone(&expr, None) {
        Ok(value) => Expr::literal(value, expr.ty, expr.span),
        Err(_) => Expr::error(expr.ty, expr.span),
    }
}

fn is_error(expr: &Expr) -> bool {
    matches!(expr.node, Node::Error)
}

fn is_literal(expr: &Expr) -> bool {
    matches!(expr.node, Node::Literal(_))
}

fn is_literal_list(expr: &Expr) -> bool {
    matches!(&expr.node, Node::List(items) if items.iter().all(is_literal))
}

fn is_empty_list(expr: &Expr) -> bool {
    matches!(&expr.node, Node::List(items) if items.is_empty())
}
