//! Links: to one, to many through the other's link, to many through a join table.
use apollo_compiler::{Node, ast::FieldDefinition};

use super::{
    Builder, directive, full_name,
    shape::{Base, Shape},
};
use crate::{
    CollectionId, FieldId, FieldKind, OnDelete,
    load::declared::TypeDeclared,
    names::{join_table, nearest},
};

/// Of an inverse whose field is not resolved yet.
const UNRESOLVED: FieldId = FieldId(u32::MAX);

/// What a field holds; `None` when its directives do not fit, which is told.
pub(super) fn kind(
    builder: &mut Builder,
    id: CollectionId,
    field: &Node<FieldDefinition>,
    shape: Shape,
) -> Option<FieldKind> {
    let kind = match (shape.target(), shape.list) {
        (Some(target), false) => FieldKind::ToOne { target, on_delete: on_delete(builder, field, shape.required) },
        (Some(target), true) => to_many(builder, id, field, target)?,
        (None, _) => shape.value_kind()?,
    };
    let is_to_many = matches!(kind, FieldKind::Inverse { .. } | FieldKind::Many { .. });
    let mut wrong = Vec::new();
    if !is_to_many {
        wrong.extend([("many", "a list of a type with an address"), ("inverse", "a list of a type with an address")]);
    }
    if !matches!(kind, FieldKind::ToOne { .. }) {
        wrong.push(("onDelete", "a link to one"));
    }
    for (name, belongs) in wrong {
        if let Some(directive) = directive(field, name) {
            let place = builder.at(&directive.name);
            let message = format!("@{name} belongs on {belongs}, \"{}\" is none", full_name(builder, id, &field.name));
            builder.report.error(place, "misplaced_directive", message).hint(described(shape));
        }
    }
    Some(kind)
}

fn described(shape: Shape) -> &'static str {
    match (shape.of, shape.list) {
        (Base::Scalar(_), false) => "it is a scalar",
        (Base::Scalar(_), true) => "it is a list of scalars",
        (Base::Type(crate::load::builder::TypeRef::Collection(_)), false) => "it is a link to one",
        (Base::Type(crate::load::builder::TypeRef::Collection(_)), true) => "it is a link to many",
        (Base::Type(_), _) => "it is no link",
    }
}

/// What is declared, or else RESTRICT when required and SET_NULL when optional.
fn on_delete(builder: &mut Builder, field: &FieldDefinition, required: bool) -> OnDelete {
    let declared = directive(field, "onDelete").and_then(|directive| directive.specified_argument_by_name("do"));
    let word = declared.and_then(|value| value.as_enum());
    match word.map(|word| word.as_str()) {
        Some("CASCADE") => OnDelete::Cascade,
        Some("RESTRICT") => OnDelete::Restrict,
        Some("SET_NULL") => {
            if let (true, Some(value)) = (required, declared) {
                let place = builder.at_value(value);
                builder
                    .report
                    .error(place, "invalid_value", format!("\"{}\" is required: it cannot become null", field.name))
                    .hint("remove the \"!\" of its type, or choose CASCADE or RESTRICT");
            }
            OnDelete::SetNull
        }
        // Any other word is told by validation.
        _ if required => OnDelete::Restrict,
        _ => OnDelete::SetNull,
    }
}

fn to_many(
    builder: &mut Builder,
    id: CollectionId,
    field: &FieldDefinition,
    target: CollectionId,
) -> Option<FieldKind> {
    let place = builder.at(&field.name);
    let name = full_name(builder, id, &field.name);
    let target_name = builder.schema.collection(target).name.clone();
    if !field.ty.is_non_null() {
        let error =
            builder.report.error(place, "invalid_type", format!("\"{name}\" is a list of links and never null"));
        error.hint(format!("write [{target_name}!]!"));
    }
    match (directive(field, "many"), directive(field, "inverse")) {
        (Some(_), None) => {
            let table = join_table(&builder.schema.collection(id).table, &field.name);
            Some(FieldKind::Many { target, table })
        }
        (None, Some(_)) => Some(FieldKind::Inverse { target, field: UNRESOLVED }),
        (Some(_), Some(_)) => {
            let message = format!("\"{name}\" is either @many or @inverse");
            builder.report.error(place, "misplaced_directive", message).hint("remove one of them");
            None
        }
        (None, None) => {
            let message = format!("\"{name}\" does not say how it links to many");
            builder.report.error(place, "missing_directive", message).hint(format!(
                "add @many for a link of its own, or @inverse(field: \"…\") for the other side of a link of \"{target_name}\""
            ));
            None
        }
    }
}

/// Finds the link that each `@inverse` is the other side of.
pub(super) fn resolve_inverses(builder: &mut Builder, id: CollectionId, of: &TypeDeclared) {
    for field in &of.fields {
        let Some(own) = builder.schema.collection(id).field_named(&field.name).map(|own| own.id) else { continue };
        let FieldKind::Inverse { target, .. } = builder.schema.collection(id).field(own).kind else { continue };
        let Some(value) = directive(field, "inverse").and_then(|of| of.specified_argument_by_name("field")) else {
            continue;
        };
        let Some(name) = value.as_str() else { continue };
        let other = builder.schema.collection(target).field_named(name);
        let points_here = |kind: &FieldKind| matches!(kind, FieldKind::ToOne { target, .. } if *target == id);
        match other {
            Some(other) if points_here(&other.kind) => {
                let (field, hidden) = (other.id, other.hidden);
                let own = &mut builder.schema.collections[id.0 as usize].fields[own.0 as usize];
                own.kind = FieldKind::Inverse { target, field };
                // It tells what the link holds.
                own.hidden |= hidden;
            }
            _ if builder.broken.contains(name) => {}
            _ => {
                let place = builder.at_value(value);
                let fields = &builder.schema.collection(target).fields;
                let links = fields.iter().filter(|other| points_here(&other.kind)).map(|other| other.name.clone());
                let links: Vec<String> = links.collect();
                tell_no_link(builder, place, id, target, name, &links);
            }
        }
    }
}

fn tell_no_link(
    builder: &mut Builder,
    place: crate::load::files::Place,
    id: CollectionId,
    target: CollectionId,
    name: &str,
    links: &[String],
) {
    let (here, there) = (builder.schema.collection(id).name.clone(), builder.schema.collection(target).name.clone());
    let exists = builder.schema.collection(target).field_named(name).is_some();
    let message = if exists {
        format!("\"{there}.{name}\" is no link to one \"{here}\"")
    } else {
        format!("\"{there}\" has no field \"{name}\"")
    };
    let is_many = builder.schema.collection(target).field_named(name);
    if is_many.is_some_and(|of| matches!(&of.kind, FieldKind::Many { target, .. } if *target == id)) {
        let message = format!("the other side of a @many, here of \"{there}.{name}\", is not available yet");
        let told = builder.report.error(place, "not_available", message);
        return told.hint(format!("leave it out, and ask \"{there}\" with a filter: {name}.exists(x, x.id == '…')"));
    }
    let near = nearest(name, links.iter().map(String::as_str)).or(links.first().map(String::as_str));
    builder
        .report
        .error(place, "unknown_field", message)
        .nearest_or(near, || Some(format!("declare the link on \"{there}\", or use @many for a link of its own")));
}

/// No join table has the name of another table.
pub(super) fn check_join_tables(builder: &mut Builder) {
    let mut taken: Vec<String> = builder.schema.collections.iter().map(|of| of.table.clone()).collect();
    let mut collisions = Vec::new();
    for of in &builder.schema.collections {
        for field in &of.fields {
            let FieldKind::Many { table, .. } = &field.kind else { continue };
            if taken.contains(table) {
                collisions.push((of.name.clone(), field.name.clone(), field.at.clone(), table.clone()));
            }
            taken.push(table.clone());
        }
    }
    for (of, field, at, table) in collisions {
        let place = builder.report.files.place_of(&at, field.len());
        let message = format!("the link table of \"{of}.{field}\" has the same name as another table: \"{table}\"");
        builder.report.error(place, "name_collision", message).hint("rename the field");
    }
}
