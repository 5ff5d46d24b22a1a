//! What the directives say: one file per family.
use apollo_compiler::{
    Node,
    ast::{Directive, FieldDefinition, Value},
};

use super::{
    builder::{Builder, TypeRef},
    declared::{Declared, TypeDeclared},
    expressions::Text,
    fields::full_name,
};
use crate::{CollectionId, FieldId, FieldKind};

mod changes;
mod check;
mod computed;
mod define;
mod keys;
mod past;
mod rules;
mod values;

/// Reads every directive that is about conditions, values and keys. Those that shape a field were read with it.
pub(super) fn apply(builder: &mut Builder, declared: &Declared) {
    define::claims(builder, &declared.schema);
    define::collect(builder, declared);
    for of in &declared.types {
        match builder.types.get(of.name.as_str()).copied() {
            Some(TypeRef::Collection(id)) => collection(builder, id, of),
            Some(TypeRef::Embedded(id)) => {
                embedded(builder, of);
                past::members(builder, id, of);
            }
            Some(TypeRef::Enum(_)) | None => {}
        }
    }
    past::enums(builder, declared);
    past::check_types(builder, declared);
}

fn collection(builder: &mut Builder, id: CollectionId, of: &TypeDeclared) {
    for directive in &of.directives {
        match directive.name.as_str() {
            "rules" => rules::read(builder, id, directive),
            "check" => check::of_type(builder, id, directive),
            "unique" => keys::unique_of_type(builder, id, directive),
            "index" => keys::index_of_type(builder, id, directive),
            "was" => past::of_type(builder, id, directive),
            "changes" => changes::of_type(builder, id, directive),
            _ => {}
        }
    }
    for field in &of.fields {
        let own = builder.schema.collection(id).field_named(&field.name).map(|own| own.id);
        if let Some(own) = own {
            of_field(builder, id, own, field);
        }
    }
    for field in &of.fields {
        let own = builder.schema.collection(id).field_named(&field.name).map(|own| own.id);
        if let Some(own) = own {
            values::check_reads(builder, id, own, field);
        }
    }
    past::check_fields(builder, id, &of.name);
}

fn of_field(builder: &mut Builder, id: CollectionId, own: FieldId, field: &Node<FieldDefinition>) {
    for directive in &field.directives {
        if !fits(builder, id, own, directive) {
            continue;
        }
        match directive.name.as_str() {
            "check" => check::of_field(builder, id, own, directive),
            "rules" => rules::of_field(builder, id, own, directive),
            "default" => values::default(builder, id, own, directive),
            "set" => values::set(builder, id, own, directive),
            "normalize" => values::normalize(builder, id, own, directive),
            "computed" => computed::of_field(builder, id, own, field, directive),
            "unique" => keys::unique_of_field(builder, id, own, directive),
            "index" => keys::index_of_field(builder, id, own, directive),
            "was" => past::of_field(builder, id, own, directive),
            "backfill" => past::backfill(builder, id, own, directive),
            _ => {}
        }
    }
    values::check_together(builder, id, own, field);
    past::check_together(builder, id, own, field);
}

/// Whether a directive can do anything for a field; tells when it cannot.
fn fits(builder: &mut Builder, id: CollectionId, own: FieldId, directive: &Node<Directive>) -> bool {
    let of = builder.schema.collection(id);
    let field = of.field(own);
    let name = directive.name.as_str();
    let values = ["check", "default", "set", "computed", "normalize", "unique", "index", "immutable", "backfill"];
    let key_is_open = ["hidden", "rules"];
    let why = match &field.kind {
        FieldKind::Inverse { .. } | FieldKind::Many { .. } if values.contains(&name) => "is a list of links",
        FieldKind::Inverse { .. } if name == "was" => "stores nothing",
        _ if ["computed", "normalize"].contains(&name) && !computed::has_one_value(&field.kind) => {
            "is a link, a list or an embedded value"
        }
        _ if of.system.id == Some(own) && (name == "was" || values.contains(&name) && name != "check") => "is the key",
        _ if of.system.id == Some(own) && key_is_open.contains(&name) => "is the key, which stands in every address",
        _ => return true,
    };
    let message = format!("@{name} does nothing here: \"{}\" {why}", full_name(builder, id, &field.name));
    let place = builder.at(&directive.name);
    builder.report.error(place, "misplaced_directive", message).hint("remove the directive");
    false
}

fn embedded(builder: &mut Builder, of: &TypeDeclared) {
    for directive in of.directives.iter().filter(|directive| directive.name != "embedded") {
        let place = builder.at(&directive.name);
        if !builder.report.told_at(place) {
            let message = format!("@{} does not belong on the embedded type \"{}\"", directive.name, of.name);
            builder.report.error(place, "misplaced_directive", message).hint("put it on the type that embeds it");
        }
    }
}

/// An argument that is a text; `None` when it is not there (what is no text is told by validation).
fn text(builder: &Builder, directive: &Directive, name: &str) -> Option<Text> {
    let value = directive.specified_argument_by_name(name)?;
    Some(Text { value: value.as_str()?.to_owned(), place: builder.at_value(value) })
}

/// An argument that is a list of texts.
fn texts(builder: &Builder, directive: &Directive, name: &str) -> Option<Vec<Text>> {
    let value = directive.specified_argument_by_name(name)?;
    let items: Vec<&Node<Value>> = match &**value {
        Value::List(items) => items.iter().collect(),
        // GraphQL takes one value for a list of one.
        _ => vec![value],
    };
    let text_of = |item: &Node<Value>| Some(Text { value: item.as_str()?.to_owned(), place: builder.at_value(item) });
    items.into_iter().map(text_of).collect()
}

/// Whether a directive has no arguments, or nothing but null.
fn is_empty(directive: &Directive) -> bool {
    directive.arguments.iter().all(|argument| argument.value.is_null())
}

/// Tells that a directive says nothing.
fn refuse_empty(builder: &mut Builder, directive: &Node<Directive>, hint: &str) {
    let place = builder.at(&directive.name);
    let message = format!("@{} says nothing", directive.name);
    builder.report.error(place, "missing_argument", message).hint(hint);
}
