//! `@computed`: fields that are not stored.
use apollo_compiler::{
    Node,
    ast::{Directive, FieldDefinition},
};
use mainstay_expr::in_memory_only;

use super::{Builder, full_name, rules::refuse_memory_only, text};
use crate::{CollectionId, FieldId, FieldKind};

/// Directives that say how a field is stored.
const OF_STORED: [&str; 12] = [
    "default",
    "normalize",
    "set",
    "unique",
    "index",
    "immutable",
    "check",
    "backfill",
    "was",
    "onDelete",
    "many",
    "inverse",
];

/// Whether an expression can give what a field holds.
pub(super) fn has_one_value(kind: &FieldKind) -> bool {
    matches!(kind, FieldKind::Scalar(_) | FieldKind::Enum(_))
}

/// `@computed(expr:)`: an expression over the record, its links, the caller and the request.
pub(super) fn of_field(
    builder: &mut Builder,
    id: CollectionId,
    own: FieldId,
    field: &FieldDefinition,
    directive: &Node<Directive>,
) {
    if let Some(other) = field.directives.iter().find(|other| OF_STORED.contains(&other.name.as_str())) {
        let message = format!("@{} is about a value that is stored, and \"{}\" is computed", other.name, field.name);
        let place = builder.at(&other.name);
        builder.report.error(place, "misplaced_directive", message).hint("remove one of them");
        return;
    }
    let Some(source) = text(builder, directive, "expr") else { return };
    let declared = builder.schema.collection(id).field(own);
    let (want, required) = (builder.schema.field_type(&declared.kind), declared.required);
    let Some(compiled) = builder.compile_named(Some(id), &source, &want) else { return };
    if let Some(part) = in_memory_only(&compiled.expr) {
        return refuse_memory_only(builder, &source, part);
    }
    let name = full_name(builder, id, &field.name);
    let told = if compiled.expr.ty != want {
        Some((format!("\"{name}\" is of another type than its expression"), "declare it as what is computed"))
    } else if required && (compiled.expr.may_null || compiled.expr.may_error) {
        Some((
            format!("\"{name}\" can be null: what it reads may be missing, or a number goes out of its range"),
            "leave the ! out",
        ))
    } else {
        None
    };
    if let Some((message, hint)) = told {
        builder.report.error(source.place, "invalid_value", message).hint(hint);
        return;
    }
    let field = &mut builder.schema.collections[id.0 as usize].fields[own.0 as usize];
    field.computed = Some(compiled);
    field.column = String::new();
}
