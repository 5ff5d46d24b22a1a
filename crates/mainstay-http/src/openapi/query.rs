//! The page that is asked for by a body.
use mainstay_schema::Schema;

use super::{
    names::Names,
    node::{Node, object},
    operations::{WRITE, answers, body, json_answer},
    records::closed,
};

/// The path of the query.
pub(super) fn path(schema: &Schema, names: &Names) -> Node {
    let text = || object([("type", "string".into())]);
    let from = schema.collections.iter().map(|of| of.path.as_str().into()).collect();
    let from = object([("type", "string".into()), ("enum", Node::Array(from))]);
    let filter = object([("type", "array".into()), ("items", text())]);
    let sent = closed(
        vec![
            ("from".into(), from.described(Some("The collection."))),
            ("filter".into(), filter.described(Some("Conditions in CEL, joined by AND."))),
            (
                "params".into(),
                object([("type", "object".into())]).described(Some("The values `p.NAME` of the filters.")),
            ),
            ("sort".into(), text()),
            ("fields".into(), text()),
            ("limit".into(), object([("type", "integer".into()), ("minimum", Node::Int(1))])),
            ("after".into(), text()),
            ("count".into(), object([("type", "boolean".into())])),
            ("group".into(), text()),
            ("select".into(), text()),
        ],
        vec!["from".into()],
    );
    let items = object([("type", "array".into()), ("items", object([("type", "object".into())]))]);
    let page = object([("type", "object".into()), ("properties", object([("items", items)]))]);
    let post = object([
        ("operationId", "query".into()),
        ("tags", Node::Array(vec![names.batch_tag.as_str().into()])),
        ("summary", "Read a page that a body asks for".into()),
        ("description", "The same read as `GET` of the collection, for what is too long for an address.".into()),
        ("requestBody", body("What the address would say.", sent, false)),
        ("responses", answers(vec![("200", json_answer("A page.", page, &["X-Request-Id"]))], &WRITE)),
    ]);
    object([("post", post)])
}
