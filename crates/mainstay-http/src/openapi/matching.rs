//! Changes and deletes of all records that match.
use super::{
    node::{Node, object, reference},
    operations::{DELETE, Operations, WRITE, answers, body, json_answer},
    parameters, shared,
};

impl Operations<'_> {
    pub(super) fn update_matching(&self) -> Node {
        let own = self.own();
        let about = "A JSON merge patch of each. A number also takes {\"add\": 1}, which is added in the database.";
        let summary = format!("Change all {} records that match", own.record);
        self.operation(format!("update{}", own.plural), summary, self.matching())
            .with("requestBody", body(about, reference("schemas", &own.update), true))
            .with("responses", answers(counted(), &WRITE))
    }

    pub(super) fn delete_matching(&self) -> Node {
        let own = self.own();
        let summary = format!("Delete all {} records that match", own.record);
        let statuses: Vec<u16> = DELETE.iter().copied().filter(|status| *status != 412).chain([422]).collect();
        self.operation(format!("delete{}", own.plural), summary, self.matching())
            .with("responses", answers(counted(), &statuses))
    }

    fn matching(&self) -> Vec<Node> {
        vec![
            parameters::filter_needed(self.schema, self.limits, self.collection),
            parameters::bulk_limit(self.limits),
            parameters::idempotency_key(),
            parameters::prefer(),
        ]
    }
}

/// How many matched, or nothing.
fn counted() -> Vec<(&'static str, Node)> {
    let count = |about: &str| {
        object([("type", "integer".into()), ("format", "int32".into()), ("minimum", Node::Int(0))])
            .described(Some(about))
    };
    let counts = object([
        ("type", "object".into()),
        ("required", Node::Array(["matched", "changed"].map(Node::from).into())),
        (
            "properties",
            object([
                ("matched", count("How many records the filter found.")),
                ("changed", count("How many of them are changed, or gone.")),
            ]),
        ),
    ]);
    let done = json_answer("It is done.", counts, &["Idempotent-Replayed", "X-Request-Id"]);
    let silent = object([
        ("description", "It is done; the caller wants no more.".into()),
        ("headers", shared::headers(&["Idempotent-Replayed", "Preference-Applied", "X-Request-Id"])),
    ]);
    vec![("200", done), ("204", silent)]
}
