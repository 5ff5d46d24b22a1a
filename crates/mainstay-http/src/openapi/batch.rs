//! The batch: operations of every collection in one request.
use mainstay_core::Limits;
use mainstay_schema::{Collection, FieldId, Schema, Unique};

use super::{
    links,
    names::Names,
    node::{Node, object, reference},
    operations::{WRITE, answers, body, json_answer},
    parameters,
    records::closed,
};

/// The members of an object that is described, each with whether it is required.
type Members = Vec<(&'static str, Node, bool)>;

/// The path of the batch.
pub(super) fn path(names: &Names, limits: &Limits) -> Node {
    let ops = object([
        ("type", "array".into()),
        ("items", reference("schemas", &names.operation)),
        ("maxItems", Node::Int(limits.batch_max as i64)),
    ]);
    let sent = closed(vec![("ops".into(), ops)], vec!["ops".into()]);
    let result = object([("type", "object".into())]).described(Some(
        "The record, as its own call answers it; its id alone where it was deleted or may not be read.",
    ));
    let results = object([("type", "array".into()), ("items", result)]);
    let answered = closed(vec![("results".into(), results)], vec!["results".into()]);
    let about = "Operations of any kind in one transaction, in order: all or nothing. Each sees what the earlier ones did, its \
        rules too. Its record has the name `as`, and `{\"ref\": name}` stands for its id later.";
    let mut statuses = WRITE.to_vec();
    statuses.push(412);
    let good = json_answer("The answers, one for each operation.", answered, &["Idempotent-Replayed", "X-Request-Id"]);
    let post = object([
        ("operationId", names.batch.as_str().into()),
        ("tags", Node::Array(vec![names.batch_tag.as_str().into()])),
        ("summary", "Do several operations, or none".into()),
        ("description", about.into()),
        ("parameters", Node::Array(vec![parameters::idempotency_key()])),
        ("requestBody", body("The operations.", sent, false)),
        ("responses", answers(vec![("200", good)], &statuses)),
    ]);
    object([("post", post)])
}

/// The component of an operation: one of those of any collection.
pub(super) fn operation(schema: &Schema, names: &Names, limits: &Limits) -> Node {
    let of = |collection| Operations { schema, names, limits, collection }.all();
    let all: Vec<Node> = schema.collections.iter().flat_map(of).collect();
    object([("anyOf", Node::Array(all))]).described(Some("One operation of a batch."))
}

struct Operations<'a> {
    schema: &'a Schema,
    names: &'a Names,
    limits: &'a Limits,
    collection: &'a Collection,
}

impl Operations<'_> {
    fn all(&self) -> Vec<Node> {
        let own = &self.names.collections[self.collection.id.0 as usize];
        let data = |name: &str| ("data", reference("schemas", name), true);
        let id = || ("id", reference("schemas", &own.link), true);
        let version = || ("version", version(), false);
        let mut all = vec![
            self.one("create", "", vec![named(), data(&own.create)]),
            self.one("update", "", vec![id(), named(), data(&own.update), version()]),
            self.one("delete", "", vec![id(), version()]),
        ];
        if let Some(values) = links::by(self.schema, self.names, self.collection) {
            let by = || ("by", values.clone(), true);
            all.push(self.one("upsert", "", vec![("by", self.uniques(), true), named(), data(&own.nested)]));
            all.push(self.one("update", "By", vec![by(), named(), data(&own.update), version()]));
            all.push(self.one("delete", "By", vec![by(), version()]));
        }
        all
    }

    /// An operation; its title is what generated clients call it: `UpdateSkillBy`.
    fn one(&self, op: &str, by: &str, members: Members) -> Node {
        let constant = |text: &str| object([("type", "string".into()), ("const", text.into())]);
        let mut all = vec![("op", constant(op), true), ("in", constant(&self.collection.path), true)];
        all.extend(members);
        all.push(("fields", parameters::selection(self.limits, self.collection), false));
        let required = all.iter().filter(|(_, _, required)| *required).map(|(name, _, _)| (*name).into()).collect();
        let node = closed(all.into_iter().map(|(name, node, _)| (name.to_owned(), node)).collect(), required);
        let (first, rest) = op.split_at(1);
        node.with("title", format!("{}{rest}{}{by}Operation", first.to_uppercase(), self.collection.name))
    }

    /// The uniques by their fields, as an upsert names them.
    fn uniques(&self) -> Node {
        uniques(self.collection)
    }
}

/// The uniques of a collection by their fields: `owner,skill`.
pub(super) fn uniques(collection: &Collection) -> Node {
    let name = |id: &FieldId| collection.field(*id).name.clone();
    let names = |unique: &Unique| Node::Text(unique.fields.iter().map(name).collect::<Vec<_>>().join(","));
    object([("type", "string".into()), ("enum", Node::Array(collection.open_uniques().map(names).collect()))])
}

fn named() -> (&'static str, Node, bool) {
    ("as", links::operation_name().described(Some("What later operations call its record.")), false)
}

fn version() -> Node {
    object([
        ("type", "integer".into()),
        ("format", "int64".into()),
        ("minimum", Node::Int(0)),
        ("maximum", Node::Int(i64::MAX)),
    ])
    .described(Some("The version that the record must have."))
}
