//! `@rules`: who may do what.
use apollo_compiler::{Node, ast::Directive};
use mainstay_expr::{Expr, Function, Limits, Node as ExprNode, RecordType, Type, in_memory_only};

use super::{Builder, Text, is_empty, refuse_empty, text};
use crate::{CollectionId, FieldId, FieldKind, FieldRules, RuleText, Rules, load::expressions::Rule};

/// Reads the rules of a type. `write` stands for create, update and delete that have no rule of their own.
pub(super) fn read(builder: &mut Builder, id: CollectionId, directive: &Node<Directive>) {
    if is_empty(directive) {
        return refuse_empty(builder, directive, "give a condition: @rules(read: \"true\")");
    }
    for argument in directive.arguments.iter().filter(|argument| LINK.contains(&argument.name.as_str())) {
        let place = builder.report.files.place(argument.location());
        let message = format!("on a type, @rules has no argument named \"{}\"", argument.name);
        builder.report.error(place, "unknown_argument", message).hint("it belongs on a @many link");
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

/// The rules of links.
const LINK: [&str; 2] = ["add", "remove"];

/// Reads the rules of a field.
pub(super) fn of_field(builder: &mut Builder, id: CollectionId, field: FieldId, directive: &Node<Directive>) {
    if is_empty(directive) {
        return refuse_empty(builder, directive, "give a condition: @rules(read: \"isEditor\")");
    }
    let item = match &builder.schema.collection(id).field(field).kind {
        FieldKind::Many { target, .. } => Some(RecordType(target.0)),
        _ => None,
    };
    let known = |name: &str| ["read", "write"].contains(&name) || LINK.contains(&name) && item.is_some();
    // What @rules has nowhere is told already.
    let elsewhere = |name: &str| ["list", "create", "update", "delete"].contains(&name) || LINK.contains(&name);
    for argument in directive.arguments.iter().filter(|argument| {
        let name = argument.name.as_str();
        !known(name) && elsewhere(name)
    }) {
        let is_of_link = LINK.contains(&argument.name.as_str());
        let place = builder.report.files.place(argument.location());
        let message = format!("on a field, @rules has no argument named \"{}\"", argument.name);
        builder.report.error(place, "unknown_argument", message).hint(match is_of_link {
            true => "add and remove are rules of @many links",
            false => "it has read and write, on a @many link add and remove too",
        });
    }
    let of = builder.schema.collection(id).field(field);
    let computed = builder.schema.defines.computed.contains_key(&(id, of.name.clone()));
    let read_only = of.read_only() || computed || matches!(of.kind, FieldKind::Inverse { .. });
    let hidden = of.hidden;
    let place = builder.at(&directive.name);
    if hidden && directive.specified_argument_by_name("read").is_some() {
        let message = "@hidden leaves nobody to read the field, so that @rules(read:) does nothing";
        builder.report.error(place, "misplaced_directive", message).hint("remove one of them");
    }
    if read_only && directive.specified_argument_by_name("write").is_some() {
        let message = "the server alone writes this field, so that @rules(write:) does nothing";
        builder.report.error(place, "misplaced_directive", message).hint("remove the argument");
    }
    let mut of_link = |name| item.and_then(|item| rule_of(builder, id, directive, name, Some(item)));
    let (add, remove) = (of_link("add"), of_link("remove"));
    let (read, write) = (rule(builder, id, directive, "read"), rule(builder, id, directive, "write"));
    let rules = FieldRules { read, write, add, remove };
    builder.schema.collections[id.0 as usize].fields[field.0 as usize].rules = rules;
}

fn rule(builder: &mut Builder, id: CollectionId, directive: &Node<Directive>, name: &str) -> Option<Rule> {
    rule_of(builder, id, directive, name, None)
}

/// The same of a link, whose other record is `item`.
fn rule_of(
    builder: &mut Builder,
    id: CollectionId,
    directive: &Node<Directive>,
    name: &str,
    item: Option<RecordType>,
) -> Option<Rule> {
    let text = text(builder, directive, name)?;
    let limits = Limits { item, change: name == "update", ..Limits::default() };
    let rule = builder.compile_within(Some(id), &text, &Type::Bool, &limits)?;
    if let Some(part) = in_memory_only(&rule.expr) {
        refuse_memory_only(builder, &text, part);
        return None;
    }
    let place = rule_text(builder, &text, &rule);
    builder.schema.collections[id.0 as usize].rule_texts.push(place);
    Some(rule)
}

/// Where a rule stands. A text of several lines has each of them in a line of its own, or all in one, with escapes.
fn rule_text(builder: &Builder, text: &Text, rule: &Rule) -> RuleText {
    let starts = text.value.match_indices('\n').map(|(at, _)| at + 1);
    let line = |start| {
        let place = builder.place_in(text, start, text.value.len());
        builder.report.files.location(place)
    };
    let lines = [0].into_iter().chain(starts).map(|start| (start, line(start).line)).collect();
    RuleText { rule: rule.clone(), file: line(0).file, lines }
}

/// Tells of a function that SQL lacks.
pub(super) fn refuse_memory_only(builder: &mut Builder, text: &Text, part: &Expr) {
    let (start, end) = (part.span.start as usize, part.span.end as usize);
    let shown = text.value.get(start..end).unwrap_or(&text.value);
    // The part may stand in a named condition: then its name is shown, and the function says what is wrong with it.
    let message = match &part.node {
        ExprNode::Call(function, _) => {
            format!("\"{shown}\" uses {}, which not every database answers alike", name(*function))
        }
        _ => format!("not every database answers \"{shown}\" alike"),
    };
    let place = builder.place_in(text, start, end);
    builder.report.error(place, "memory_only", message).hint(
        "a rule is asked in SQL: compare with ==, <, contains, startsWith, endsWith or size, or put it into a @check",
    );
}

fn name(function: Function) -> &'static str {
    match function {
        Function::Size => "size()",
        Function::Contains => "contains()",
        Function::StartsWith => "startsWith()",
        Function::EndsWith => "endsWith()",
        Function::Matches => "matches()",
        Function::LowerAscii => "lowerAscii()",
        Function::UpperAscii => "upperAscii()",
        Function::Trim => "trim()",
        Function::Timestamp => "timestamp()",
        Function::Duration => "duration()",
        Function::ToString => "string()",
        Function::ToInt => "int()",
        Function::ToFloat => "double()",
        Function::Part(part) => part.as_str(),
    }
}
