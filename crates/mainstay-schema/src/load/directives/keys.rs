//! `@unique` and `@index`.
use apollo_compiler::{Node, ast::Directive};

use super::{Builder, Text, full_name, texts};
use crate::{CollectionId, FieldId, FieldKind, Index, Scalar, Unique, nearest};

/// Most fields of one unique or index.
const FIELDS_MAX: usize = 16;

/// `@unique` on a field.
pub(super) fn unique_of_field(builder: &mut Builder, id: CollectionId, field: FieldId, directive: &Node<Directive>) {
    if stands_alone(builder, directive) && can_be_key(builder, id, field, builder.at(&directive.name)) {
        add_unique(builder, id, vec![field], directive);
    }
}

/// `@index` on a field.
pub(super) fn index_of_field(builder: &mut Builder, id: CollectionId, field: FieldId, directive: &Node<Directive>) {
    if stands_alone(builder, directive) && can_be_key(builder, id, field, builder.at(&directive.name)) {
        add_index(builder, id, vec![field], directive);
    }
}

/// `@unique(fields:)` on a type.
pub(super) fn unique_of_type(builder: &mut Builder, id: CollectionId, directive: &Node<Directive>) {
    if let Some(fields) = fields(builder, id, directive) {
        add_unique(builder, id, fields, directive);
    }
}

/// `@index(fields:)` on a type.
pub(super) fn index_of_type(builder: &mut Builder, id: CollectionId, directive: &Node<Directive>) {
    if let Some(fields) = fields(builder, id, directive) {
        add_index(builder, id, fields, directive);
    }
}

/// On a field there is nothing more to say.
fn stands_alone(builder: &mut Builder, directive: &Node<Directive>) -> bool {
    let Some(argument) = directive.arguments.first().filter(|argument| argument.name == "fields") else {
        return directive.arguments.is_empty();
    };
    let place = builder.report.files.place(argument.location());
    let message = format!("on a field, @{} takes no fields", directive.name);
    builder.report.error(place, "unknown_argument", message).hint("put it on the type to name several fields");
    false
}

/// The fields that a directive of a type names; `None` when something is wrong, which is told.
fn fields(builder: &mut Builder, id: CollectionId, directive: &Node<Directive>) -> Option<Vec<FieldId>> {
    let place = builder.at(&directive.name);
    let names = texts(builder, directive, "fields").unwrap_or_default();
    if names.is_empty() {
        let message = format!("on a type, @{} names its fields", directive.name);
        let error = builder.report.error(place, "missing_argument", message);
        error.hint(format!("write @{}(fields: [\"…\"])", directive.name));
        return None;
    }
    if names.len() > FIELDS_MAX {
        let message = format!("@{} has more than {FIELDS_MAX} fields", directive.name);
        builder.report.error(place, "invalid_value", message);
        return None;
    }
    let mut ids = Vec::new();
    for name in &names {
        let field = field_named(builder, id, name)?;
        if ids.contains(&field) {
            let message = format!("\"{}\" is named twice", name.value);
            builder.report.error(name.place, "invalid_value", message).hint("remove one of them");
            return None;
        }
        if !can_be_key(builder, id, field, name.place) {
            return None;
        }
        ids.push(field);
    }
    Some(ids)
}

fn field_named(builder: &mut Builder, id: CollectionId, name: &Text) -> Option<FieldId> {
    let of = builder.schema.collection(id);
    if let Some(field) = of.field_named(&name.value) {
        return Some(field.id);
    }
    if !builder.broken.contains(&name.value) {
        let near = nearest(&name.value, of.fields.iter().map(|field| field.name.as_str())).map(str::to_owned);
        let message = format!("\"{}\" has no field \"{}\"", of.name, name.value);
        builder.report.error(name.place, "unknown_field", message).nearest_or(near.as_deref(), || None);
    }
    None
}

/// Whether a field's values can be told apart and put in order.
fn can_be_key(builder: &mut Builder, id: CollectionId, field: FieldId, place: crate::load::files::Place) -> bool {
    let field = builder.schema.collection(id).field(field);
    let computed = builder.schema.defines.computed.contains_key(&(id, field.name.clone()));
    let what = match &field.kind {
        _ if computed => "computed",
        FieldKind::ScalarList(_) | FieldKind::EnumList(_) => "a list",
        FieldKind::Embedded { .. } => "an embedded value",
        FieldKind::Inverse { .. } | FieldKind::Many { .. } => "a list of links",
        FieldKind::Scalar(Scalar::Json) => "JSON",
        FieldKind::Scalar(Scalar::Bytes) => "Bytes",
        FieldKind::Scalar(_) | FieldKind::Enum(_) | FieldKind::ToOne { .. } => return true,
    };
    let message = format!("\"{}\" cannot be unique or indexed: it is {what}", full_name(builder, id, &field.name));
    builder.report.error(place, "misplaced_directive", message);
    false
}

fn add_unique(builder: &mut Builder, id: CollectionId, fields: Vec<FieldId>, directive: &Node<Directive>) {
    let unique = Unique { fields };
    if builder.schema.collection(id).uniques.contains(&unique) {
        return tell_double(builder, directive);
    }
    builder.schema.collections[id.0 as usize].uniques.push(unique);
}

fn add_index(builder: &mut Builder, id: CollectionId, fields: Vec<FieldId>, directive: &Node<Directive>) {
    let index = Index { fields, declared: true };
    if builder.schema.collection(id).indexes.contains(&index) {
        return tell_double(builder, directive);
    }
    builder.schema.collections[id.0 as usize].indexes.push(index);
}

fn tell_double(builder: &mut Builder, directive: &Node<Directive>) {
    let place = builder.report.files.place(directive.location());
    if !builder.report.told_at(place) {
        let message = format!("the same @{} stands twice", directive.name);
        builder.report.error(place, "name_collision", message).hint("remove one of them");
    }
}
