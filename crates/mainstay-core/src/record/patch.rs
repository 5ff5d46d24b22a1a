//! Changes: a JSON merge patch of a record's fields.
use mainstay_expr::{Value, reads_record};
use mainstay_plan::OwnFields;
use mainstay_schema::{Collection, Field, FieldId, FieldKind, Json};

use super::{
    checks::failed_patch_checks,
    field::{FieldReader, Sender},
    late::{Late, late_fields},
    lists::ListChange,
    reading::Reading,
};
use crate::{FieldError, plan::rules::link_decides};

/// What a patch changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Patch {
    /// The fields with their new values, in order.
    pub(crate) set: Vec<(FieldId, Value)>,
    /// Those of them whose values are added to what is stored.
    pub(crate) added: Vec<FieldId>,
    pub(crate) lists: Vec<ListChange>,
    /// Those of them that the write computes, in order: null among the values.
    pub(crate) computed: Vec<FieldId>,
    /// Keys that the write fills in: null among the values.
    pub(crate) late: Vec<Late>,
    /// Links to records that the same write makes.
    pub(crate) made: Vec<FieldId>,
}

impl Patch {
    /// Whether nothing changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.lists.is_empty()
    }

    /// The fields whose values only the write knows.
    pub(crate) fn unknown(&self) -> impl Iterator<Item = FieldId> + '_ {
        late_fields(&self.late).chain(self.added.iter().copied()).chain(self.computed.iter().copied())
    }

    /// The fields with a write rule that are sent: what the server writes has none.
    pub(crate) fn ruled(&self, of: &Collection) -> impl Iterator<Item = FieldId> {
        let sent = self.set.iter().map(|(field, _)| *field).chain(self.lists.iter().map(|list| list.field));
        sent.filter(|field| of.field(*field).rules.write.is_some())
    }

    /// Whether the update rule of the collection is asked: always, but where nothing is sent that rules of links do not decide.
    pub(crate) fn asks_update_rule(&self, of: &Collection) -> bool {
        let decided = |list: &ListChange| link_decides(of, list.field, list.mode);
        // What the server writes along stands beside something that is sent, or not at all.
        !self.set.is_empty() || self.lists.is_empty() || !self.lists.iter().all(decided)
    }

    /// The fields that get another value.
    pub(crate) fn fields(&self) -> Vec<FieldId> {
        self.set.iter().map(|(field, _)| *field).collect()
    }

    /// Whether a field gets another value.
    pub(crate) fn sets(&self, field: FieldId) -> bool {
        self.set.iter().any(|(set, _)| *set == field)
    }
}

/// What a patch is read by.
#[derive(Clone, Copy)]
pub(crate) struct Patches<'a> {
    pub(crate) reading: &'a Reading<'a>,
    pub(crate) collection: &'a Collection,
    /// Fields that name the record: they are what they are already.
    pub(crate) given: &'a [FieldId],
}

impl<'a> Patches<'a> {
    /// Reads a patch, completes it by what the server writes, and checks what it decides alone. Everything that is wrong comes
    /// at once.
    pub(crate) fn read(&self, json: &'a Json<'a>, place: &'a str) -> Result<Patch, Vec<FieldError>> {
        let patch = self.unchecked(json, place)?;
        let (schema, evaluator) = (self.reading.schema(), &self.reading.evaluator);
        let errors = failed_patch_checks(schema, evaluator, self.collection, &patch, place);
        if errors.is_empty() { Ok(patch) } else { Err(errors) }
    }

    /// The same before its checks are asked.
    pub(crate) fn unchecked(&self, json: &'a Json<'a>, place: &'a str) -> Result<Patch, Vec<FieldError>> {
        let mut reader = FieldReader::new(self.reading, self.collection, place, false);
        let mut patch = Patch::default();
        let Json::Object(members) = json else {
            let message = format!("expected an object, got {}", json.kind());
            let pointer = place.to_owned();
            return Err(vec![FieldError { pointer, code: "wrong_type".into(), message, hint: None }]);
        };
        for (name, value) in members {
            let Some(field) = reader.writable(name) else { continue };
            if self.given.contains(&field.id) || !self.changeable(&mut reader, field) {
                continue;
            }
            match field.kind {
                FieldKind::Many { .. } => reader.list_changes(field, value, &mut patch.lists),
                _ => match reader.amount(field, value) {
                    Some(amount) => {
                        patch.added.push(field.id);
                        patch.set.extend(amount.map(|amount| (field.id, amount)));
                    }
                    None => patch.set.extend(reader.value(field, value).map(|value| (field.id, value))),
                },
            }
        }
        self.complete(&mut reader, &mut patch);
        patch.set.sort_by_key(|(field, _)| *field);
        if !reader.errors.is_empty() {
            return Err(reader.errors);
        }
        (patch.late, patch.made) = (reader.late, reader.made);
        Ok(patch)
    }

    fn changeable(&self, reader: &mut FieldReader<'_>, field: &Field) -> bool {
        if !field.immutable && self.collection.system.id != Some(field.id) {
            return true;
        }
        let message = format!("\"{}\" never changes after the create", field.name);
        reader.wrong(&field.name, "immutable", message, Some("leave it out".to_owned()));
        false
    }

    /// A change of links alone leaves the record's own fields as they are, and so does one that completes a record of a file.
    fn complete(&self, reader: &mut FieldReader<'_>, patch: &mut Patch) {
        if patch.set.is_empty() || self.reading.sender == Sender::File {
            return;
        }
        let mut values = vec![Value::Null; self.collection.fields.len()];
        for (field, value) in patch.set.iter().filter(|(field, _)| !patch.added.contains(field)) {
            values[field.0 as usize] = value.clone();
        }
        let row = OwnFields { collection: self.collection, values: &values };
        for field in self.collection.stored() {
            let Some(compiled) = &field.set.update else { continue };
            if reads_record(&compiled.expr) {
                patch.computed.push(field.id);
                patch.set.push((field.id, Value::Null));
                continue;
            }
            let value = reader.set_value(compiled, &row, field);
            if value.as_ref().is_some_and(Value::is_null) && field.required {
                reader.wrong(&field.name, "required", format!("\"{}\" is never null", field.name), None);
            }
            patch.set.extend(value.map(|value| (field.id, value)));
        }
        if let Some(updated_at) = self.collection.system.updated_at {
            patch.set.push((updated_at, Value::Timestamp(self.reading.request.time_micros)));
        }
    }
}
