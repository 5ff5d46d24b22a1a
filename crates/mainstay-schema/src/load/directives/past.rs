//! `@was` and `@backfill`: what a migration has to know.
use apollo_compiler::{
    Node,
    ast::{Directive, FieldDefinition},
};
use mainstay_expr::{Expr, Node as ExprNode, in_memory_only, own_fields_only};

use super::{Builder, Declared, TypeDeclared, TypeRef, full_name, text};
use crate::{CollectionId, EmbeddedId, EnumId, FieldId, past::Named};

/// Reads the former names of enum values.
pub(super) fn enums(builder: &mut Builder, declared: &Declared) {
    for of in &declared.enums {
        let Some(TypeRef::Enum(id)) = builder.types.get(of.name.as_str()).copied() else { continue };
        for value in &of.values {
            let name = value.value.to_string();
            let all = value.directives.iter().filter(|directive| directive.name == "was");
            all.for_each(|directive| was(builder, &Named::Value(id, name.clone()), &name, directive));
        }
        refuse_double(builder, &of.name, id);
    }
}

fn refuse_double(builder: &mut Builder, name: &apollo_compiler::Name, id: EnumId) {
    let values = builder.schema.enums[id.0 as usize].values.clone();
    let former = values.iter().flat_map(|value| builder.schema.past.of_value(id, value)).cloned().collect();
    tell_double(builder, name, former);
}

/// Reads the former names of a type.
pub(super) fn of_type(builder: &mut Builder, id: CollectionId, directive: &Node<Directive>) {
    let name = builder.schema.collection(id).name.clone();
    was(builder, &Named::Type(id), &name, directive);
}

/// Reads the former names of a field.
pub(super) fn of_field(builder: &mut Builder, id: CollectionId, field: FieldId, directive: &Node<Directive>) {
    let name = builder.schema.collection(id).field(field).name.clone();
    was(builder, &Named::Field(id, field), &name, directive);
}

/// Reads the former names of the members of an embedded type.
pub(super) fn members(builder: &mut Builder, id: EmbeddedId, of: &TypeDeclared) {
    for member in &of.fields {
        let name = member.name.to_string();
        let all = member.directives.iter().filter(|directive| directive.name == "was");
        all.for_each(|directive| was(builder, &Named::Member(id, name.clone()), &name, directive));
    }
    let former = of.fields.iter().flat_map(|member| builder.schema.past.of_member(id, &member.name));
    let former = former.cloned().collect();
    tell_double(builder, &of.name, former);
}

/// No two things of one place had the same name.
pub(super) fn check_fields(builder: &mut Builder, id: CollectionId, name: &apollo_compiler::Name) {
    let of = builder.schema.collection(id);
    let former = of.fields.iter().flat_map(|field| builder.schema.past.of_field(id, field.id)).cloned().collect();
    tell_double(builder, name, former);
}

/// No two types had the same name.
pub(super) fn check_types(builder: &mut Builder, declared: &Declared) {
    let mut seen: Vec<String> = Vec::new();
    for of in &declared.types {
        let Some(TypeRef::Collection(id)) = builder.types.get(of.name.as_str()).copied() else { continue };
        let former: Vec<String> = builder.schema.past.of_type(id).to_vec();
        if let Some(double) = former.iter().find(|name| seen.contains(name)) {
            let place = builder.at(&of.name);
            let message = format!("two types say that they were \"{double}\"");
            builder.report.error(place, "name_collision", message).hint("remove one of the @was");
        }
        seen.extend(former);
    }
}

fn tell_double(builder: &mut Builder, of: &apollo_compiler::Name, mut former: Vec<String>) {
    former.sort_unstable();
    if let Some(pair) = former.windows(2).find(|pair| pair[0] == pair[1]) {
        let place = builder.at(of);
        let message = format!("two parts of \"{of}\" say that they were \"{}\"", pair[0]);
        builder.report.error(place, "name_collision", message).hint("remove one of the @was");
    }
}

fn was(builder: &mut Builder, of: &Named, name: &str, directive: &Node<Directive>) {
    let Some(former) = text(builder, directive, "name") else { return };
    let mut chars = former.value.chars();
    let is_name = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_');
    let wrong = if !is_name {
        Some(format!("{:?} was never a name", former.value))
    } else if former.value == name {
        Some(format!("@was does nothing here: \"{name}\" has that name now"))
    } else {
        (!builder.schema.past.add(of, former.value)).then(|| format!("\"{name}\" says twice what it was"))
    };
    if let Some(message) = wrong {
        builder.report.error(former.place, "invalid_value", message).hint("give the name that it had before");
    }
}

/// `@backfill(expr:)`: what a field is filled with, over the record's own fields and its links, never over a caller.
pub(super) fn backfill(builder: &mut Builder, id: CollectionId, field: FieldId, directive: &Node<Directive>) {
    let Some(source) = text(builder, directive, "expr") else { return };
    let want = builder.schema.field_type(&builder.schema.collection(id).field(field).kind);
    let Some(compiled) = builder.compile(Some(id), &source, &want) else { return };
    let (message, hint) = if !compiled.slots.is_empty() {
        ("a @backfill has no caller and no request", "read the record's own fields and its links")
    } else if !own_fields_only(&compiled.expr) && in_memory_only(&compiled.expr).is_some() {
        ("a @backfill that follows a link is computed by the database, which does not know this function", MEMORY_ONLY)
    } else if !own_fields_only(&compiled.expr) && is_list(&compiled.expr) {
        ("a @backfill that follows a link gives one value, not a list", "compute the list from the record's own fields")
    } else {
        return builder.schema.past.fill(id, field, compiled);
    };
    builder.report.error(source.place, "invalid_backfill", message).hint(hint);
}

const MEMORY_ONLY: &str = "leave the function out, or fill a field from the link first and compute from it later";

/// Whether an expression gives more than one value.
pub(super) fn is_list(expr: &Expr) -> bool {
    matches!(expr.ty, mainstay_expr::Type::List(_) | mainstay_expr::Type::Json | mainstay_expr::Type::Embedded(_))
        || matches!(expr.node, ExprNode::List(_))
}

/// What cannot stand together with a `@backfill`.
pub(super) fn check_together(builder: &mut Builder, id: CollectionId, own: FieldId, field: &FieldDefinition) {
    let Some(directive) = crate::load::fields::directive(field, "backfill") else { return };
    let of = builder.schema.collection(id).field(own);
    if of.required && matches!(of.default, Some(crate::Default::Value(_))) {
        let message =
            format!("the @backfill of \"{}\" is never used: its default fills", full_name(builder, id, &of.name));
        let place = builder.at(&directive.name);
        builder.report.error(place, "misplaced_directive", message).hint("remove one of them");
    }
}
