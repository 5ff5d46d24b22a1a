//! The components of a collection: what is answered, what is sent to create and to change it, a page.
use mainstay_core::Limits;
use mainstay_schema::{Collection, CollectionId, Default, Embedded, Enum, Field, FieldId, FieldKind, KeyKind, Schema};

use super::{
    checks::constrained,
    links,
    names::{CollectionNames, Names},
    node::{Node, constant, object, reference},
    types::{self, Side},
};

/// Adds the components of one collection to `out`.
pub(super) fn components(
    schema: &Schema,
    names: &Names,
    limits: &Limits,
    collection: &Collection,
    out: &mut Vec<(String, Node)>,
) {
    let own = &names.collections[collection.id.0 as usize];
    out.push((own.record.clone(), answered(schema, names, collection)));
    out.push((own.page.clone(), page(own)));
    out.push((own.link.clone(), links::link(schema, names, collection)));
    out.push((own.create.clone(), create(schema, names, limits, collection)));
    let linked = links::is_linked(schema, collection);
    if linked {
        out.push((own.link_or_new.clone(), links::link_or_new(schema, names, collection)));
    }
    if linked || collection.naming_uniques().next().is_some() {
        out.push((own.nested.clone(), links::nested(schema, names, limits, collection)));
    }
    out.push((own.update.clone(), update(schema, names, limits, collection)));
}

/// Nothing is required: `fields` may leave out anything.
fn answered(schema: &Schema, names: &Names, collection: &Collection) -> Node {
    let answered = collection.valued().filter(|field| !field.hidden);
    let properties = answered.map(|field| (field.name.clone(), answered_field(schema, names, field)));
    let node = object([("type", "object".into()), ("properties", Node::Object(properties.collect()))]);
    node.described(collection.doc.as_deref())
}

fn answered_field(schema: &Schema, names: &Names, field: &Field) -> Node {
    let node = if field.system && field.name == "id" {
        types::key(key_kind(field), Side::Answered)
    } else {
        types::field(schema, names, field, Side::Answered)
    };
    // Of records of which it may not be read, it is null.
    let node = if field.required && field.rules.read.is_some() { types::nullable(node) } else { node };
    node.described(doc(field).as_deref())
}

fn doc(field: &Field) -> Option<String> {
    field.doc.clone().or_else(|| {
        let text = match field.name.as_str() {
            "id" => "The key.",
            "createdAt" => "When it was created.",
            "updatedAt" => "When it was changed last.",
            "version" => "How often it was changed, its creation included.",
            _ => return None,
        };
        field.system.then(|| text.to_owned())
    })
}

fn key_kind(field: &Field) -> KeyKind {
    use mainstay_schema::Scalar;
    match field.kind {
        FieldKind::Scalar(Scalar::Uuid) => KeyKind::Uuid,
        FieldKind::Scalar(Scalar::Int | Scalar::Long) => KeyKind::Int,
        _ => KeyKind::String,
    }
}

fn page(own: &CollectionNames) -> Node {
    let items = object([("type", "array".into()), ("items", reference("schemas", &own.record))]);
    let next = object([("type", Node::Array(vec!["string".into(), "null".into()]))])
        .described(Some("What `after` takes to get the next page; null on the last one."));
    let count = object([("type", "integer".into()), ("format", "int64".into()), ("minimum", Node::Int(0))])
        .described(Some("How many records there are in all; only with `count=true`."));
    object([
        ("type", "object".into()),
        ("required", Node::Array(vec!["items".into(), "next".into()])),
        ("properties", object([("items", items), ("next", next), ("count", count)])),
        ("additionalProperties", false.into()),
    ])
}

fn create(schema: &Schema, names: &Names, limits: &Limits, collection: &Collection) -> Node {
    let about = format!(
        "A new {}. Its links may hold the fields of records that are made with it, deeper than is described here too.",
        collection.name
    );
    taken(schema, names, limits, collection, Taking::Whole).described(Some(&about))
}

/// How much of a new record is described.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Taking {
    /// Records may be made inside of it.
    Whole,
    /// Its links lead to what is there.
    Alone,
    /// The same without the link to the record around it.
    Without(FieldId),
}

/// A new record as it is sent.
pub(super) fn taken(schema: &Schema, names: &Names, limits: &Limits, collection: &Collection, taking: Taking) -> Node {
    let mut properties = Vec::new();
    let mut required = Vec::new();
    for field in &collection.fields {
        if taking == Taking::Without(field.id) {
            continue;
        }
        let taken =
            if field.system { field.name == "id" } else { field.set.create.is_none() && field.computed.is_none() };
        let Some(node) = taken.then(|| new_field(schema, names, limits, (collection, field), taking)).flatten() else {
            continue;
        };
        if is_required(collection, field) {
            required.push(field.name.as_str().into());
        }
        let default = match &field.default {
            Some(Default::Value(value)) => constant(value),
            _ => None,
        };
        // As a word of the schema it would make the field one that has to be sent, for clients in TypeScript.
        let node = default.iter().fold(node, |node, default| node.remarked(&format!("By default {}.", default.text())));
        properties.push((field.name.clone(), node));
    }
    closed(properties, required)
}

/// A field of a new record.
fn new_field(
    schema: &Schema,
    names: &Names,
    limits: &Limits,
    (collection, field): (&Collection, &Field),
    taking: Taking,
) -> Option<Node> {
    let node = match field.kind {
        _ if taking != Taking::Whole => return taken_field(schema, names, limits, collection, field),
        FieldKind::Inverse { target, field: link } => {
            links::behind(schema, names, limits, schema.collection(target), link)
        }
        FieldKind::Many { target, .. } => types::list(link_or_new(names, target), limits.links_max),
        FieldKind::ToOne { target, .. } if !field.system => {
            let link = link_or_new(names, target);
            if field.required { link } else { types::nullable(link) }
        }
        _ => return taken_field(schema, names, limits, collection, field),
    };
    Some(node.described(field.doc.as_deref()))
}

/// A link to what is there, or to what is made with it.
fn link_or_new(names: &Names, target: CollectionId) -> Node {
    reference("schemas", &names.collections[target.0 as usize].link_or_new)
}

fn is_required(collection: &Collection, field: &Field) -> bool {
    if field.system {
        return collection.key == KeyKind::String;
    }
    field.required && field.default.is_none() && field.stored()
}

fn update(schema: &Schema, names: &Names, limits: &Limits, collection: &Collection) -> Node {
    let changeable = |field: &&Field| !field.system && !field.immutable && !field.read_only();
    let properties = collection
        .fields
        .iter()
        .filter(changeable)
        .filter_map(|field| Some((field.name.clone(), changed_field(schema, names, limits, collection, field)?)));
    let about = format!("The fields of a {} that change: null clears, what is not sent stays.", collection.name);
    closed(properties.collect(), Vec::new()).described(Some(&about))
}

/// A to-many link may also be changed without sending the whole list.
fn changed_field(
    schema: &Schema,
    names: &Names,
    limits: &Limits,
    collection: &Collection,
    field: &Field,
) -> Option<Node> {
    let FieldKind::Many { target, .. } = field.kind else {
        return taken_field(schema, names, limits, collection, field);
    };
    let keys = || types::list(link_to(names, target), limits.links_max);
    let change = closed(vec![("add".into(), keys()), ("remove".into(), keys())], Vec::new());
    let node = object([("oneOf", Node::Array(vec![keys(), change]))]);
    Some(node.described(field.doc.as_deref()))
}

fn taken_field(
    schema: &Schema,
    names: &Names,
    limits: &Limits,
    collection: &Collection,
    field: &Field,
) -> Option<Node> {
    let node = match field.kind {
        FieldKind::Inverse { .. } => return None,
        FieldKind::Many { target, .. } => types::list(link_to(names, target), limits.links_max),
        FieldKind::ToOne { target, .. } if !field.system => {
            if field.required {
                link_to(names, target)
            } else {
                types::nullable(link_to(names, target))
            }
        }
        _ if field.system => types::key(collection.key, Side::Taken),
        _ => return Some(constrained(types::field(schema, names, field, Side::Taken), collection, field)),
    };
    Some(node.described(field.doc.as_deref()))
}

/// A link to what is there.
fn link_to(names: &Names, target: CollectionId) -> Node {
    reference("schemas", &names.collections[target.0 as usize].link)
}

pub(super) fn closed(properties: Vec<(String, Node)>, required: Vec<Node>) -> Node {
    let node = object([("type", "object".into()), ("properties", Node::Object(properties))]);
    let node = if required.is_empty() { node } else { node.with("required", required) };
    node.with("additionalProperties", false)
}

/// The component of an enum.
pub(super) fn enumeration(of: &Enum) -> Node {
    let values = of.values.iter().map(|value| value.as_str().into()).collect();
    object([("type", "string".into()), ("enum", Node::Array(values))]).described(of.doc.as_deref())
}

/// The component of an embedded type; it is sent and answered whole.
pub(super) fn embedded(schema: &Schema, names: &Names, of: &Embedded) -> Node {
    let member = |side| {
        of.members.iter().map(move |member| {
            let node = types::kind(schema, names, &member.kind, None, side);
            let node = if member.required { node } else { types::nullable(node) };
            (member.name.clone(), node.described(member.doc.as_deref()))
        })
    };
    let required = of.members.iter().filter(|member| member.required).map(|member| member.name.as_str().into());
    closed(member(Side::Answered).collect(), required.collect()).described(of.doc.as_deref())
}
