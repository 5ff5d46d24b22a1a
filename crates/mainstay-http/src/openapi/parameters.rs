//! The parameters of addresses and headers.
use mainstay_core::Limits;
use mainstay_schema::{Collection, Field, FieldKind, Scalar, Schema};

use super::{
    filters,
    node::{Node, object},
};

fn parameter(name: &str, place: &str, required: bool, schema: Node, about: &str) -> Node {
    object([
        ("name", name.into()),
        ("in", place.into()),
        ("required", required.into()),
        ("description", about.into()),
        ("schema", schema),
    ])
}

fn text() -> Node {
    object([("type", "string".into())])
}

/// A part of the path.
pub(super) fn in_path(name: &str, schema: Node, about: &str) -> Node {
    parameter(name, "path", true, schema, about)
}

/// A parameter that may be left out.
pub(super) fn in_query(name: &str, schema: Node, about: &str) -> Node {
    parameter(name, "query", false, schema, about)
}

/// What `filter` takes.
pub(super) fn filters(schema: &Schema, limits: &Limits, collection: &Collection) -> Node {
    let one = text().with("pattern", filters::pattern(schema, collection));
    object([("type", "array".into()), ("items", one), ("maxItems", Node::Int(limits.filters_max as i64))])
}

pub(super) fn filter(schema: &Schema, limits: &Limits, collection: &Collection) -> Node {
    filter_parameter(schema, limits, collection, false)
}

/// The same where it must be there.
pub(super) fn filter_needed(schema: &Schema, limits: &Limits, collection: &Collection) -> Node {
    filter_parameter(schema, limits, collection, true)
}

fn filter_parameter(schema: &Schema, limits: &Limits, collection: &Collection, required: bool) -> Node {
    let all = filters(schema, limits, collection);
    let about = "A condition in CEL over the fields of a record, as in `name.startsWith(p.start)`. Values can be sent \
        beside it, as in `p.start=Ru`, so that no text has to be quoted. Several filters are joined by AND. The pattern \
        describes single comparisons; conditions of any form are taken.";
    parameter("filter", "query", required, all, about).with("style", "form").with("explode", true)
}

/// What `sort` takes: own fields that have an order, and those one to-one link away.
pub(super) fn order(schema: &Schema, limits: &Limits, collection: &Collection) -> Node {
    let mut names: Vec<String> = sortable(collection).map(|field| field.name.clone()).collect();
    for link in collection.fields.iter().filter(|link| !link.hidden) {
        if let FieldKind::ToOne { target, .. } = link.kind {
            let others: Vec<&str> = sortable(schema.collection(target)).map(|field| &*field.name).collect();
            names.push(format!("{}\\.({})", link.name, others.join("|")));
        }
    }
    let one = format!("-?({})", names.join("|"));
    text().with("pattern", format!("^{one}(,{one}){{0,{}}}$", limits.sort_max.saturating_sub(1)))
}

pub(super) fn sort(schema: &Schema, limits: &Limits, collection: &Collection) -> Node {
    let about = "Fields to sort by, joined by commas; `-` before one sorts from the largest down, `category.name` goes \
        through a to-one link. Equal records are sorted by their key.";
    parameter("sort", "query", false, order(schema, limits, collection), about)
}

fn sortable(collection: &Collection) -> impl Iterator<Item = &Field> {
    collection.fields.iter().filter(|field| !field.hidden).filter(|field| match &field.kind {
        FieldKind::Scalar(scalar) => *scalar != Scalar::Json,
        FieldKind::Enum(_) | FieldKind::ToOne { .. } => true,
        _ => false,
    })
}

/// Which unique an upsert looks by.
pub(super) fn upsert(collection: &Collection) -> Node {
    let about = "The fields of a unique: the record that has their values is changed, where there is one, else created. Such a \
        record makes no others inside of it.";
    parameter("upsert", "query", false, super::batch::uniques(collection), about)
}

/// What `fields` takes.
pub(super) fn selection(limits: &Limits, collection: &Collection) -> Node {
    let names: Vec<&str> = collection.valued().filter(|field| !field.hidden).map(|field| &*field.name).collect();
    let one = format!("(\\*|{})", names.join("|"));
    let pattern = format!("^{one}(,{one}){{0,{}}}$", limits.selection_max.saturating_sub(1).min(names.len()));
    text().with("pattern", pattern)
}

pub(super) fn fields(limits: &Limits, collection: &Collection) -> Node {
    let about = "What to answer, joined by commas; `*` stands for all own fields. Links, their limits, figures over \
        them and other names, as in `*,category(name),requires(slug;limit:5;sort:name),n:size(progress)`, are taken too; \
        their answers have shapes that this description cannot know.";
    parameter("fields", "query", false, selection(limits, collection), about)
}

/// What `limit` takes.
pub(super) fn page_size(limits: &Limits) -> Node {
    object([
        ("type", "integer".into()),
        ("format", "int32".into()),
        ("minimum", Node::Int(1)),
        ("maximum", limits.page_max.into()),
        ("default", limits.page_default.into()),
    ])
}

pub(super) fn limit(limits: &Limits) -> Node {
    parameter("limit", "query", false, page_size(limits), "How many records make a page.")
}

/// How many records a change or delete by a filter may find.
pub(super) fn bulk_limit(limits: &Limits) -> Node {
    let number = object([
        ("type", "integer".into()),
        ("format", "int32".into()),
        ("minimum", Node::Int(1)),
        ("maximum", limits.bulk_max.into()),
        ("default", limits.bulk_max.into()),
    ]);
    parameter("limit", "query", false, number, "How many records may match. Where more do, nothing is done.")
}

/// What `after` takes.
pub(super) fn cursor() -> Node {
    text().with("pattern", "^[A-Za-z0-9_-]+$")
}

pub(super) fn after() -> Node {
    parameter("after", "query", false, cursor(), "The `next` of the page before, with the same sort and filter.")
}

/// What `group` takes in its simplest form: own fields.
pub(super) fn group(collection: &Collection) -> Node {
    let names: Vec<&str> = sortable(collection).map(|field| &*field.name).collect();
    text().with("pattern", format!("^({})$", names.join("|")))
}

pub(super) fn count() -> Node {
    let schema = object([("type", "boolean".into()), ("default", false.into())]);
    parameter("count", "query", false, schema, "Whether to count all records too.")
}

pub(super) fn idempotency_key() -> Node {
    let about = "A text that the caller chose for this write: sent again with it, the write is not done again, and the answer is \
        the first one. For callers that are signed in.";
    parameter(
        "Idempotency-Key",
        "header",
        false,
        text().with("pattern", "^([!#-\\[\\]-~]{1,255}|\"[!#-\\[\\]-~]{1,255}\")$"),
        about,
    )
}

pub(super) fn prefer() -> Node {
    let about = "`return=minimal`: headers alone are answered, unless `fields` names what is wanted. `return=representation`: the \
        record, as without it. Other preferences are ignored.";
    parameter("Prefer", "header", false, text(), about)
}

pub(super) fn if_match() -> Node {
    let about = "The ETag of the record as it was read: nothing is done if it has another version by now.";
    parameter("If-Match", "header", false, text().with("pattern", "^(\\*|[0-9]{1,18}|\"[0-9]{1,18}\")$"), about)
}
