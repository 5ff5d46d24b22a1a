//! The fields of every type: what each holds.
use apollo_compiler::{
    Node,
    ast::{Directive, FieldDefinition},
};

use super::{
    builder::{Builder, TypeRef},
    declared::Declared,
};
use crate::{CollectionId, EmbeddedId, EmbeddedMember, FieldKind};

mod collection;
mod links;
mod shape;

/// Builds the fields of all types, then resolves the links that name a field of another type.
pub(super) fn build(builder: &mut Builder, declared: &Declared) {
    for of in &declared.types {
        match builder.types.get(of.name.as_str()).copied() {
            Some(TypeRef::Collection(id)) => collection::build(builder, id, of),
            Some(TypeRef::Embedded(id)) => of.fields.iter().for_each(|field| member(builder, id, field)),
            Some(TypeRef::Enum(_)) | None => {}
        }
    }
    for of in &declared.types {
        match builder.types.get(of.name.as_str()).copied() {
            Some(TypeRef::Collection(id)) => links::resolve_inverses(builder, id, of),
            Some(TypeRef::Embedded(id)) => refuse_cycle(builder, id, of),
            Some(TypeRef::Enum(_)) | None => {}
        }
    }
    links::check_join_tables(builder);
}

/// A directive of a field.
pub(super) fn directive<'f>(field: &'f FieldDefinition, name: &str) -> Option<&'f Node<Directive>> {
    field.directives.iter().find(|directive| directive.name == name)
}

/// Adds a member to an embedded type.
fn member(builder: &mut Builder, id: EmbeddedId, field: &Node<FieldDefinition>) {
    let of = &builder.schema.embedded[id.0 as usize];
    if of.members.iter().any(|other| other.name == field.name.as_str()) {
        return;
    }
    let of = of.name.clone();
    for other in field.directives.iter().filter(|directive| !["decimal", "was"].contains(&directive.name.as_str())) {
        let place = builder.at(&other.name);
        let message = format!("@{} does not belong on a member of the embedded type \"{of}\"", other.name);
        if !builder.report.told_at(place) {
            builder
                .report
                .error(place, "misplaced_directive", message)
                .hint("put it on the field that holds the value");
        }
    }
    let Some(shape) = shape::read(builder, field) else { return };
    if let Some(target) = shape.target() {
        let message = format!("an embedded type holds no links: \"{}\"", builder.schema.collection(target).name);
        let place = builder.at(field.ty.inner_named_type());
        builder.report.error(place, "invalid_type", message).hint("put the link on the type that embeds it");
        return;
    }
    let Some(kind) = shape.value_kind() else { return };
    builder.schema.embedded[id.0 as usize].members.push(EmbeddedMember {
        name: field.name.to_string(),
        doc: field.description.as_ref().map(|doc| doc.to_string()),
        kind,
        required: shape.required,
    });
}

/// An embedded value ends somewhere: no type holds itself.
fn refuse_cycle(builder: &mut Builder, id: EmbeddedId, of: &super::declared::TypeDeclared) {
    for field in &of.fields {
        let Some(TypeRef::Embedded(held)) = builder.types.get(field.ty.inner_named_type().as_str()).copied() else {
            continue;
        };
        let mut seen = vec![false; builder.schema.embedded.len()];
        visit(builder, held, &mut seen);
        if seen[id.0 as usize] {
            let place = builder.at(field.ty.inner_named_type());
            let message = format!("the embedded type \"{}\" holds itself", of.name);
            builder.report.error(place, "invalid_type", message).hint("make it a collection and link to it");
        }
    }
}

/// Marks an embedded type and all that it holds.
fn visit(builder: &Builder, id: EmbeddedId, seen: &mut [bool]) {
    if std::mem::replace(&mut seen[id.0 as usize], true) {
        return;
    }
    for member in &builder.schema.embedded[id.0 as usize].members {
        if let FieldKind::Embedded { of, .. } = member.kind {
            visit(builder, of, seen);
        }
    }
}

/// The name of a field with its type's, for messages: `Skill.name`.
pub(super) fn full_name(builder: &Builder, of: CollectionId, field: &str) -> String {
    format!("{}.{field}", builder.schema.collection(of).name)
}
