//! New records: what was sent, the defaults, what the server writes.
use mainstay_expr::{Compiled, Value, fields_read, own_fields_only};
use mainstay_plan::OwnFields;
use mainstay_schema::{Collection, CollectionId, Default, Field, FieldId, FieldKind, Json, KeyKind};
use uuid::Uuid;

use super::{
    checks::failed_checks,
    field::FieldReader,
    late::{Late, Slot, Source, late_fields},
    links::{Inside, Place},
    lists::ListChange,
    reading::Reading,
};
use crate::{Error, ErrorKind, FieldError};

/// A new record: a value for each field, by its id.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NewRecord {
    pub(crate) collection: CollectionId,
    /// Where it stands in the body.
    pub(crate) place: String,
    /// Null where the write fills a key in.
    pub(crate) values: Vec<Value>,
    /// Whether the key was sent.
    pub(crate) has_own_key: bool,
    pub(crate) lists: Vec<ListChange>,
    /// The fields with a write rule that were sent.
    pub(crate) ruled: Vec<FieldId>,
    /// Keys that the write fills in.
    pub(crate) late: Vec<Late>,
    /// Fields that the write computes, in order: null among the values.
    pub(crate) computed: Vec<FieldId>,
    /// Links to records that the same write makes.
    pub(crate) made: Vec<FieldId>,
    /// Records that are made before this one, which links to them.
    pub(crate) before: Vec<NewRecord>,
    /// Records that are made behind this one, and link to it by this field.
    pub(crate) after: Vec<(FieldId, NewRecord)>,
}

/// What a new record is sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A create: records may be made inside of it.
    Create,
    /// An upsert.
    Upsert,
    /// A file that is loaded.
    Load,
}

/// What a new record is made from.
#[derive(Clone)]
pub(crate) struct NewRecords<'a> {
    pub(crate) reading: &'a Reading<'a>,
    pub(crate) collection: &'a Collection,
    /// The link that is not sent, because it leads to the record around this one, with that one's key where it is known.
    pub(crate) tied: Option<(FieldId, Value)>,
    /// How deep records may still be made inside of this one; `None`: not at all here.
    pub(crate) depth_left: Option<usize>,
    /// Whether it may turn out that the record is there already: then its lists may be sent as changes.
    pub(crate) may_change: bool,
    /// Whether the checks are asked of what was read.
    pub(crate) checked: bool,
}

impl<'a> NewRecords<'a> {
    /// Reads, completes and checks one record. Everything that is wrong comes at once; a refusal comes alone.
    pub(crate) fn read(
        &self,
        json: &'a Json<'a>,
        place: String,
        errors: &mut Vec<FieldError>,
    ) -> Result<NewRecord, Error> {
        let count = self.collection.fields.len();
        let mut record = NewRecord {
            collection: self.collection.id,
            place,
            values: vec![Value::Null; count],
            has_own_key: false,
            lists: Vec::new(),
            ruled: Vec::new(),
            late: Vec::new(),
            computed: Vec::new(),
            made: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
        };
        let Json::Object(members) = json else {
            let message = format!("expected an object, got {}", json.kind());
            let pointer = record.place.clone();
            errors.push(FieldError { pointer, code: "wrong_type".into(), message, hint: None });
            return Ok(record);
        };
        let place = std::mem::take(&mut record.place);
        let mut reader = FieldReader::new(self.reading, self.collection, &place, self.depth_left.is_some());
        if let Some((link, key)) = &self.tied {
            record.values[link.0 as usize] = reader.tied(*link, key);
        }
        let mut sent = vec![false; count];
        for (name, value) in members {
            let Some(field) = reader.writable(name).filter(|field| self.untied(&mut reader, field)) else { continue };
            sent[field.id.0 as usize] = true;
            if field.rules.write.is_some() {
                record.ruled.push(field.id);
            }
            match field.kind {
                FieldKind::Many { .. } => reader.new_list(field, value, self.may_change, &mut record.lists),
                FieldKind::Inverse { target, field: link } => reader.inside_list(field, target, link, value),
                _ => record.values[field.id.0 as usize] = reader.value(field, value).unwrap_or(Value::Null),
            }
        }
        record.has_own_key = self.collection.system.id.is_some_and(|id| sent[id.0 as usize]);
        self.complete(&mut reader, &mut record, &sent);
        let FieldReader { errors: wrong, late, made, inside, .. } = reader;
        (record.late, record.made) = (late, made);
        let clean = wrong.is_empty();
        errors.extend(wrong);
        let nested = self.inside(&mut record, inside, errors);
        if clean && self.checked {
            self.check(&record, &place, errors);
        }
        record.place = place;
        nested.map(|()| record)
    }

    fn check(&self, record: &NewRecord, place: &str, errors: &mut Vec<FieldError>) {
        let row = OwnFields { collection: self.collection, values: &record.values };
        let late: Vec<FieldId> = record.unknown().collect();
        errors.extend(failed_checks(self.reading.schema(), &self.reading.evaluator, &row, &late, place));
    }

    /// The link to the record around this one is not sent.
    fn untied(&self, reader: &mut FieldReader<'_>, field: &Field) -> bool {
        if !self.is_tied(field) {
            return true;
        }
        let message = format!("\"{}\" leads to the record around this one", field.name);
        reader.wrong(&field.name, "read_only", message, Some("leave it out".to_owned()));
        false
    }

    fn is_tied(&self, field: &Field) -> bool {
        self.tied.as_ref().is_some_and(|(link, _)| *link == field.id)
    }

    /// Reads the records that are made inside of this one.
    fn inside(
        &self,
        record: &mut NewRecord,
        inside: Vec<Inside<'a>>,
        errors: &mut Vec<FieldError>,
    ) -> Result<(), Error> {
        if inside.is_empty() {
            return Ok(());
        }
        let Some(depth_left) = self.depth_left.and_then(|depth| depth.checked_sub(1)) else {
            let depth_max = self.reading.limits().create_depth_max;
            let message = format!("records are made at most {depth_max} deep inside of each other");
            return Err(Error::new(ErrorKind::LimitExceeded, message).with_hint("make them in several requests"));
        };
        self.reading.count(inside.len())?;
        for one in inside {
            self.reading.may_create(one.target).map_err(|error| error.at(&one.pointer))?;
            let key = || record.key(self.collection).clone();
            let tied = if let Place::After(link) = one.place { Some((link, key())) } else { None };
            let collection = self.reading.schema().collection(one.target);
            let (reading, depth_left) = (self.reading, Some(depth_left));
            let reader = NewRecords { reading, collection, tied, depth_left, may_change: false, checked: true };
            let made = reader.read(one.json, one.pointer, errors)?;
            match one.place {
                Place::After(link) => record.after.push((link, made)),
                Place::Before(slot) => record.put_before(slot, made, collection),
            }
        }
        Ok(())
    }

    fn complete(&self, reader: &mut FieldReader<'_>, record: &mut NewRecord, sent: &[bool]) {
        let missing = |field: &&Field| !sent[field.id.0 as usize] && !self.is_tied(field);
        for field in self.collection.stored().filter(missing) {
            if let Some(value) = self.system_value(field).or_else(|| constant(field)) {
                record.values[field.id.0 as usize] = value;
            }
        }
        let mut unknown = reader.unknown();
        for field in self.collection.stored().filter(missing) {
            let at = field.id.0 as usize;
            if !record.values[at].is_null() {
                continue;
            }
            if let Some(given) = field.given() {
                if waits(given, &unknown) {
                    unknown.push(field.id);
                    record.computed.push(field.id);
                    continue;
                }
                let row = OwnFields { collection: self.collection, values: &record.values };
                match reader.set_value(given, &row, field) {
                    Some(value) => record.values[at] = value,
                    // What is computed from it would be told as wrong too.
                    None => {
                        unknown.push(field.id);
                        continue;
                    }
                }
            }
            let keyed = self.collection.system.id == Some(field.id);
            if keyed && self.collection.key == KeyKind::String {
                reader.wrong(&field.name, "required", "the id is required", None);
            } else if field.required && !keyed && record.values[at].is_null() {
                reader.wrong(&field.name, "required", format!("\"{}\" is required", field.name), None);
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
        (system.created_at == id || system.updated_at == id)
            .then_some(Value::Timestamp(self.reading.request.time_micros))
    }
}

/// Whether the value of an expression is known in the transaction alone: it follows links, or reads what is not known before.
fn waits(given: &Compiled, unknown: &[FieldId]) -> bool {
    let reads = || fields_read(&given.expr).into_iter().map(FieldId::of);
    !own_fields_only(&given.expr) || (!unknown.is_empty() && reads().any(|read| unknown.contains(&read)))
}

/// The constant that a field has where nothing is sent.
fn constant(field: &Field) -> Option<Value> {
    match (&field.set.create, &field.default) {
        (None, Some(Default::Value(value))) => Some(value.clone()),
        _ => None,
    }
}

impl NewRecord {
    /// The fields whose values only the write knows.
    pub(crate) fn unknown(&self) -> impl Iterator<Item = FieldId> + '_ {
        late_fields(&self.late).chain(self.computed.iter().copied())
    }

    /// Ties a record to this one that is made before it.
    fn put_before(&mut self, slot: Slot, made: NewRecord, collection: &Collection) {
        let key = made.key(collection).clone();
        match slot {
            Slot::Field(field) => {
                self.made.push(field);
                self.values[field.0 as usize] = key.clone();
            }
            Slot::Element(list, at) => {
                if let Some(known) = self.lists.get_mut(list).and_then(|list| list.keys.get_mut(at)) {
                    *known = key.clone();
                }
            }
            Slot::Target(_) => {}
        }
        if key.is_null() {
            self.late.push(Late { slot, source: Source::Nested(self.before.len()) });
        }
        self.before.push(made);
    }

    /// Its key, where it is known before the write.
    pub(crate) fn key(&self, collection: &Collection) -> &Value {
        collection.system.id.and_then(|id| self.values.get(id.0 as usize)).unwrap_or(&Value::Null)
    }

    /// This record and all that are made with it.
    pub(crate) fn each(&mut self, run: &mut dyn FnMut(&mut NewRecord)) {
        run(self);
        self.before.iter_mut().for_each(|record| record.each(run));
        self.after.iter_mut().for_each(|(_, record)| record.each(run));
    }
}
