//! The most characters of texts: from their checks, and of every text that is unique or indexed.
use mainstay_expr::{CompareOp, Expr, Function, Node, THIS, Value};

use super::builder::Builder;
use crate::{
    Check, Collection, FieldId, FieldKind, KeyKind, Scalar, Schema,
    wire::{EMAIL_LENGTH_MAX, KEY_LENGTH_MAX, URL_LENGTH_MAX},
};

/// Most characters of a unique or indexed text whose check says nothing.
const INDEXED_LENGTH_DEFAULT: u32 = 255;
/// Most bytes of all values of one entry of an index: what every database can hold. PostgreSQL takes a third of a page.
const INDEXED_BYTES_MAX: u32 = 2_600;
/// Bytes of a character at most.
const CHARACTER_BYTES: u32 = 4;
/// Most characters of a unique or indexed text.
const INDEXED_LENGTH_MAX: u32 = INDEXED_BYTES_MAX / CHARACTER_BYTES;
/// Bytes of a value that is no text, at most.
const OTHER_BYTES: u32 = 16;

/// Gives every text its maximum, where it has one.
pub(super) fn limit(builder: &mut Builder) {
    for at in 0..builder.schema.collections.len() {
        let of = &builder.schema.collections[at];
        let texts = of.fields.iter().filter(|field| !field.system && is_text(&field.kind)).map(|field| field.id);
        let told = |id| [from_checks(of, id, |_| true), from_checks(of, id, |check| !check.has_words)];
        let limits: Vec<_> = texts.map(|id| (id, told(id), of.is_key(id))).collect();
        for (id, [checked, unchecked], is_key) in limits {
            let length_max = checked.or(is_key.then_some(INDEXED_LENGTH_DEFAULT));
            let field = &mut builder.schema.collections[at].fields[id.0 as usize];
            field.length_max = length_max;
            field.unchecked_length_max = if checked.is_some() { unchecked } else { length_max };
            if let (true, Some(too_long)) = (is_key, length_max.filter(|length| *length > INDEXED_LENGTH_MAX)) {
                let (name, location) = (field.name.clone(), field.at.clone());
                let place = builder.report.files.place_of(&location, name.len());
                let message = format!("\"{name}\" is unique or indexed and may have {too_long} characters");
                let error = builder.report.error(place, "too_long", message);
                error.hint(format!("every database can index {INDEXED_LENGTH_MAX}: @check(expr: \"size({name}) <= {INDEXED_LENGTH_MAX}\")"));
            }
        }
        limit_together(builder, at);
    }
}

/// Refuses uniques and indexes over several texts that together are longer than every database can index. An index ends with the key.
fn limit_together(builder: &mut Builder, at: usize) {
    let of = &builder.schema.collections[at];
    let uniques = of.uniques.iter().map(|unique| (&unique.fields, None));
    let indexes = of.indexes.iter().map(|index| (&index.fields, of.system.id));
    let mut wide: Vec<Vec<FieldId>> = Vec::new();
    for (fields, key) in uniques.chain(indexes) {
        let all: Vec<FieldId> = fields.iter().copied().chain(key.filter(|key| !fields.contains(key))).collect();
        let told = all.iter().any(|id| of.field(*id).length_max.is_some_and(|length| length > INDEXED_LENGTH_MAX));
        let bytes: u32 = all.iter().map(|id| bytes_max(&builder.schema, of, *id)).fold(0, u32::saturating_add);
        if bytes > INDEXED_BYTES_MAX && !told && !wide.contains(&all) {
            wide.push(all);
        }
    }
    for fields in wide {
        tell_wide(builder, at, &fields);
    }
}

fn tell_wide(builder: &mut Builder, at: usize, fields: &[FieldId]) {
    let (schema, of) = (&builder.schema, &builder.schema.collections[at]);
    let bytes: Vec<u32> = fields.iter().map(|id| bytes_max(schema, of, *id)).collect();
    let names: Vec<&str> = fields.iter().map(|id| of.field(*id).name.as_str()).collect();
    // The texts whose length can be said, and what is left for each of them.
    let texts: Vec<usize> = (0..fields.len())
        .filter(|place| is_text(&of.field(fields[*place]).kind) && !of.field(fields[*place]).system)
        .collect();
    let others: u32 = (0..fields.len()).filter(|place| !texts.contains(place)).map(|place| bytes[place]).sum();
    let each =
        INDEXED_BYTES_MAX.saturating_sub(others) / CHARACTER_BYTES / u32::try_from(texts.len().max(1)).unwrap_or(1);
    let Some(first) = texts.first().map(|place| of.field(fields[*place])) else { return };
    let (name, location) = (first.name.clone(), first.at.clone());
    let message = format!(
        "\"{}\" stand in one index and may have {} bytes, {CHARACTER_BYTES} for a character",
        names.join("\", \""),
        bytes.iter().sum::<u32>()
    );
    let place = builder.report.files.place_of(&location, name.len());
    let hint = format!("every database can index {INDEXED_BYTES_MAX}: @check(expr: \"size({name}) <= {each}\")");
    builder.report.error(place, "too_long", message).hint(hint);
}

/// How many bytes a value of an index may have.
fn bytes_max(schema: &Schema, of: &Collection, id: FieldId) -> u32 {
    let field = of.field(id);
    let text = |length: Option<u32>| length.unwrap_or(INDEXED_LENGTH_DEFAULT).saturating_mul(CHARACTER_BYTES);
    let key = |key: KeyKind| if key == KeyKind::String { text(Some(KEY_LENGTH_MAX)) } else { OTHER_BYTES };
    match &field.kind {
        _ if of.system.id == Some(id) => key(of.key),
        FieldKind::ToOne { target, .. } => key(schema.collection(*target).key),
        FieldKind::Enum(of) => {
            let longest = schema.enums[of.0 as usize].values.iter().map(String::len).max();
            longest.and_then(|longest| u32::try_from(longest).ok()).unwrap_or(0)
        }
        kind if is_text(kind) => text(field.length_max),
        _ => OTHER_BYTES,
    }
}

fn is_text(kind: &FieldKind) -> bool {
    matches!(kind, FieldKind::Scalar(scalar) if scalar.is_text())
}

/// The least maximum that some of the checks ask for, or the scalar itself.
fn from_checks(of: &Collection, id: FieldId, some: fn(&Check) -> bool) -> Option<u32> {
    let checks = of.checks.iter().filter(|check| check.reads.contains(&id) && some(check));
    let asked = checks.filter_map(|check| size_max(&check.expr.expr, id));
    let own = match of.field(id).kind {
        FieldKind::Scalar(Scalar::Email) => Some(EMAIL_LENGTH_MAX),
        FieldKind::Scalar(Scalar::Url) if !of.is_key(id) => Some(URL_LENGTH_MAX),
        _ => None,
    };
    asked.chain(own).min()
}

/// N of `size(x) <= N`, also among others joined by `&&`.
fn size_max(expr: &Expr, id: FieldId) -> Option<u32> {
    match &expr.node {
        Node::And(parts) => parts.iter().filter_map(|part| size_max(part, id)).min(),
        Node::Compare(op, left, right) => match (op, size_of(left, id), size_of(right, id)) {
            (CompareOp::Le | CompareOp::Eq, true, _) => whole(right),
            (CompareOp::Lt, true, _) => whole(right)?.checked_sub(1),
            (CompareOp::Ge | CompareOp::Eq, _, true) => whole(left),
            (CompareOp::Gt, _, true) => whole(left)?.checked_sub(1),
            _ => None,
        },
        _ => None,
    }
}

fn size_of(expr: &Expr, id: FieldId) -> bool {
    let Node::Call(Function::Size, arguments) = &expr.node else { return false };
    let Some(Node::Field { of, symbol }) = arguments.first().map(|argument| &argument.node) else { return false };
    FieldId::of(*symbol) == id && of.node == Node::Var(THIS)
}

fn whole(expr: &Expr) -> Option<u32> {
    match &expr.node {
        Node::Literal(Value::Int(value)) => u32::try_from(*value).ok(),
        _ => None,
    }
}
