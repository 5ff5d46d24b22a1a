//! `POST /api/batch`: operations of any kind in one transaction, all or nothing.
use http::{StatusCode, header, request::Parts};
use hyper::body::Incoming;
use mainstay_core::{Act, Aimed, Answer, Answered, Batch, BatchOperation, Core, FieldError, Operation};
use mainstay_schema::{Collection, FieldId, Json, Schema, nearest};

use super::{Selects, create::joined, json, once, other_answer, query, request, target};
use crate::{
    app::World,
    etag,
    params::Params,
    prefer::Return,
    problem::{Code, Outcome, Problem},
    reply::{self, Response},
    service::Connection,
};

/// The members of an operation.
const MEMBERS: [&str; 9] = ["op", "in", "as", "id", "by", "data", "version", "fields", "params"];

/// The operations that there are, with the members that they take besides `op`, `in`, `fields` and `params`.
const OPERATIONS: [(&str, &[&str]); 4] = [
    ("create", &["as", "data"]),
    ("upsert", &["as", "by", "data"]),
    ("update", &["as", "id", "by", "data", "version"]),
    ("delete", &["id", "by", "version"]),
];

/// Members that an operation does not take, as far as they are told.
const EXTRA_MAX: usize = 100;

/// Characters of a name at most.
const NAME_LENGTH_MAX: usize = 64;

/// Below this every whole number has its own float (2^53).
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Operations in one transaction.
pub(crate) async fn batch(
    connection: &Connection,
    world: &World,
    parts: &Parts,
    body: &mut Incoming,
) -> Outcome<Response> {
    etag::refuse(&parts.headers, &[header::IF_MATCH, header::IF_NONE_MATCH])?;
    Params::parse(parts.uri.query(), &[])?;
    let request = request(connection, world, parts)?;
    let bytes = json::bytes_of(connection, parts, body, false).await?;
    let selects = |text: &str| world.selection(text);
    let mut operations = read_all(&world.core, &selects, request.is_admin(), json::parse_for(connection, &bytes)?)?;
    let mut wish = Return::of(&parts.headers);
    if wish == Return::Minimal {
        // Who names fields wants them: over that the preference is not followed.
        match operations.iter().flatten().any(|operation| operation.answered.selection.is_some()) {
            true => wish = Return::Usual,
            false => {
                operations.iter_mut().flatten().for_each(|one| one.answered.selection = Some(world.nothing.clone()))
            }
        }
    }
    let sent = once::Sent { connection, world, parts, request: &request, body: &bytes };
    sent.run(Operation::Batch(Batch { operations }), move |answer| respond(wish, answer)).await
}

/// What a body asks for, one operation after the other; more than there may be are not read.
pub(super) fn read_all<'a>(
    core: &Core,
    selects: &Selects<'_>,
    admin: bool,
    body: Json<'a>,
) -> Outcome<Vec<Result<BatchOperation<'a>, Vec<FieldError>>>> {
    let operations = operations(body)?;
    core.check_count(operations.len())?;
    let read = |(at, json)| read(selects, core.schema(), admin, json, format!("/ops/{at}"));
    Ok(operations.into_iter().enumerate().map(read).collect())
}

fn respond(wish: Return, answer: Answer) -> Outcome<Response> {
    let Answer::Batch(records) = answer else { return Err(other_answer()) };
    let mut response = match wish {
        Return::Minimal => reply::silent(StatusCode::NO_CONTENT, None),
        Return::Usual | Return::Representation => {
            let mut out = b"{\"results\":".to_vec();
            out.extend_from_slice(&joined(&records));
            out.push(b'}');
            reply::written(StatusCode::OK, out, None)
        }
    };
    wish.applied(&mut response);
    Ok(response)
}

/// The operations of a body.
fn operations(body: Json<'_>) -> Outcome<Vec<Json<'_>>> {
    let wrong = |detail: String| {
        Err(Problem::new(Code::InvalidBody, detail).hint(Some("send {\"ops\": [{\"op\": \"create\", …}]}".into())))
    };
    let Json::Object(members) = body else { return wrong(format!("expected an object, found {}", body.kind())) };
    let mut operations = None;
    for (name, value) in members {
        match (&*name, value) {
            ("ops", Json::Array(list)) => operations = Some(list),
            ("ops", other) => return wrong(format!("\"ops\" is a list of operations, found {}", other.kind())),
            (other, _) => return wrong(format!("no member {other:?} in a batch")),
        }
    }
    match operations {
        Some(operations) => Ok(operations),
        None => wrong("the body has no \"ops\"".to_owned()),
    }
}

/// An operation in the making: its members, and what is wrong with them.
struct Reader<'a> {
    place: String,
    members: Vec<(std::borrow::Cow<'a, str>, Json<'a>)>,
    errors: Vec<FieldError>,
}

/// Reads one operation, with what is wrong with its members; of one that does nothing to any collection, that alone.
fn read<'a>(
    selects: &Selects<'_>,
    schema: &Schema,
    admin: bool,
    json: Json<'a>,
    place: String,
) -> Result<BatchOperation<'a>, Vec<FieldError>> {
    let Json::Object(members) = json else {
        let message = format!("expected an operation, got {}", json.kind());
        return Err(vec![FieldError { pointer: place, code: "wrong_type".into(), message, hint: None }]);
    };
    let mut reader = Reader { place, members, errors: Vec::new() };
    let known = reader.operation();
    let collection = reader.collection(schema);
    let name = reader.name();
    let version = reader.version();
    let answered = Answered { selection: reader.selection(selects), params: reader.params() };
    let act = match (known, collection) {
        (Some(op), Some(collection)) => Some(reader.act(op, collection, admin)),
        _ => None,
    };
    match (act, collection) {
        (Some(act), Some(of)) => {
            let Reader { place, errors: wrong, .. } = reader;
            Ok(BatchOperation { collection: of.id, act, name, version, answered, place, wrong })
        }
        _ => Err(reader.errors),
    }
}

impl<'a> Reader<'a> {
    fn wrong(&mut self, member: &str, code: &str, message: impl Into<String>, hint: Option<String>) {
        let pointer = if member.is_empty() { self.place.clone() } else { format!("{}/{member}", self.place) };
        self.errors.push(FieldError { pointer, code: code.to_owned(), message: message.into(), hint });
    }

    fn take(&mut self, name: &str) -> Option<Json<'a>> {
        let at = self.members.iter().position(|(member, _)| member == name)?;
        Some(self.members.swap_remove(at).1)
    }

    /// A member that is a text.
    fn text(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Json::Text(text) => Some(text.into_owned()),
            other => {
                self.wrong(name, "wrong_type", format!("expected a text, got {}", other.kind()), None);
                None
            }
        }
    }

    /// A member that is a text and must be there.
    fn needed(&mut self, name: &str, message: &str) -> Option<String> {
        if self.members.iter().all(|(member, _)| member != name) {
            self.wrong(name, "required", message, None);
            return None;
        }
        self.text(name)
    }

    /// Which operation it is; refuses members that it does not take.
    fn operation(&mut self) -> Option<&'static str> {
        let word = self.needed("op", "\"op\" says what to do: create, upsert, update or delete")?;
        let Some((op, takes)) = OPERATIONS.iter().find(|(op, _)| *op == word) else {
            let near = nearest(&word, OPERATIONS.iter().map(|(op, _)| *op));
            let hint = near.map(|near| format!("did you mean \"{near}\"?"));
            self.wrong("op", "unknown_operation", format!("no operation {word:?}"), hint);
            return None;
        };
        let taken = |name: &str| matches!(name, "in" | "fields" | "params") || takes.contains(&name);
        let extra = self.members.iter().filter(|(name, _)| !taken(name)).take(EXTRA_MAX);
        let extra: Vec<String> = extra.map(|(name, _)| name.clone().into_owned()).collect();
        for name in extra {
            let near = nearest(&name, MEMBERS.into_iter().filter(|member| taken(member)));
            let hint = near.map(|near| format!("did you mean \"{near}\"?"));
            let pointer = name.replace('~', "~0").replace('/', "~1");
            self.wrong(&pointer, "unknown_member", format!("\"{op}\" takes no {name:?}"), hint);
        }
        Some(op)
    }

    fn collection<'s>(&mut self, schema: &'s Schema) -> Option<&'s Collection> {
        let path = self.needed("in", "\"in\" names the collection: \"orders\"")?;
        if let Some(id) = schema.by_path.get(&path) {
            return Some(schema.collection(*id));
        }
        let near = nearest(&path, schema.collections.iter().map(|of| &*of.path));
        let hint = near.map(|near| format!("did you mean \"{near}\"?"));
        self.wrong("in", "unknown_collection", format!("no collection {path:?}"), hint);
        None
    }

    fn name(&mut self) -> Option<String> {
        let name = self.text("as")?;
        if name.is_empty() || name.chars().count() > NAME_LENGTH_MAX {
            self.wrong("as", "invalid", format!("a name has 1 to {NAME_LENGTH_MAX} characters"), None);
        }
        Some(name)
    }

    fn version(&mut self) -> Option<i64> {
        match self.take("version")? {
            Json::Int(version) => Some(version),
            // JSON has one kind of number: 1.0 is 1.
            Json::Float(version) if version.fract() == 0.0 && version.abs() < EXACT => Some(version as i64),
            other => {
                let hint = Some("send the record's version as it was answered".to_owned());
                self.wrong("version", "wrong_type", format!("expected a whole number, got {}", other.kind()), hint);
                None
            }
        }
    }

    /// The values `p.NAME` of what is answered.
    fn params(&mut self) -> Vec<(String, String)> {
        let Some(json) = self.take("params") else { return Vec::new() };
        match query::values(json) {
            Ok(values) => values.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
            Err(problem) => {
                self.wrong("params", "invalid", problem.detail.into_owned(), problem.hint);
                Vec::new()
            }
        }
    }

    fn selection(&mut self, selects: &Selects<'_>) -> Option<std::sync::Arc<mainstay_core::Selection>> {
        let text = self.text("fields")?;
        match selects(&text) {
            Ok(selection) => Some(selection),
            Err(problem) => {
                self.wrong("fields", "invalid", problem.detail.into_owned(), problem.hint);
                None
            }
        }
    }

    fn act(&mut self, op: &str, collection: &Collection, admin: bool) -> Act<'a> {
        match op {
            "create" => Act::Create { data: self.data() },
            "upsert" => Act::Upsert { unique: self.unique(collection, admin), data: self.data() },
            "update" => Act::Update { target: self.target(), data: self.data() },
            _ => Act::Delete { target: self.target() },
        }
    }

    /// The fields of the record; where none are sent, it is read as one without any.
    fn data(&mut self) -> Json<'a> {
        self.take("data").unwrap_or_else(|| {
            self.wrong("data", "required", "\"data\" holds the fields", None);
            Json::Object(Vec::new())
        })
    }

    /// The fields of the unique by which an upsert looks.
    fn unique(&mut self, collection: &Collection, admin: bool) -> Vec<FieldId> {
        let names = self.needed("by", "\"by\" names the unique: \"slug\", or \"owner,skill\"");
        let unique = names.map(|names| target::unique(collection, admin, &names)).transpose();
        unique.map(Option::unwrap_or_default).unwrap_or_else(|problem| {
            self.wrong("by", "not_unique", problem.detail.into_owned(), problem.hint);
            Vec::new()
        })
    }

    fn target(&mut self) -> Aimed<'a> {
        match (self.take("id"), self.take("by")) {
            (Some(id), None) => Aimed::Id(id),
            (None, Some(by)) => Aimed::By(by),
            (Some(_), Some(_)) => {
                self.wrong("by", "unknown_member", "the record is named by \"id\" already", None);
                Aimed::Unnamed
            }
            (None, None) => {
                let message = "\"id\" or \"by\" says which record: \"id\": \"…\", or \"by\": {\"slug\": \"…\"}";
                self.wrong("id", "required", message, None);
                Aimed::Unnamed
            }
        }
    }
}
