//! `@changes`: what the change feed keeps of a type.
use apollo_compiler::{Node, ast::Directive};

use super::{Builder, is_empty, refuse_empty, text};
use crate::{CollectionId, KeepChanges, parse_keep};

/// Reads how long changes of a type are kept, or that none are.
pub(super) fn of_type(builder: &mut Builder, id: CollectionId, directive: &Node<Directive>) {
    if is_empty(directive) {
        return refuse_empty(builder, directive, "write @changes(keep: \"7d\") or @changes(off: true)");
    }
    let off = directive.specified_argument_by_name("off").and_then(|value| value.to_bool()).unwrap_or(false);
    let keep = text(builder, directive, "keep");
    if let (true, Some(keep)) = (off, &keep) {
        let message = "what is not kept is not kept for a time";
        builder.report.error(keep.place, "invalid_value", message).hint("remove keep, or off");
        return;
    }
    let keep_s = match keep.map(|keep| (parse_keep(&keep.value), keep.place)) {
        None => None,
        Some((Ok(seconds), _)) => Some(seconds),
        Some((Err(message), place)) => {
            builder.report.error(place, "invalid_value", message).hint("write a whole number with s, m, h, d or w");
            None
        }
    };
    builder.schema.collections[id.0 as usize].changes = KeepChanges { off, keep_s };
}
