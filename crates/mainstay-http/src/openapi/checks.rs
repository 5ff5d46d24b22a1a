//! What a field's checks say that a JSON schema can say too: bounds and patterns.
use mainstay_expr::{CompareOp, Expr, Function, Node as Tree, Symbol, THIS, Value, wire};
use mainstay_schema::{Check, Collection, Field};

use super::node::{Node, constant};

/// A bound or a pattern: the name that JSON schemas have for it, and its value.
type Constraint = (&'static str, Node);

/// The name of what is said in the description.
const REMARK: &str = "description";

/// The schema of a value, described, with what the field's own checks add. Whatever has no such form is left to the server.
pub(super) fn constrained(node: Node, collection: &Collection, field: &Field) -> Node {
    let mut found = Vec::new();
    let own = |check: &&Check| check.field == Some(field.id);
    for check in collection.checks.iter().filter(own) {
        collect(&check.expr.expr, Symbol(field.id.0), &mut found);
    }
    let (remarks, constraints): (Vec<_>, Vec<_>) = found.into_iter().partition(|(name, _)| *name == REMARK);
    let node = constraints.into_iter().fold(node, tightened).described(field.doc.as_deref());
    remarks.into_iter().fold(node, |node, (_, remark)| match remark {
        Node::Text(sentence) => node.remarked(&sentence),
        _ => node,
    })
}

/// What holds of the field when the expression is true: the parts of an AND.
fn collect(expr: &Expr, field: Symbol, out: &mut Vec<Constraint>) {
    match &expr.node {
        Tree::And(parts) => parts.iter().for_each(|part| collect(part, field, out)),
        Tree::Compare(op, left, right) => out.extend(compared(*op, left, right, field)),
        Tree::Call(Function::Matches, arguments) => {
            if let [value, pattern] = &arguments[..]
                && is_field(value, field)
                && let Tree::Literal(Value::Text(pattern)) = &pattern.node
                && is_portable(pattern)
            {
                out.push(("pattern", Node::Text(pattern.to_string())));
            }
        }
        _ => {}
    }
}

fn compared(op: CompareOp, left: &Expr, right: &Expr, field: Symbol) -> Option<Constraint> {
    let (of, op, literal) = match (&left.node, &right.node) {
        (_, Tree::Literal(value)) => (left, op, value),
        (Tree::Literal(value), _) => (right, mirrored(op), value),
        _ => return None,
    };
    if is_field(of, field) {
        let name = match op {
            CompareOp::Lt => "exclusiveMaximum",
            CompareOp::Le => "maximum",
            CompareOp::Gt => "exclusiveMinimum",
            CompareOp::Ge => "minimum",
            CompareOp::Eq | CompareOp::Ne => return None,
        };
        return match literal {
            Value::Int(_) | Value::Float(_) => Some((name, constant(literal)?)),
            Value::Decimal(bound) => Some((REMARK, Node::Text(bound_of_text(op, &wire::format_decimal(*bound))?))),
            _ => None,
        };
    }
    let Tree::Call(Function::Size, arguments) = &of.node else { return None };
    let Value::Int(length) = literal else { return None };
    if !arguments.first().is_some_and(|value| is_field(value, field)) {
        return None;
    }
    let list = matches!(arguments[0].ty, mainstay_expr::Type::List(_));
    let (least, most) = if list { ("minItems", "maxItems") } else { ("minLength", "maxLength") };
    let (name, length) = match op {
        CompareOp::Lt => (most, length.checked_sub(1)?),
        CompareOp::Le => (most, *length),
        CompareOp::Gt => (least, length.checked_add(1)?),
        CompareOp::Ge => (least, *length),
        CompareOp::Eq | CompareOp::Ne => return None,
    };
    (length >= 0).then_some((name, Node::Int(length)))
}

/// A bound in words: of what is a text on the wire, no schema can say one.
fn bound_of_text(op: CompareOp, bound: &str) -> Option<String> {
    let word = match op {
        CompareOp::Lt => "Less than",
        CompareOp::Le => "At most",
        CompareOp::Gt => "More than",
        CompareOp::Ge => "At least",
        CompareOp::Eq | CompareOp::Ne => return None,
    };
    Some(format!("{word} {bound}."))
}

fn mirrored(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
        same => same,
    }
}

fn is_field(expr: &Expr, field: Symbol) -> bool {
    match &expr.node {
        Tree::Field { of, symbol } => *symbol == field && matches!(of.node, Tree::Var(THIS)),
        _ => false,
    }
}

/// Whether a pattern means the same in RE2 and in JSON schemas: whole-text, of ASCII, without escapes and groups with flags.
fn is_portable(pattern: &str) -> bool {
    let differs = ["\\", ".", "|", "(?", "[[", "&&"];
    let whole = pattern.starts_with('^') && pattern.ends_with('$');
    whole && pattern.is_ascii() && !differs.iter().any(|part| pattern.contains(part))
}

/// Adds a constraint; of two that say the same thing the server's own (a length, a range) gives way to the check's.
fn tightened(node: Node, (name, value): Constraint) -> Node {
    let Node::Object(mut members) = node else { return node };
    match members.iter_mut().find(|(known, _)| known == name) {
        Some((_, known)) => *known = tighter(name, known, value),
        None => members.push((name.to_owned(), value)),
    }
    Node::Object(members)
}

fn tighter(name: &str, known: &Node, value: Node) -> Node {
    let number = |node: &Node| match node {
        Node::Int(value) => Some(*value as f64),
        Node::Float(value) => Some(*value),
        _ => None,
    };
    let lower = matches!(name, "minimum" | "exclusiveMinimum" | "minLength" | "minItems");
    match (number(known), number(&value)) {
        (Some(a), Some(b)) if a != b && (a > b) == lower => known.clone(),
        _ => value,
    }
}
