//! One field as it is sent: who may send it, and its value.
use mainstay_expr::Value;
use mainstay_schema::{Collection, Field, FieldKind, Json, Scalar, Schema, nearest};

use super::{field_error, wire_errors};
use crate::FieldError;

/// Reads fields of records of one collection, keeping everything that is wrong.
pub(crate) struct FieldReader<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) collection: &'a Collection,
    /// Where the record stands in the body: empty, or `/3`.
    pub(crate) place: &'a str,
    pub(crate) sender: Sender,
    pub(crate) errors: Vec<FieldError>,
}

/// Where a record comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// A request: what the server writes, nobody may send.
    Caller,
    /// A file that an admin loads: it may hold what the server wrote elsewhere.
    File,
}

impl<'a> FieldReader<'a> {
    pub(crate) fn new(
        schema: &'a Schema,
        collection: &'a Collection,
        place: &'a str,
        sender: Sender,
    ) -> FieldReader<'a> {
        FieldReader { schema, collection, place, sender, errors: Vec::new() }
    }

    /// Notes something that is wrong with a field.
    pub(crate) fn wrong(&mut self, name: &str, code: &str, message: impl Into<String>, hint: Option<String>) {
        let mut error = field_error(self.place, name, code, message);
        error.hint = hint;
        self.errors.push(error);
    }

    /// The field of this name, where the caller may send it.
    pub(crate) fn writable(&mut self, name: &str) -> Option<&'a Field> {
        let Some(field) = self.collection.field_named(name) else {
            let message = format!("no field named \"{name}\" in \"{}\"", self.collection.name);
            let near = nearest(name, self.collection.fields.iter().map(|field| field.name.as_str()));
            self.wrong(name, "unknown_field", message, near.map(|near| format!("did you mean \"{near}\"?")));
            return None;
        };
        if let FieldKind::Inverse { target, field: other } = field.kind {
            let target = self.schema.collection(target);
            let other = &target.field(other).name;
            let message = format!("\"{name}\" is the other side of \"{other}\" of \"{}\"", target.name);
            self.wrong(name, "read_only", message, Some(format!("write \"{other}\" of the other records instead")));
            return None;
        }
        if self.servers(field) {
            self.wrong(
                name,
                "read_only",
                format!("\"{name}\" is written by the server"),
                Some("leave it out".to_owned()),
            );
            return None;
        }
        Some(field)
    }

    /// Whether a field is the server's to write.
    fn servers(&self, field: &Field) -> bool {
        let (system, id) = (&self.collection.system, Some(field.id));
        match self.sender {
            Sender::File => false,
            Sender::Caller => field.read_only() || (field.system && system.id != id),
        }
    }

    /// The value of a stored field; required ones are never null.
    pub(crate) fn value(&mut self, field: &Field, json: &Json<'_>) -> Option<Value> {
        if matches!(json, Json::Null) && field.required {
            self.wrong(&field.name, "required", format!("\"{}\" is never null", field.name), None);
            return None;
        }
        if let Some(message) = later(field, json) {
            let hint = field.target().map_or("send the value itself", |_| "send the id of the other record");
            self.wrong(&field.name, "not_available", message, Some(hint.to_owned()));
            return None;
        }
        let read = match self.collection.system.id == Some(field.id) {
            true => self.collection.key.read(json),
            false => self.schema.read_value(&field.kind, field.length_max, json),
        };
        match read {
            Ok(Value::Int(version)) if version < 1 && self.collection.system.version == Some(field.id) => {
                self.wrong(&field.name, "out_of_range", "a version is at least 1", None);
                None
            }
            Ok(value) => Some(value),
            Err(error) => {
                wire_errors(self.place, &field.name, error, &mut self.errors);
                None
            }
        }
    }
}

/// What the language has room for but cannot do yet, refused by name.
fn later(field: &Field, json: &Json<'_>) -> Option<String> {
    let Json::Object(members) = json else { return None };
    let has = |name: &str| members.iter().any(|(key, _)| key == name);
    match &field.kind {
        FieldKind::ToOne { .. } if has("by") => Some("a link by a unique is not available yet".to_owned()),
        FieldKind::ToOne { .. } if has("ref") => Some("a link to another operation is not available yet".to_owned()),
        FieldKind::ToOne { .. } => Some("creating a record inside another one is not available yet".to_owned()),
        FieldKind::Scalar(Scalar::Int | Scalar::Long | Scalar::Float | Scalar::Decimal { .. }) if has("add") => {
            Some("adding to a number in the database is not available yet".to_owned())
        }
        _ => None,
    }
}
