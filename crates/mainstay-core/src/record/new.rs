//! New records: what was sent, the defaults, what the server writes.
use mainstay_expr::{Compiled, Value};
use mainstay_plan::OwnFields;
use mainstay_schema::{Collection, Default, Field, FieldKind, Json, KeyKind, Schema};
use uuid::Uuid;

use super::{
    field::{FieldReader, Sender},
    lists::ListChange,
};
use crate::{FieldError, evaluate::Evaluator};

/// A new record: a value for each field, by its id.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NewRecord {
    pub(crate) values: Vec<Value>,
    pub(crate) lists: Vec<ListChange>,
}

/// What a new record is made from.
pub(crate) struct NewRecords<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) collection: &'a Collection,
    pub(crate) evaluator: &'a Evaluator<'a>,
    pub(crate) time_micros: i64,
    pub(crate) links_max: usize,
    pub(crate) sender: Sender,
}

impl NewRecords<'_> {
    /// Reads and completes one record. Everything that is wrong comes at once.
    pub(crate) fn read(&self, json: &Json<'_>, place: &str) -> Result<NewRecord, Vec<FieldError>> {
        let mut reader = FieldReader::new(self.schema, self.collection, place, self.sender);
        let Json::Object(members) = json else {
            let message = format!("expected an object, got {}", json.kind());
            return Err(vec![FieldError { pointer: place.to_owned(), code: "wrong_type".into(), message, hint: None }]);
        };
        let mut record = NewRecord { values: vec![Value::Null; self.collection.fields.len()], lists: Vec::new() };
        let mut sent = vec![false; self.collection.fields.len()];
        for (name, value) in members {
            let Some(field) = reader.writable(name) else { continue };
            sent[field.id.0 as usize] = true;
            match field.kind {
                FieldKind::Many { .. } => {
                    let list = reader.list(field, value, self.links_max).filter(|list| !list.keys.is_empty());
                    record.lists.extend(list);
                }
                _ => record.values[field.id.0 as usize] = reader.value(field, value).unwrap_or(Value::Null),
            }
        }
        self.complete(&mut reader, &mut record, &sent);
        if reader.errors.is_empty() { Ok(record) } else { Err(reader.errors) }
    }

    fn complete(&self, reader: &mut FieldReader<'_>, record: &mut NewRecord, sent: &[bool]) {
        for field in self.collection.stored() {
            let at = field.id.0 as usize;
            if sent[at] {
                continue;
            }
            if let Some(value) = self.system_value(field) {
                record.values[at] = value;
            } else if let Some(value) = self.given(reader, record, field) {
                record.values[at] = value;
            } else if field.required && self.collection.system.id != Some(field.id) {
                reader.wrong(&field.name, "required", format!("\"{}\" is required", field.name), None);
            } else if self.collection.system.id == Some(field.id) && self.collection.key == KeyKind::String {
                reader.wrong(&field.name, "required", "the id is required", None);
            }
        }
    }

    /// What the server gives to a system field.
    fn system_value(&self, field: &Field) -> Option<Value> {
        let (system, id) = (&self.collection.system, Some(field.id));
        if system.id == id {
            return (self.collection.key == KeyKind::Uuid).then(|| Value::Uuid(Uuid::now_v7()));
        }
        if system.version == id {
            return Some(Value::Int(1));
        }
        (system.created_at == id || system.updated_at == id).then_some(Value::Timestamp(self.time_micros))
    }

    /// What `@set` or `@default` gives; `None` where there is nothing, or it is null.
    fn given(&self, reader: &mut FieldReader<'_>, record: &NewRecord, field: &Field) -> Option<Value> {
        let compiled = match (&field.set.create, &field.default) {
            (Some(compiled), _) => compiled,
            (None, Some(Default::Value(value))) => return Some(value.clone()),
            (None, Some(Default::Expr(compiled))) => compiled,
            (None, None) => return None,
        };
        let row = OwnFields { collection: self.collection, values: &record.values };
        set_value(self.evaluator, reader, compiled, &row, field).filter(|value| !value.is_null())
    }
}

/// The value that the server writes into a field; what it cannot compute is an error of that field.
pub(crate) fn set_value(
    evaluator: &Evaluator<'_>,
    reader: &mut FieldReader<'_>,
    compiled: &Compiled,
    row: &OwnFields<'_>,
    field: &Field,
) -> Option<Value> {
    match evaluator.value(compiled, row) {
        Ok(value) => Some(value),
        Err(error) => {
            let message = format!("the server cannot write \"{}\": {error}", field.name);
            let hint = Some(format!("it is set from \"{}\": sign in as somebody who has that", compiled.text));
            reader.wrong(&field.name, "set", message, hint);
            None
        }
    }
}
