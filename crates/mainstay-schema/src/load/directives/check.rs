//! `@check`: conditions that every record obeys.
use apollo_compiler::{Node, ast::Directive};
use mainstay_expr::{Type, fields_read, own_fields_only};

use super::{Builder, Text, text};
use crate::{Check, CollectionId, FieldId};

/// A check of a type.
pub(super) fn of_type(builder: &mut Builder, id: CollectionId, directive: &Node<Directive>) {
    read(builder, id, None, directive);
}

/// A check of a field.
pub(super) fn of_field(builder: &mut Builder, id: CollectionId, field: FieldId, directive: &Node<Directive>) {
    read(builder, id, Some(field), directive);
}

fn read(builder: &mut Builder, id: CollectionId, field: Option<FieldId>, directive: &Node<Directive>) {
    let Some(source) = text(builder, directive, "expr") else { return };
    let message = text(builder, directive, "message").map(|message| message.value);
    let code = text(builder, directive, "code").map(|code| code.value);
    let Some(expr) = builder.compile(Some(id), &source, &Type::Bool) else { return };
    if !reads_record_alone(builder, &source, own_fields_only(&expr.expr), !expr.slots.is_empty()) {
        return;
    }
    let mut reads: Vec<FieldId> = fields_read(&expr.expr).into_iter().map(FieldId::of).collect();
    reads.extend(field);
    reads.sort_unstable();
    reads.dedup();
    let of = builder.schema.collection(id);
    // The text would name what is hidden to whoever runs into the check.
    let tells = reads.iter().any(|field| of.field(*field).hidden);
    let has_words = message.is_some() || code.is_some();
    let message = message.unwrap_or_else(|| match tells {
        true => "does not satisfy a check".to_owned(),
        false => format!("does not satisfy {}", source.value),
    });
    builder.schema.collections[id.0 as usize].checks.push(Check { field, expr, message, has_words, code, reads });
}

fn reads_record_alone(builder: &mut Builder, source: &Text, own_fields: bool, reads_caller: bool) -> bool {
    let message = match (own_fields, reads_caller) {
        (true, false) => return true,
        (false, _) => "a check reads the record's own fields only, this one follows a link",
        (true, true) => "a check reads the record's own fields only, this one reads the caller or the request",
    };
    builder.report.error(source.place, "invalid_check", message).hint("what depends on more belongs into @rules");
    false
}
