//! `@default` and `@set`: values that the caller does not send.
use std::{borrow::Cow, sync::Arc};

use apollo_compiler::{
    Node,
    ast::{Directive, FieldDefinition, Value as Literal},
};
use mainstay_expr::{
    Compiled, Expr, Node as ExprNode, Symbol, THIS, Value, fields_read, in_memory_only, own_fields_only, reads_record,
};

use super::{Builder, full_name, is_empty, past::is_list, refuse_empty, text};
use crate::{
    Collection, CollectionId, Default, Field, FieldId, FieldKind, Json, KeyKind, Scalar, Set,
    load::fields::directive as directive_of,
};

/// `@default(value: | expr:)`.
pub(super) fn default(builder: &mut Builder, id: CollectionId, field: FieldId, directive: &Node<Directive>) {
    let value = directive.specified_argument_by_name("value");
    let expr = directive.specified_argument_by_name("expr");
    let default = match (value, expr) {
        (Some(value), None) => constant(builder, id, field, value).map(Default::Value),
        (None, Some(_)) => computed(builder, id, field, directive, "expr").map(Default::Expr),
        (None, None) => return refuse_empty(builder, directive, "give value: a constant, or expr: an expression"),
        (Some(_), Some(_)) => {
            let place = builder.at(&directive.name);
            let error = builder.report.error(place, "invalid_value", "@default is either a value or an expression");
            return error.hint("remove one of them");
        }
    };
    builder.schema.collections[id.0 as usize].fields[field.0 as usize].default = default;
}

/// A constant of the field's own type.
fn constant(builder: &mut Builder, id: CollectionId, field: FieldId, value: &Node<Literal>) -> Option<Value> {
    let place = builder.at_value(value);
    let field = builder.schema.collection(id).field(field);
    let name = full_name(builder, id, &field.name);
    if matches!(field.kind, FieldKind::ToOne { .. }) {
        let error =
            builder.report.error(place, "invalid_value", format!("\"{name}\" is a link and has no constant default"));
        error.hint("use @default(expr: \"…\"), or make the link optional");
        return None;
    }
    let Some(json) = json(value, &field.kind) else {
        builder.report.error(place, "invalid_value", format!("this is no constant of \"{name}\""));
        return None;
    };
    if json == Json::Null {
        let error = builder.report.error(place, "invalid_value", "a default of null does nothing");
        error.hint("an optional field that is not sent is null");
        return None;
    }
    match builder.schema.read_value(&field.kind, field.length_max, &json) {
        Ok(value) => Some(value),
        Err(error) => {
            let inside = if error.pointer.is_empty() { String::new() } else { format!(" at \"{}\"", error.pointer) };
            let message = format!("the default of \"{name}\" does not fit{inside}: {}", error.message);
            let told = builder.report.error(place, "invalid_value", message);
            if let Some(hint) = error.hint {
                told.hint(hint);
            }
            None
        }
    }
}

/// A literal as JSON in the wire form of the field; `None` where there is none.
fn json(value: &Literal, kind: &FieldKind) -> Option<Json<'static>> {
    let text = |text: &str| Json::Text(Cow::Owned(text.to_owned()));
    Some(match value {
        Literal::Null => Json::Null,
        Literal::Boolean(value) => Json::Bool(*value),
        Literal::String(value) => text(value),
        Literal::Enum(value) if matches!(kind, FieldKind::Enum(_) | FieldKind::EnumList(_)) => text(value),
        Literal::Int(value) => Json::Int(value.as_str().parse().ok()?),
        Literal::Float(value) if matches!(kind, FieldKind::Scalar(Scalar::Decimal { .. })) => text(value.as_str()),
        Literal::Float(value) => Json::number(value.as_str()).ok()?.into_owned(),
        Literal::List(items) => Json::Array(items.iter().map(|item| json(item, kind)).collect::<Option<_>>()?),
        Literal::Object(members) => {
            let member = |(name, value): &(apollo_compiler::Name, Node<Literal>)| {
                Some((Cow::Owned(name.to_string()), json(value, kind)?))
            };
            Json::Object(members.iter().map(member).collect::<Option<_>>()?)
        }
        Literal::Enum(_) | Literal::Variable(_) => return None,
    })
}

/// `@set(create: | update: | write:)`.
pub(super) fn set(builder: &mut Builder, id: CollectionId, field: FieldId, directive: &Node<Directive>) {
    if is_empty(directive) {
        return refuse_empty(builder, directive, "give an expression: @set(create: \"auth.id\")");
    }
    let write = computed(builder, id, field, directive, "write");
    let create = computed(builder, id, field, directive, "create").or_else(|| write.clone());
    let update = computed(builder, id, field, directive, "update").or(write);
    builder.schema.collections[id.0 as usize].fields[field.0 as usize].set = Set { create, update };
}

/// An expression over the caller, the request and the record that is written, of the field's type.
fn computed(
    builder: &mut Builder,
    id: CollectionId,
    field: FieldId,
    directive: &Node<Directive>,
    argument: &str,
) -> Option<Arc<Compiled>> {
    let source = text(builder, directive, argument)?;
    let want = builder.schema.field_type(&builder.schema.collection(id).field(field).kind);
    let compiled = builder.compile(Some(id), &source, &want)?;
    if argument != "update" && reads_unmade(&compiled.expr) {
        let error = builder.report.error(source.place, "invalid_value", "a new record has no other records yet");
        error.hint("follow a link that leads away from it, or set the field on updates: @set(update: \"…\")");
        return None;
    }
    Some(compiled)
}

/// Whether an expression reads the records that link to the record itself, or its to-many links.
fn reads_unmade(expr: &Expr) -> bool {
    expr.any(&mut |part| matches!(&part.node, ExprNode::Links { of, .. } if of.node == ExprNode::Var(THIS)))
}

/// What the values of a field are computed from, once all fields are known.
pub(super) fn check_reads(builder: &mut Builder, id: CollectionId, own: FieldId, field: &FieldDefinition) {
    let of = builder.schema.collection(id);
    let declared = of.field(own);
    // On a create its own value is not there yet; on an update it is the stored one.
    let create = declared.given().map(|given| (given, own, of.may_wait(own)));
    let update = declared.set.update.as_ref().map(|set| (set, FieldId(own.0 + 1), reads_record(&set.expr)));
    let counted = create.filter(|(given, ..)| of.key == KeyKind::Int && reads_own_key(of, &given.expr)).map(|_| {
        let message =
            format!("\"{}\" is computed from the id of a new record, which the database counts", declared.name);
        (message, "read other fields, or set it on updates: @set(update: \"…\")".to_owned())
    });
    let wrong = create.into_iter().chain(update).find_map(|(compiled, end, waits)| {
        let mut reads = fields_read(&compiled.expr).into_iter().map(|symbol| of.field(FieldId::of(symbol)));
        let below = reads.find(|read| read.id >= end && (read.given().is_some() || read.set.update.is_some()));
        misread(declared, below, &compiled.expr, waits)
    });
    let directive = directive_of(field, "set").or_else(|| directive_of(field, "default"));
    if let (Some((message, hint)), Some(directive)) = (counted.or(wrong), directive) {
        let place = builder.at(&directive.name);
        builder.report.error(place, "invalid_value", message).hint(hint);
    }
}

fn reads_own_key(of: &Collection, expr: &Expr) -> bool {
    let id = |symbol: Symbol| of.system.id == Some(FieldId::of(symbol));
    expr.any(&mut |part| match &part.node {
        ExprNode::Key(record) => record.node == ExprNode::Var(THIS),
        ExprNode::Field { of: record, symbol } => record.node == ExprNode::Var(THIS) && id(*symbol),
        _ => false,
    })
}

/// Why an expression cannot give a value, with what helps.
fn misread(field: &Field, below: Option<&Field>, expr: &Expr, waits: bool) -> Option<(String, String)> {
    let name = &field.name;
    if below.is_some_and(|read| read.id == field.id) {
        return Some((format!("\"{name}\" is computed from itself"), "read other fields".to_owned()));
    }
    if let Some(read) = below {
        let message = format!("\"{name}\" is computed from \"{}\", which the server gives later", read.name);
        return Some((message, format!("let \"{}\" stand above it", read.name)));
    }
    if waits && in_memory_only(expr).is_some() {
        let message = format!("\"{name}\" is computed by the database, which does not know a function in it");
        return Some((
            message,
            "leave the function out, or read no links and nothing that is computed from them".to_owned(),
        ));
    }
    (waits && is_list(expr)).then(|| {
        let message = format!("\"{name}\" is computed by the database, which gives one value and not a list");
        (message, "read one value over the link".to_owned())
    })
}

/// `@normalize(expr:)`: what a sent value becomes.
pub(super) fn normalize(builder: &mut Builder, id: CollectionId, own: FieldId, directive: &Node<Directive>) {
    let Some(source) = text(builder, directive, "expr") else { return };
    let field = builder.schema.collection(id).field(own);
    let (want, name) = (builder.schema.field_type(&field.kind), field.name.clone());
    let Some(compiled) = builder.compile(Some(id), &source, &want) else { return };
    let itself = fields_read(&compiled.expr).into_iter().all(|symbol| FieldId::of(symbol) == own);
    let reads_key = compiled.expr.any(&mut |part| matches!(part.node, ExprNode::Key(_)));
    if !itself || reads_key || !own_fields_only(&compiled.expr) || !compiled.slots.is_empty() {
        let message = format!("a @normalize reads \"{name}\" alone: look-ups know nothing else");
        builder.report.error(source.place, "invalid_value", message).hint("use a @check or a @set for the rest");
        return;
    }
    builder.schema.collections[id.0 as usize].fields[own.0 as usize].normalize = Some(compiled);
}

/// What cannot stand together on one field.
pub(super) fn check_together(builder: &mut Builder, id: CollectionId, own: FieldId, field: &FieldDefinition) {
    let of = builder.schema.collection(id).field(own);
    let set = directive_of(field, "set");
    let (Some(set), true) = (set, of.read_only()) else { return };
    let (creates, updates) = (of.set.create.is_some(), of.set.update.is_some());
    let (required, immutable, defaults) = (of.required, of.immutable, of.default.is_some());
    let name = full_name(builder, id, &of.name);
    let place = builder.at(&set.name);
    if let Some(normalize) = directive_of(field, "normalize") {
        let place = builder.at(&normalize.name);
        let message = format!("nobody sends \"{name}\", so that there is nothing to normalize");
        builder.report.error(place, "misplaced_directive", message).hint("say in @set what is stored");
    }
    if updates && immutable {
        let message = format!("\"{name}\" is @immutable and set on every update");
        builder
            .report
            .error(place, "misplaced_directive", message)
            .hint("remove @immutable, or set it on create alone");
    }
    if creates && defaults {
        let message = format!("the default of \"{name}\" is never used: the server sets it on every create");
        builder.report.error(place, "misplaced_directive", message).hint("remove @default");
    }
    if required && !creates && !defaults {
        let message = format!("\"{name}\" is required, but nothing gives it a value on a create");
        builder.report.error(place, "missing_argument", message).hint("set it on create too: @set(write: \"…\")");
    }
}
