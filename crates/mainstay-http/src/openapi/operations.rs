//! The operations of a collection.
use mainstay_core::Limits;
use mainstay_schema::{Collection, FieldId, Schema, Unique};

use super::{
    names::{CollectionNames, Names, capital},
    node::{Node, object, reference},
    parameters, shared,
    types::{self, Side},
};

/// What most operations can answer besides what they are for.
const READ: [u16; 6] = [400, 401, 403, 404, 500, 503];
/// What a delete can answer besides what it is for.
pub(super) const DELETE: [u16; 9] = [400, 401, 403, 404, 409, 412, 500, 503, 507];
pub(super) const WRITE: [u16; 12] = [400, 401, 403, 404, 408, 409, 413, 415, 422, 500, 503, 507];

pub(super) struct Operations<'a> {
    pub(super) schema: &'a Schema,
    pub(super) names: &'a Names,
    pub(super) limits: &'a Limits,
    pub(super) collection: &'a Collection,
}

impl Operations<'_> {
    pub(super) fn own(&self) -> &CollectionNames {
        &self.names.collections[self.collection.id.0 as usize]
    }

    /// Adds the paths of the collection to `out`.
    pub(super) fn paths(&self, out: &mut Vec<(String, Node)>) {
        let path = format!("/api/{}", self.collection.path);
        let all = object([
            ("get", self.list()),
            ("post", self.create()),
            ("patch", self.update_matching()),
            ("delete", self.delete_matching()),
        ]);
        out.push((path.clone(), all));
        let id = parameters::in_path("id", types::key(self.collection.key, Side::Answered), "The key of the record.");
        out.push((format!("{path}/{{id}}"), self.one("", vec![id])));
        for unique in self.collection.open_uniques() {
            let names: Vec<&str> = unique.fields.iter().map(|id| &*self.collection.field(*id).name).collect();
            let values: Vec<String> = names.iter().map(|name| format!("{{{name}}}")).collect();
            let suffix = names.iter().map(|name| capital(name)).collect::<Vec<_>>().join("And");
            let item = self.one(&format!("By{suffix}"), self.unique_parameters(unique));
            out.push((format!("{path}/by/{}/{}", names.join(","), values.join(",")), item));
        }
    }

    fn unique_parameters(&self, unique: &Unique) -> Vec<Node> {
        let parameter = |id: &FieldId| {
            let field = self.collection.field(*id);
            let value = types::kind(self.schema, self.names, &field.kind, field.length_max, Side::Answered);
            parameters::in_path(&field.name, value, "A value of the unique.")
        };
        unique.fields.iter().map(parameter).collect()
    }

    /// Reads, changes and deletes one record that `parameters` name.
    fn one(&self, suffix: &str, parameters: Vec<Node>) -> Node {
        object([
            ("parameters", Node::Array(parameters)),
            ("get", self.read(suffix)),
            ("patch", self.update(suffix)),
            ("delete", self.delete(suffix)),
        ])
    }

    pub(super) fn operation(&self, id: String, summary: String, parameters: Vec<Node>) -> Node {
        let about = match &self.collection.doc {
            Some(doc) => format!("{summary}. {doc}"),
            None => format!("{summary}."),
        };
        let node = object([
            ("operationId", id.into()),
            ("tags", Node::Array(vec![self.own().record.as_str().into()])),
            ("summary", summary.into()),
            ("description", about.into()),
        ]);
        if parameters.is_empty() { node } else { node.with("parameters", parameters) }
    }

    fn list(&self) -> Node {
        let own = self.own();
        let parameters = vec![
            parameters::filter(self.schema, self.limits, self.collection),
            parameters::sort(self.schema, self.limits, self.collection),
            parameters::fields(self.limits, self.collection),
            parameters::limit(self.limits),
            parameters::after(),
            parameters::count(),
        ];
        let page = json_answer("A page of records.", reference("schemas", &own.page), &["ETag", "X-Request-Id"]);
        self.operation(format!("list{}", own.plural), format!("List {} records", own.record), parameters)
            .with("responses", answers(vec![("200", page), not_modified()], &READ))
    }

    fn read(&self, suffix: &str) -> Node {
        let own = self.own();
        let parameters = vec![parameters::fields(self.limits, self.collection)];
        let record = json_answer("The record.", reference("schemas", &own.record), &["ETag", "X-Request-Id"]);
        self.operation(format!("get{}{suffix}", own.record), format!("Read one {}", own.record), parameters)
            .with("responses", answers(vec![("200", record), not_modified()], &READ))
    }

    fn create(&self) -> Node {
        let own = self.own();
        let mut parameters = vec![parameters::fields(self.limits, self.collection), parameters::idempotency_key()];
        let upserts = self.collection.open_uniques().next().is_some();
        if upserts {
            parameters.push(parameters::upsert(self.collection));
        }
        let one_or_many = |name: &str| {
            let many = object([
                ("type", "array".into()),
                ("items", reference("schemas", name)),
                ("maxItems", Node::Int(self.limits.batch_max as i64)),
            ]);
            object([("oneOf", Node::Array(vec![reference("schemas", name), many]))])
        };
        let created = json_answer(
            "The new record, or all of them when an array was sent. Only the id where the caller may not read it. With \
             `Prefer: return=minimal` there is no body.",
            one_or_many(&own.record),
            &["ETag", "Location", "Idempotent-Replayed", "X-Request-Id"],
        );
        let changed = json_answer(
            "Of an upsert: the record, or all of them, none of which is new.",
            one_or_many(&own.record),
            &["ETag", "Idempotent-Replayed", "X-Request-Id"],
        );
        let mut good = vec![("201", created)];
        if upserts {
            good.insert(0, ("200", changed));
        }
        let statuses: Vec<u16> = WRITE.iter().copied().filter(|status| *status != 404).collect();
        self.operation(format!("create{}", own.record), format!("Create a {}, or several", own.record), parameters)
            .with("requestBody", body("One record, or an array: all or nothing.", one_or_many(&own.create), false))
            .with("responses", answers(good, &statuses))
    }

    fn update(&self, suffix: &str) -> Node {
        let own = self.own();
        let parameters = vec![
            parameters::fields(self.limits, self.collection),
            parameters::if_match(),
            parameters::idempotency_key(),
            parameters::prefer(),
        ];
        let record = json_answer(
            "The record as it is now. Only the id where the caller may not read it.",
            reference("schemas", &own.record),
            &["ETag", "Idempotent-Replayed", "X-Request-Id"],
        );
        let silent = object([
            ("description", "It is changed; the caller wants no more.".into()),
            ("headers", shared::headers(&["ETag", "Idempotent-Replayed", "Preference-Applied", "X-Request-Id"])),
        ]);
        let mut statuses = WRITE.to_vec();
        statuses.push(412);
        self.operation(format!("update{}{suffix}", own.record), format!("Change a {}", own.record), parameters)
            .with(
                "requestBody",
                body(
                    "A JSON merge patch. A number also takes {\"add\": 1}, which is added in the database.",
                    reference("schemas", &own.update),
                    true,
                ),
            )
            .with("responses", answers(vec![("200", record), ("204", silent)], &statuses))
    }

    fn delete(&self, suffix: &str) -> Node {
        let own = self.own();
        let gone = object([("description", "It is gone.".into()), ("headers", shared::headers(&["X-Request-Id"]))]);
        let parameters = vec![parameters::if_match()];
        self.operation(format!("delete{}{suffix}", own.record), format!("Delete a {}", own.record), parameters)
            .with("responses", answers(vec![("204", gone)], &DELETE))
    }
}

fn not_modified() -> (&'static str, Node) {
    ("304", reference("responses", "NotModified"))
}

pub(super) fn json_answer(about: &str, schema: Node, headers: &[&str]) -> Node {
    object([
        ("description", about.into()),
        ("headers", shared::headers(headers)),
        ("content", object([("application/json", object([("schema", schema)]))])),
    ])
}

pub(super) fn body(about: &str, schema: Node, patch: bool) -> Node {
    let json = object([("schema", schema.clone())]);
    let content = object([("application/json", json)]);
    let content =
        if patch { content.with("application/merge-patch+json", object([("schema", schema)])) } else { content };
    object([("required", true.into()), ("description", about.into()), ("content", content)])
}

pub(super) fn answers(good: Vec<(&str, Node)>, problems: &[u16]) -> Node {
    let mut all: Vec<(String, Node)> = good.into_iter().map(|(status, node)| (status.to_owned(), node)).collect();
    all.extend(shared::problems(problems));
    Node::Object(all)
}
