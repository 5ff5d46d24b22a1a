//! The most characters of texts: from their checks, and of every text that is unique or indexed.
use mainstay_expr::{CompareOp, Expr, Function, Node, THIS, Value};

use super::builder::Builder;
use crate::{
    Check, Collection, FieldId, FieldKind, Scalar,
    wire::{EMAIL_LENGTH_MAX, URL_LENGTH_MAX},
};

/// Most characters of a unique or indexed text whose check says nothing.
const INDEXED_LENGTH_DEFAULT: u32 = 255;
/// Most characters of a unique or indexed text: what every database can index.
const INDEXED_LENGTH_MAX: u32 = 768;

/// Gives every text its maximum, where it has one.
pub(super) fn limit(builder: &mut Builder) {
    for at in 0..builder.schema.collections.len() {
        let of = &builder.schema.collections[at];
        let texts = of.fields.iter().filter(|field| !field.system && is_text(&field.kind)).map(|field| field.id);
        let told = |id| [from_checks(of, id, |_| true), from_checks(of, id, |check| !check.has_words)];
        let limits: Vec<_> = texts.map(|id| (id, told(id), of.is_key(id))).collect();
        for (id, [checked, unchecked], is_key) in limits {
            let length_max = checked.or(is_key.then_some(INDEXED_LENGTH_DEFAULT));
            let field = &mut builder.schema.collections[at].fields[id.0 as usize];
            field.length_max = length_max;
            field.unchecked_length_max = if checked.is_some() { unchecked } else { length_max };
            if let (true, Some(too_long)) = (is_key, length_max.filter(|length| *length > INDEXED_LENGTH_MAX)) {
                let (name, location) = (field.name.clone(), field.at.clone());
                let place = builder.report.files.place_of(&location, name.len());
                let message = format!("\"{name}\" is unique or indexed and may have {too_long} characters");
                let error = builder.report.error(place, "too_long", message);
                error.hint(format!("every database can index {INDEXED_LENGTH_MAX}: @check(expr: \"size({name}) <= {INDEXED_LENGTH_MAX}\")"));
            }
        }
    }
}

fn is_text(kind: &FieldKind) -> bool {
    matches!(kind, FieldKind::Scalar(scalar) if scalar.is_text())
}

/// The least maximum that some of the checks ask for, or the scalar itself.
fn from_checks(of: &Collection, id: FieldId, some: fn(&Check) -> bool) -> Option<u32> {
    let checks = of.checks.iter().filter(|check| check.reads.contains(&id) && some(check));
    let asked = checks.filter_map(|check| size_max(&check.expr.expr, id));
    let own = match of.field(id).kind {
        FieldKind::Scalar(Scalar::Email) => Some(EMAIL_LENGTH_MAX),
        FieldKind::Scalar(Scalar::Url) if !of.is_key(id) => Some(URL_LENGTH_MAX),
        _ => None,
    };
    asked.chain(own).min()
}

/// N of `size(x) <= N`, also among others joined by `&&`.
fn size_max(expr: &Expr, id: FieldId) -> Option<u32> {
    match &expr.node {
        Node::And(parts) => parts.iter().filter_map(|part| size_max(part, id)).min(),
        Node::Compare(op, left, right) => match (op, size_of(left, id), size_of(right, id)) {
            (CompareOp::Le | CompareOp::Eq, true, _) => whole(right),
            (CompareOp::Lt, true, _) => whole(right)?.checked_sub(1),
            (CompareOp::Ge | CompareOp::Eq, _, true) => whole(left),
            (CompareOp::Gt, _, true) => whole(left)?.checked_sub(1),
            _ => None,
        },
        _ => None,
    }
}

fn size_of(expr: &Expr, id: FieldId) -> bool {
    let Node::Call(Function::Size, arguments) = &expr.node else { return false };
    let Some(Node::Field { of, symbol }) = arguments.first().map(|argument| &argument.node) else { return false };
    FieldId::of(*symbol) == id && of.node == Node::Var(THIS)
}

fn whole(expr: &Expr) -> Option<u32> {
    match &expr.node {
        Node::Literal(Value::Int(value)) => u32::try_from(*value).ok(),
        _ => None,
    }
}
