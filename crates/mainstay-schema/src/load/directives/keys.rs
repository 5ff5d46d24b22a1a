//! `@unique` and `@index`.
use std::sync::Arc;

use apollo_compiler::{Node, ast::Directive};
use mainstay_expr::{Compiled, Type};

use super::{Builder, Text, full_name, text, texts};
use crate::{CollectionId, FieldId, FieldKind, Index, Scalar, Unique, nearest, snapshot};

/// Most fields of one unique or index.
const FIELDS_MAX: usize = 16;

/// `@unique` on a field.
pub(super) fn unique_of_field(builder: &mut Builder, id: CollectionId, field: FieldId, directive: &Node<Directive>) {
    if takes_no_fields(builder, directive) && can_be_key(builder, id, field, builder.at(&directive.name)) {
        add_unique(builder, id, vec![field], directive);
    }
}

/// `@index` on a field.
pub(super) fn index_of_field(builder: &mut Builder, id: CollectionId, field: FieldId, directive: &Node<Directive>) {
    if takes_no_fields(builder, directive) && can_be_key(builder, id, field, builder.at(&directive.name)) {
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

/// On a field, the field itself is meant. Arguments that a directive does not have are told elsewhere.
fn takes_no_fields(builder: &mut Builder, directive: &Node<Directive>) -> bool {
    let Some(argument) = directive.arguments.iter().find(|argument| argument.name == "fields") else {
        return true;
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
    let Ok(condition) = condition(builder, id, directive) else { return };
    let text = |of: &Unique| of.condition.as_ref().map(|condition| condition.text.clone());
    let unique = Unique { fields, condition };
    let same = |of: &Unique| of.fields == unique.fields && text(of) == text(&unique);
    if builder.schema.collection(id).uniques.iter().any(same) {
        return tell_double(builder, directive);
    }
    builder.schema.collections[id.0 as usize].uniques.push(unique);
}

/// The condition of a `@unique(where:)`; an error when something is wrong with it, which is told.
fn condition(
    builder: &mut Builder,
    id: CollectionId,
    directive: &Node<Directive>,
) -> Result<Option<Arc<Compiled>>, ()> {
    let Some(text) = text(builder, directive, "where") else { return Ok(None) };
    let compiled = builder.compile(Some(id), &text, &Type::Bool).ok_or(())?;
    let hint =
        "compare the record's own fields with constants: \"!archived\", \"status == 'OPEN' && deletedAt == null\"";
    let (place, message) = match snapshot::condition(&builder.schema, builder.schema.collection(id), &compiled.expr) {
        _ if !compiled.slots.is_empty() => {
            (text.place, "the where of a unique reads the caller or the request".to_owned())
        }
        Ok(made) if made.columns().is_empty() => (text.place, "the where of a unique reads no field".to_owned()),
        Ok(_) => return Ok(Some(compiled)),
        Err(part) => {
            let (start, end) = (part.span.start as usize, part.span.end as usize);
            let shown = text.value.get(start..end).unwrap_or(&text.value);
            let message = format!("no unique can be made where \"{shown}\"");
            (builder.place_in(&text, start, end), message)
        }
    };
    builder.report.error(place, "invalid_where", message).hint(hint);
    Err(())
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
