//! The change feed.
use mainstay_core::Limits;

use super::{
    names::Names,
    node::{Node, object},
    operations::answers,
    parameters, shared,
};

/// The path of the feed.
pub(super) fn path(names: &Names, limits: &Limits) -> Node {
    let text = || object([("type", "string".into())]);
    let number = |least: i64, most: u32| {
        object([("type", "integer".into()), ("minimum", least.into()), ("maximum", most.into())])
    };
    let after = "The position of a change: those behind it are answered. `end`: none of those that are there. Without it: all that are kept.";
    let wait = "How many seconds to wait where there are none yet; the answer comes as soon as something does.";
    let position = object([("type", "string".into()), ("pattern", "^([0-9]{1,18}([.][0-9]{1,18})?|end)$".into())]);
    let of = "The changes of one collection alone, by its address.";
    let lines = object([
        ("description", "Changes in the order of their commits, one JSON object in each line; `Mainstay-Position` goes into `after`.".into()),
        ("headers", shared::headers(&["Mainstay-Position", "X-Request-Id"])),
        ("content", object([("application/x-ndjson", object([("schema", text())]))])),
    ]);
    let get = object([
        ("operationId", "changes".into()),
        ("tags", Node::Array(vec![names.batch_tag.as_str().into()])),
        ("summary", "Read what was changed".into()),
        ("description", "Every committed change of every record, once and in order. For admins.".into()),
        (
            "parameters",
            Node::Array(vec![
                parameters::in_query("after", position, after),
                parameters::in_query("limit", number(1, limits.changes_max), "How many changes at most."),
                parameters::in_query("wait", number(0, limits.changes_wait_s_max), wait),
                parameters::in_query("collection", text(), of),
            ]),
        ),
        ("responses", answers(vec![("200", lines)], &[400, 401, 403, 404, 410, 500, 503])),
    ]);
    object([("get", get)])
}
