//! One field as it is sent: who may send it, and its value.
use std::borrow::Cow;

use mainstay_expr::{Compiled, Value};
use mainstay_plan::OwnFields;
use mainstay_schema::{Collection, CollectionId, Field, FieldId, FieldKind, Json, Scalar, Schema, nearest};

use super::{
    ERRORS_MAX, field_error,
    late::{Late, Slot, Source, late_fields},
    links::{Inside, Place, Sent},
    normalize,
    reading::Reading,
    wire_errors,
};
use crate::FieldError;

/// Reads fields of records of one collection, keeping everything that is wrong.
pub(crate) struct FieldReader<'a> {
    pub(crate) reading: &'a Reading<'a>,
    pub(crate) schema: &'a Schema,
    pub(crate) collection: &'a Collection,
    /// Where the record stands in the body: empty, or `/3`.
    pub(crate) place: &'a str,
    /// Whether records may be made inside of this one.
    pub(crate) nests: bool,
    pub(crate) errors: Vec<FieldError>,
    /// Keys that the write fills in.
    pub(crate) late: Vec<Late>,
    /// To-one links to records that this write makes, whose keys are known.
    pub(crate) made: Vec<FieldId>,
    /// Records to be made inside of this one.
    pub(crate) inside: Vec<Inside<'a>>,
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
        reading: &'a Reading<'a>,
        collection: &'a Collection,
        place: &'a str,
        nests: bool,
    ) -> FieldReader<'a> {
        let (errors, late, made, inside) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        FieldReader { reading, schema: reading.schema(), collection, place, nests, errors, late, made, inside }
    }

    /// Notes something that is wrong with a field.
    pub(crate) fn wrong(&mut self, name: &str, code: &str, message: impl Into<String>, hint: Option<String>) {
        self.note(FieldError { hint, ..field_error(self.place, name, code, message) });
    }

    /// The same where its place is known.
    pub(crate) fn note(&mut self, error: FieldError) {
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(error);
        }
    }

    /// The field of this name, where the caller may send it.
    pub(crate) fn writable(&mut self, name: &str) -> Option<&'a Field> {
        let Some(field) = self.collection.field_named(name) else {
            if self.errors.len() >= ERRORS_MAX {
                return None;
            }
            let message = format!("no field named \"{name}\" in \"{}\"", self.collection.name);
            let near = nearest(name, self.collection.open_names());
            self.wrong(name, "unknown_field", message, near.map(|near| format!("did you mean \"{near}\"?")));
            return None;
        };
        if let FieldKind::Inverse { target, field: other } = field.kind
            && !self.nests
        {
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
        match self.reading.sender {
            Sender::File => field.computed.is_some(),
            Sender::Caller => field.read_only() || (field.system && system.id != id),
        }
    }

    /// The value of a stored field; required ones are never null.
    pub(crate) fn value(&mut self, field: &Field, json: &'a Json<'a>) -> Option<Value> {
        if matches!(json, Json::Null) && field.required {
            self.wrong(&field.name, "required", format!("\"{}\" is never null", field.name), None);
            return None;
        }
        if let FieldKind::ToOne { target, .. } = field.kind
            && !matches!(json, Json::Null)
        {
            return self.link(field, target, json);
        }
        if adds(field, json).is_some() {
            let message = "only a change of a record adds to a number";
            self.wrong(&field.name, "wrong_type", message, Some("send the value itself".to_owned()));
            return None;
        }
        match normalize::read(self.schema, self.collection, field, json) {
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

    /// The value that the server writes into a field; what it cannot compute is an error of that field, and `None`.
    pub(crate) fn set_value(&mut self, compiled: &Compiled, row: &OwnFields<'_>, field: &Field) -> Option<Value> {
        let value = self.reading.evaluator.value(compiled, row).map_err(|error| error.to_string());
        match value.and_then(|value| self.schema.fitting(field, value).map_err(|error| error.message)) {
            Ok(value) => Some(value),
            Err(why) => {
                let message = format!("the server cannot write \"{}\": {why}", field.name);
                let hint = match compiled.slots.is_empty() {
                    true => format!("it is set from \"{}\"", compiled.text),
                    false => format!("it is set from \"{}\": sign in as somebody who has that", compiled.text),
                };
                self.wrong(&field.name, "set", message, Some(hint));
                None
            }
        }
    }

    /// Ties the record to the one around it, whose key is null where the write fills it in. Gives the value of the link.
    pub(crate) fn tied(&mut self, link: FieldId, key: &Value) -> Value {
        self.made.push(link);
        if key.is_null() {
            self.late.push(Late { slot: Slot::Field(link), source: Source::Around });
        }
        key.clone()
    }

    /// The fields whose values are not known before the write: their keys are looked up, counted, or those of records inside.
    pub(crate) fn unknown(&self) -> Vec<FieldId> {
        let inside = self.inside.iter().filter_map(|inside| match inside.place {
            Place::Before(Slot::Field(field)) => Some(field),
            _ => None,
        });
        late_fields(&self.late).chain(inside).collect()
    }

    /// What is to be added to a number, as `{"add": -1}` says it: `None` where a value is sent, `Some(None)` where it is wrong.
    pub(crate) fn amount(&mut self, field: &Field, json: &Json<'_>) -> Option<Option<Value>> {
        let members = adds(field, json)?;
        let [(name, amount)] = members else {
            let hint = Some("send {\"add\": 1}".to_owned());
            self.wrong(&field.name, "wrong_type", "expected one member, \"add\"", hint);
            return Some(None);
        };
        if name != "add" {
            let message = format!("no member {name:?}: a number takes \"add\"");
            self.wrong(&field.name, "wrong_type", message, Some("send {\"add\": 1}".to_owned()));
            return Some(None);
        }
        if matches!(amount, Json::Null) {
            self.wrong(&field.name, "required", "null cannot be added", None);
            return Some(None);
        }
        match self.schema.read_value(&field.kind, field.length_max, amount) {
            Ok(value) => Some(Some(value)),
            Err(error) => {
                wire_errors(self.place, &field.name, error, &mut self.errors);
                Some(None)
            }
        }
    }

    /// A to-one link; null where the write fills its key in.
    fn link(&mut self, field: &Field, target: CollectionId, json: &'a Json<'a>) -> Option<Value> {
        let place = self.place;
        let pointer = || format!("{place}/{}", field.name);
        let slot = Slot::Field(field.id);
        match self.sent(target, json, true, &pointer)? {
            Sent::Key(key) => return Some(key),
            Sent::Made(key) => {
                self.made.push(field.id);
                return Some(key);
            }
            Sent::Late(source) => self.late.push(Late { slot, source }),
            Sent::LateMade(source) => {
                self.made.push(field.id);
                self.late.push(Late { slot, source });
            }
            Sent::Record(json, under) => {
                let pointer = format!("{}{under}", pointer());
                self.inside.push(Inside { place: Place::Before(slot), target, json, pointer });
            }
        }
        Some(Value::Null)
    }
}

/// Whether a value asks for an addition to a number.
fn adds<'j, 'a>(field: &Field, json: &'j Json<'a>) -> Option<&'j [(Cow<'a, str>, Json<'a>)]> {
    match (&field.kind, json) {
        (FieldKind::Scalar(scalar), Json::Object(members)) if is_number(scalar) => Some(members),
        _ => None,
    }
}

fn is_number(scalar: &Scalar) -> bool {
    matches!(scalar, Scalar::Int | Scalar::Long | Scalar::Float | Scalar::Decimal { .. })
}
