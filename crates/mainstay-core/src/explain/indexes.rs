//! Indexes that would help a read and that the schema does not have.
use std::collections::BTreeSet;

use mainstay_expr::{CompareOp, Expr, Node, THIS};
use mainstay_schema::{Collection, FieldId};

use crate::{MissingIndex, plan::read::ReadShape, plan::sort::SortKey};

/// The indexes that a read could use: for what it compares, and for its order.
pub(crate) fn missing_indexes(collection: &Collection, shape: &ReadShape) -> Vec<MissingIndex> {
    let mut compared = BTreeSet::new();
    for number in shape.conditions() {
        compared_fields(&shape.expressions.compiled(number).expr, &mut compared);
    }
    let mut missing = Vec::new();
    for field in &compared {
        if !begins_index(collection, &[*field]) {
            missing.push(index(collection, &[*field], "it is compared for equality"));
        }
    }
    let order = own_order(collection, &shape.order);
    let helped = |first: &FieldId| begins_index(collection, &[&[*first], &order[..]].concat());
    if !order.is_empty() && !begins_index(collection, &order) && !compared.iter().any(helped) {
        let fields: Vec<FieldId> = compared.iter().take(1).chain(&order).copied().collect();
        missing.push(index(collection, &fields, "the page is sorted by it"));
    }
    missing
}

/// The own fields that are compared for equality, in parts that must hold.
fn compared_fields(expr: &Expr, found: &mut BTreeSet<FieldId>) {
    match &expr.node {
        Node::And(parts) => parts.iter().for_each(|part| compared_fields(part, found)),
        Node::Compare(CompareOp::Eq, a, b) | Node::In(a, b) => {
            for side in [a, b] {
                if let Node::Field { of, symbol } = &side.node
                    && of.node == Node::Var(THIS)
                {
                    found.insert(FieldId::of(*symbol));
                }
            }
        }
        _ => {}
    }
}

/// The own fields that lead the order, up to the key.
fn own_order(collection: &Collection, order: &[SortKey]) -> Vec<FieldId> {
    let own = order.iter().take_while(|key| key.links.is_empty() && collection.system.id != Some(key.field));
    own.map(|key| key.field).collect()
}

fn begins_index(collection: &Collection, fields: &[FieldId]) -> bool {
    let indexes = collection.indexes.iter().map(|index| &index.fields);
    let mut all = indexes.chain(collection.naming_uniques().map(|unique| &unique.fields));
    all.any(|index| index.starts_with(fields))
}

fn index(collection: &Collection, fields: &[FieldId], reason: &str) -> MissingIndex {
    let names: Vec<String> = fields.iter().map(|field| format!("{:?}", collection.field(*field).name)).collect();
    MissingIndex {
        collection: collection.name.clone(),
        directive: format!("@index(fields: [{}])", names.join(", ")),
        reason: reason.to_owned(),
    }
}
