//! What a condition reads, wherever it looks.
use mainstay_expr::{Expr, Node, Symbol, Type};
use mainstay_schema::{CollectionId, FieldId, FieldKind, Schema};

/// Whether a condition reads one of these fields of a collection, of whichever record. The other side of a
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
    condition.any(&mut |part| match &part.node {
        Node::Field { of, symbol } | Node::Link { of, symbol, .. } | Node::Links { of, symbol, .. } => {
            reads(of, *symbol)
        }
        _ => false,
    })
}
