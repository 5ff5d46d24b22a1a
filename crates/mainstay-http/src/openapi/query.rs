//! The page that is asked for by a body.
use mainstay_core::Limits;
use mainstay_schema::{Collection, Schema};

use super::{
    names::Names,
    node::{Node, object},
    operations::{WRITE, answers, body, json_answer},
    parameters,
    records::closed,
};

/// The path of the query.
pub(super) fn path(schema: &Schema, names: &Names, limits: &Limits) -> Node {
    let queries = schema.collections.iter().flat_map(|of| [records(schema, limits, of), groups(schema, limits, of)]);
    let sent = object([("anyOf", Node::Array(queries.collect()))]);
    let items = object([("type", "array".into()), ("items", object([("type", "object".into())]))]);
    let page = object([("type", "object".into()), ("properties", object([("items", items)]))]);
    let about = "The same read as `GET` of the collection, for what is too long for an address. `filter`, `fields`, `sort`, \
        `group` and `select` take what they take there, in any form; the patterns describe simple ones.";
    let post = object([
        ("operationId", "query".into()),
        ("tags", Node::Array(vec![names.batch_tag.as_str().into()])),
        ("summary", "Read a page that a body asks for".into()),
        ("description", about.into()),
        ("requestBody", body("What the address would say.", sent, false)),
        ("responses", answers(vec![("200", json_answer("A page.", page, &["X-Request-Id"]))], &WRITE)),
    ]);
    object([("post", post)])
}

fn records(schema: &Schema, limits: &Limits, of: &Collection) -> Node {
    let count = object([("type", "boolean".into())]).described(Some("Whether to count all records too."));
    let sort = parameters::order(schema, limits, of);
    let own = vec![("sort", sort), ("fields", parameters::selection(limits, of)), ("count", count)];
    asked(schema, limits, of, own, &["from"])
}

fn groups(schema: &Schema, limits: &Limits, of: &Collection) -> Node {
    let text = |pattern: &str| object([("type", "string".into()), ("pattern", pattern.into())]);
    let own = vec![("group", parameters::group(of)), ("select", text("^count$")), ("sort", text("^-?count$"))];
    asked(schema, limits, of, own, &["from", "group"])
}

fn asked(schema: &Schema, limits: &Limits, of: &Collection, own: Vec<(&str, Node)>, required: &[&str]) -> Node {
    let from = object([("type", "string".into()), ("const", of.path.as_str().into())]);
    let params = object([("type", "object".into())]).described(Some("The values `p.NAME` of the filters."));
    let shared = [
        ("from", from.described(Some("The collection."))),
        ("filter", parameters::filters(schema, limits, of).described(Some("Conditions in CEL, joined by AND."))),
        ("params", params),
        ("limit", parameters::page_size(limits)),
        ("after", parameters::cursor()),
    ];
    let members = shared.into_iter().chain(own).map(|(name, node)| (name.to_owned(), node)).collect();
    closed(members, required.iter().map(|name| (*name).into()).collect())
}
