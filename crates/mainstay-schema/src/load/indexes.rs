//! The indexes that nobody has to ask for.
use mainstay_expr::equality_fields;

use super::builder::Builder;
use crate::{Collection, FieldId, FieldKind, Index, Scalar};

/// Adds indexes for links to one and for fields that a rule compares with the caller, unless one begins with them already.
pub(super) fn add_automatic(builder: &mut Builder) {
    for of in &mut builder.schema.collections {
        for field in wanted(of) {
            let begins = |fields: &[FieldId]| fields.first() == Some(&field);
            let is_served = of.naming_uniques().any(|unique| begins(&unique.fields))
                || of.indexes.iter().any(|index| begins(&index.fields));
            if !is_served {
                of.indexes.push(Index { fields: vec![field], declared: false });
            }
        }
    }
}

/// The fields, in order.
fn wanted(of: &Collection) -> Vec<FieldId> {
    let links = of.fields.iter().filter(|field| matches!(field.kind, FieldKind::ToOne { .. })).map(|field| field.id);
    let rules = [&of.rules.read, &of.rules.list, &of.rules.create, &of.rules.update, &of.rules.delete];
    let compared = rules.into_iter().flatten().flat_map(|rule| equality_fields(rule)).map(FieldId::of);
    let mut wanted: Vec<FieldId> = links.chain(compared).filter(|id| can_be_indexed(of, *id)).collect();
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}

fn can_be_indexed(of: &Collection, id: FieldId) -> bool {
    let kind = of.fields.get(id.0 as usize).map(|field| &field.kind);
    let is_scalar = matches!(kind, Some(FieldKind::Scalar(scalar)) if !matches!(scalar, Scalar::Json | Scalar::Bytes));
    is_scalar || matches!(kind, Some(FieldKind::Enum(_) | FieldKind::ToOne { .. }))
}
