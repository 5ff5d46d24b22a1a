//! Links as they are sent: an id, the values of a unique, an earlier operation of a batch; or a record to be made.
use mainstay_core::Limits;
use mainstay_schema::{Collection, Field, FieldId, FieldKind, Schema, Unique};

use super::{
    names::Names,
    node::{Node, object, reference},
    records::{Taking, closed, taken},
    types::{self, Side},
};

/// Characters of an operation's name at most.
pub(super) const NAME_LENGTH_MAX: u32 = 64;

/// The component of a link to a record of a collection.
pub(super) fn link(schema: &Schema, names: &Names, collection: &Collection) -> Node {
    object([("anyOf", Node::Array(choices(schema, names, collection)))])
        .described(Some(&format!("A {} that is there: its id, or the values of a unique.", collection.name)))
}

/// The component of a link of a new record: to what is there, or to a record that is made with it.
pub(super) fn link_or_new(schema: &Schema, names: &Names, collection: &Collection) -> Node {
    let mut all = choices(schema, names, collection);
    all.push(reference("schemas", &names.collections[collection.id.0 as usize].nested));
    let about = format!("A {} that is there, or the fields of one that is made with the record.", collection.name);
    object([("anyOf", Node::Array(all))]).described(Some(&about))
}

/// What a link to what is there is sent as.
fn choices(schema: &Schema, names: &Names, collection: &Collection) -> Vec<Node> {
    let mut all = vec![types::key(collection.key, Side::Taken)];
    if let Some(by) = by(schema, names, collection) {
        all.push(closed(vec![("by".into(), by)], vec!["by".into()]));
    }
    let name = operation_name().described(Some("The name of an earlier operation; in a batch alone."));
    all.push(closed(vec![("ref".into(), name)], vec!["ref".into()]));
    all
}

/// The name of an operation.
pub(super) fn operation_name() -> Node {
    object([("type", "string".into()), ("minLength", Node::Int(1)), ("maxLength", NAME_LENGTH_MAX.into())])
}

/// The values of one of the uniques of a collection; `None` where there are none.
pub(super) fn by(schema: &Schema, names: &Names, collection: &Collection) -> Option<Node> {
    let one = |unique: &Unique| {
        let value = |id: &FieldId| {
            let field = collection.field(*id);
            (field.name.clone(), types::kind(schema, names, &field.kind, field.length_max, Side::Taken))
        };
        let required = unique.fields.iter().map(|id| collection.field(*id).name.as_str().into());
        closed(unique.fields.iter().map(value).collect(), required.collect())
    };
    let mut all: Vec<Node> = collection.open_uniques().map(one).collect();
    match all.len() {
        0 => None,
        1 => all.pop(),
        _ => Some(object([("anyOf", Node::Array(all))])),
    }
}

/// The component of a record that is made inside of another, or upserted: its links lead to what is there.
pub(super) fn nested(schema: &Schema, names: &Names, limits: &Limits, collection: &Collection) -> Node {
    taken(schema, names, limits, collection, Taking::Alone)
        .described(Some(&format!("A new {} inside of another record.", collection.name)))
}

/// Whether records of a collection are made inside of others that link to them.
pub(super) fn is_linked(schema: &Schema, collection: &Collection) -> bool {
    let leads_here = |field: &Field| match field.kind {
        FieldKind::ToOne { target, .. } | FieldKind::Many { target, .. } => target == collection.id,
        _ => false,
    };
    schema.collections.iter().flat_map(|of| &of.fields).any(leads_here)
}

/// Records that are made behind a new one, and link to it.
pub(super) fn behind(schema: &Schema, names: &Names, limits: &Limits, target: &Collection, link: FieldId) -> Node {
    types::list(taken(schema, names, limits, target, Taking::Without(link)), limits.batch_max.saturating_sub(1))
}
