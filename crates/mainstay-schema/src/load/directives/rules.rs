//! `@rules`: who may do what.
use apollo_compiler::{Node, ast::Directive};
use mainstay_expr::{Type, in_memory_only};

use super::{Builder, refuse_empty, text};
use crate::{CollectionId, Rules, load::expressions::Rule};

/// Reads the rules of a type. `write` stands for create, update and delete that have no rule of their own.
pub(super) fn read(builder: &mut Builder, id: CollectionId, directive: &Node<Directive>) {
    if directive.arguments.is_empty() {
        return refuse_empty(builder, directive, "give a condition: @rules(read: \"true\")");
    }
    let mut rule = |name| rule(builder, id, directive, name);
    let (read, list, write) = (rule("read"), rule("list"), rule("write"));
    let (create, update, delete) = (rule("create"), rule("update"), rule("delete"));
    builder.schema.collections[id.0 as usize].rules = Rules {
        read,
        list,
        create: create.or_else(|| write.clone()),
        update: update.or_else(|| write.clone()),
        delete: delete.or(write),
    };
}

fn rule(builder: &mut Builder, id: CollectionId, directive: &Node<Directive>, name: &str) -> Option<Rule> {
    let text = text(builder, directive, name)?;
    let rule = builder.compile(Some(id), &text, &Type::Bool)?;
    if let Some(part) = in_memory_only(&rule.expr) {
        let (start, end) = (part.span.start as usize, part.span.end as usize);
        let shown = text.value.get(start..end).unwrap_or(&text.value).to_owned();
        let place = builder.place_in(&text, start, end);
        builder
            .report
            .error(
                place,
                "memory_only",
                format!("\"{shown}\" has no meaning that every database shares, and a rule is asked in SQL"),
            )
            .hint("compare with ==, <, contains, startsWith, endsWith or size, or put it into a @check");
        return None;
    }
    Some(rule)
}
