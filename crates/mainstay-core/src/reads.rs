//! What a condition reads, wherever it looks.
use mainstay_expr::{Expr, Node, Symbol, Type};
use mainstay_schema::{CollectionId, FieldId, FieldKind, Schema};

/// Whether a condition reads one of these fields of a collection, of whichever record, guards included. The other side of a
/// link reads the link.
pub(crate) fn reads_any(schema: &Schema, condition: &Expr, of: CollectionId, fields: &[FieldId]) -> bool {
    let reads = |record: &Expr, symbol: Symbol| {
        let Type::Record(ty) = record.ty else { return false };
        let Some(collection) = schema.collection_of(ty) else { return false };
        if collection.id == of && fields.contains(&FieldId::of(symbol)) {
            return true;
        }
        match collection.fields.get(symbol.0 as usize).map(|field| &field.kind) {
            Some(FieldKind::Inverse { target, field }) => *target == of && fields.contains(field),
            _ => false,
        }
    };
    any(condition, &mut |part| match &part.node {
        Node::Field { of, symbol } | Node::Link { of, symbol, .. } | Node::Links { of, symbol, .. } => {
            reads(of, *symbol)
        }
        _ => false,
    })
}

/// Whether some part of an expression is so; guards are parts too.
pub(crate) fn any(expr: &Expr, is: &mut dyn FnMut(&Expr) -> bool) -> bool {
    if is(expr) {
        return true;
    }
    match &expr.node {
        Node::Literal(_) | Node::Error | Node::Caller(_) | Node::Slot(_) | Node::Bound(_) | Node::Var(_) => false,
        Node::Field { of, .. } | Node::Key(of) | Node::Not(of) | Node::Neg(of) => any(of, is),
        Node::Link { of, guard, .. } | Node::Links { of, guard, .. } => {
            any(of, is) || guard.as_ref().is_some_and(|guard| any(guard, is))
        }
        Node::And(parts) | Node::Or(parts) | Node::List(parts) | Node::Call(_, parts) => {
            parts.iter().any(|part| any(part, is))
        }
        Node::Cond(a, b, c) => any(a, is) || any(b, is) || any(c, is),
        Node::Compare(_, a, b) | Node::In(a, b) | Node::Arith(_, a, b) => any(a, is) || any(b, is),
        Node::Quantify { over, body, .. } => any(over, is) || any(body, is),
    }
}
