//! Failures of the store in words for the caller: the one place where they are translated.
use mainstay_schema::{CollectionId, FieldId, Schema};
use mainstay_store::{StepError, StoreError};

use crate::{
    Error, ErrorKind, FieldError, Over,
    expressions::{Class, RuleKind},
    plan::{
        rules::{refused, refused_field},
        target::{key_text, not_found},
    },
};

/// What a failed statement means to the caller; the cause is kept for the log.
pub(crate) fn from_store(failure: StoreError) -> Error {
    let mut error = match &failure {
        StoreError::TimedOut { limit_ms } => {
            Error::new(ErrorKind::TimedOut, format!("the database took longer than {limit_ms} ms"))
                .with_hint("ask for less: a smaller page, fewer links, a filter that an index helps")
        }
        StoreError::AnswerTooLarge => Error::new(ErrorKind::LimitExceeded, "the answer would be too large")
            .with_hint("ask for less: a smaller page, smaller limits of the links inside it, fewer links"),
        StoreError::TooManyNested { limit } => {
            let message = format!("the answer would hold more than {limit} records in lists inside of lists");
            Error::new(ErrorKind::LimitExceeded, message)
                .with_hint("ask for less: a smaller page, smaller limits of the links inside it, fewer levels")
        }
        StoreError::DiskFull => Error::new(ErrorKind::DiskFull, "no room is left on the disk"),
        StoreError::Overloaded => {
            Error::new(ErrorKind::Overloaded, "too many requests wait").with_hint("try again in a moment")
        }
        StoreError::Unavailable(_) => Error::new(ErrorKind::NotReady, "the database cannot be reached")
            .with_hint("try again in a moment; the server's log says why"),
        StoreError::Conflict => Error::new(ErrorKind::WriteConflict, "other writes got in the way each time")
            .with_hint("try again in a moment; nothing of it was done"),
        StoreError::Paused => Error::new(ErrorKind::WritesPaused, "the database takes no writes for a moment")
            .with_hint("try again in a moment; nothing of it was done"),
        StoreError::Moved => Error::new(ErrorKind::Moved, "the database has moved, and takes no writes any more")
            .with_hint("the operator starts the servers again with the new database"),
        StoreError::ImportEnded => Error::new(ErrorKind::WriteConflict, failure.to_string())
            .with_hint("run this one again: it goes on where it was"),
        StoreError::Overflow => Error::new(ErrorKind::Overflow, "a number leaves the range of its type")
            .with_hint("ask for fewer records at once, or for other figures"),
        StoreError::ChangesGone => {
            Error::new(ErrorKind::ChangesGone, "the changes behind this position are kept no more")
                .with_hint("take the present end (GET /api/changes?after=end), then read the records anew, then the changes behind that end")
        }
        StoreError::Unreadable(_) | StoreError::Plan(_) | StoreError::Engine(_) => return Error::internal(failure.to_string()),
    };
    error.cause = Some(failure.to_string());
    error
}

/// Which step failed, as far as its message must know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepPlace<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) collection: CollectionId,
    pub(crate) class: Class,
    /// The rule that the write needs.
    pub(crate) rule: RuleKind,
    /// Where the record stands in the body: empty, or `/3`.
    pub(crate) pointer: &'a str,
}

impl StepPlace<'_> {
    /// A refusal with the state of the record that it is about: a change has two.
    fn over(&self, refusal: Error, after: bool) -> Error {
        let over = if after { Over::After } else { Over::Before };
        Error { over: Some(over).filter(|_| self.rule == RuleKind::Update), ..refusal }
    }
}

/// What a step that was not done means to the caller.
pub(crate) fn from_step(place: StepPlace<'_>, failure: StepError) -> Error {
    let StepPlace { schema, collection, class, rule, pointer } = place;
    let of = schema.collection(collection);
    match failure {
        StepError::NotFound => not_found(schema, collection),
        StepError::RefusedBefore => place.over(refused(schema, class, (collection, rule)), false),
        StepError::RefusedAfter => place.over(refused(schema, class, (collection, rule)), true),
        StepError::RefusedField { field, reads, after } => {
            let rule = if reads { RuleKind::ReadField(field) } else { RuleKind::WriteField(field) };
            place.over(refused_field(schema, class, (collection, rule), pointer), after)
        }
        StepError::RefusedLink { field, adds } => {
            let kind = if adds { RuleKind::AddLink(field) } else { RuleKind::RemoveLink(field) };
            refused_field(schema, class, (collection, kind), pointer)
        }
        StepError::OtherVersion { present } => {
            let message = format!("this \"{}\" has the version {present} by now", of.name);
            let mut error = Error::new(ErrorKind::VersionMismatch, message).with_hint("read it again, then write");
            error.version = Some(present);
            error
        }
        StepError::Check(at) => check_failed(schema, collection, at, pointer),
        StepError::NotGiven { field, why } => not_given(place, field, &why),
        StepError::NoSum { field, of_null } => no_sum(place, field, of_null),
        StepError::NotUnique { fields } => not_unique(place, &fields),
        StepError::LinkMissing { field } => link_missing(place, field),
        StepError::Restricted { by, field } => {
            let by = schema.collection(by);
            let field = &by.field(field).name;
            Error::new(ErrorKind::Restricted, format!("records of \"{}\" link to this one by \"{field}\"", by.name))
                .with_hint("delete them first, or let them link elsewhere")
        }
        StepError::HeldOutside => {
            Error::new(ErrorKind::Restricted, "a table outside of the schema refers to this record")
                .with_hint("take its rows away in the database itself")
        }
        StepError::CascadeTooLarge { limit } => {
            Error::new(ErrorKind::LimitExceeded, format!("this delete reaches more than {limit} records"))
                .with_hint("delete the records that link here first")
        }
        StepError::TooManyMatch { limit } => {
            let message = format!("more than {limit} records of \"{}\" match; nothing was done", of.name);
            Error::new(ErrorKind::LimitExceeded, message)
                .with_hint("narrow the filter, or do it in parts, each with its own filter")
        }
        StepError::OfRecord { key, error } => {
            let mut named = from_step(place, *error);
            let mut text = Vec::new();
            of.key.write(&key, &mut text);
            named.message = format!("{}: record {}", named.message, String::from_utf8_lossy(&text));
            Error { record: key_text(&key), ..named }
        }
        StepError::KeyReused | StepError::KeptTooLarge { .. } => from_once(failure),
        StepError::Store(failure) => from_store(failure),
        StepError::NotFoundAt { .. } | StepError::CannotUpsert { .. } | StepError::OfUpdate(_) => {
            Error::internal("a step failed as another one does")
        }
    }
}

/// What came of looking an idempotency key up, or of keeping an answer for it.
pub(crate) fn from_once(failure: StepError) -> Error {
    match failure {
        StepError::KeyReused => {
            Error::new(ErrorKind::IdempotencyMismatch, "this idempotency key was used for another content")
                .with_hint("send what was sent before, or choose a new key")
        }
        StepError::KeptTooLarge { limit } => {
            let message = format!("the answer has more than the {limit} bytes that are kept for an idempotency key");
            Error::new(ErrorKind::LimitExceeded, message)
                .with_hint("ask for less of an answer: Prefer: return=minimal, or fields=id")
        }
        StepError::Store(failure) => from_store(failure),
        failure => Error::internal(failure.to_string()),
    }
}

/// Wrong fields of a record.
pub(crate) fn invalid_record(schema: &Schema, of: CollectionId, fields: Vec<FieldError>) -> Error {
    let mut error =
        Error::new(ErrorKind::InvalidRecord, format!("this is no valid \"{}\"", schema.collection(of).name));
    error.fields = fields;
    error
}

/// One check that does not hold.
pub(crate) fn check_error(schema: &Schema, of: CollectionId, at: usize, pointer: &str) -> Option<FieldError> {
    let collection = schema.collection(of);
    let check = collection.checks.get(at)?;
    let pointer = match check.field {
        Some(field) => format!("{pointer}/{}", collection.field(field).name),
        None => pointer.to_owned(),
    };
    let code = check.code.clone().unwrap_or_else(|| "check".to_owned());
    Some(FieldError { pointer, code, message: check.message.clone(), hint: None })
}

fn check_failed(schema: &Schema, of: CollectionId, at: usize, pointer: &str) -> Error {
    invalid_record(schema, of, check_error(schema, of, at, pointer).into_iter().collect())
}

fn not_given(place: StepPlace<'_>, field: FieldId, why: &str) -> Error {
    let field = place.schema.collection(place.collection).field(field);
    let set = if place.rule == RuleKind::Update { field.set.update.as_ref() } else { field.given() };
    let wrong = FieldError {
        pointer: format!("{}/{}", place.pointer, field.name),
        code: "set".to_owned(),
        message: format!("the server cannot write \"{}\": {why}", field.name),
        hint: set.map(|set| format!("it is set from \"{}\"", set.text)),
    };
    invalid_record(place.schema, place.collection, vec![wrong])
}

fn no_sum(place: StepPlace<'_>, field: FieldId, of_null: bool) -> Error {
    let name = &place.schema.collection(place.collection).field(field).name;
    let (code, message, hint) = match of_null {
        true => ("null", format!("\"{name}\" is null: nothing can be added to it"), "send a value first"),
        false => ("overflow", format!("\"{name}\" would go out of its range"), "add less"),
    };
    let pointer = format!("{}/{name}", place.pointer);
    let wrong = FieldError { pointer, code: code.to_owned(), message, hint: Some(hint.to_owned()) };
    invalid_record(place.schema, place.collection, vec![wrong])
}

fn not_unique(place: StepPlace<'_>, fields: &[FieldId]) -> Error {
    let of = place.schema.collection(place.collection);
    let names: Vec<&str> = fields.iter().map(|field| of.field(*field).name.as_str()).collect();
    let message = format!("another \"{}\" has the same \"{}\"", of.name, names.join("\", \""));
    let mut error = Error::new(ErrorKind::NotUnique, message.clone());
    error.fields = names
        .iter()
        .map(|name| FieldError {
            pointer: format!("{}/{name}", place.pointer),
            code: "unique".to_owned(),
            message: message.clone(),
            hint: None,
        })
        .collect();
    error
}

fn link_missing(place: StepPlace<'_>, field: FieldId) -> Error {
    let field = place.schema.collection(place.collection).field(field);
    let target = field.target().map_or("record", |target| &place.schema.collection(target).name);
    let wrong = FieldError {
        pointer: format!("{}/{}", place.pointer, field.name),
        code: "link".to_owned(),
        message: format!("no such \"{target}\", or the caller may not read it"),
        hint: None,
    };
    invalid_record(place.schema, place.collection, vec![wrong])
}
