//! Records of a file to records that are ready to be written: links found, values read, defaults given, checks asked.
mod linked;

use std::{borrow::Cow, collections::HashMap};

use foldhash::fast::RandomState;
use mainstay_schema::{Collection, FieldId, Json, KeyKind, Schema};
use mainstay_store::Step;
use serde_json::json;

use super::{
    Problem,
    links::{Link, Name, name_fields, name_of},
    load::Loading,
    read::{Fields, Raw, Unread},
    sum::Sum,
};
pub(super) use linked::Here;
use linked::{add_links, as_waiting};

use crate::{
    Answered, FieldError, Target, Update,
    record::{
        field::Sender,
        new::{NewRecord, NewRecords},
        reading::Reading,
    },
    run::NOT_IN_FILES,
};

/// A record of a file, understood as far as it goes alone.
pub(super) struct Understood<'r> {
    pub(super) line: u64,
    pub(super) at: u64,
    pub(super) origin: Origin<'r>,
    pub(super) read: Result<(Fields<'r>, Vec<Link<'r>>), Unread>,
}

/// Where a record is from.
#[derive(Clone, Copy)]
pub(super) enum Origin<'r> {
    File(&'r Raw),
    /// It waited; what it was in its file.
    Note(Sum),
}

impl Origin<'_> {
    fn sum(self) -> Sum {
        match self {
            Origin::File(raw) => Sum::of(raw),
            Origin::Note(sum) => sum,
        }
    }
}

/// The place of a record that waits.
#[derive(Clone, Copy)]
struct Waiting<'r> {
    line: u64,
    at: u64,
    origin: Origin<'r>,
}

impl Waiting<'_> {
    /// What its note begins with.
    fn begin(self) -> String {
        format!("{{\"line\":{},\"at\":{},\"sum\":\"{}\"", self.line, self.at, String::from(self.origin.sum()))
    }
}

/// What a record comes to.
pub(super) enum Ready {
    /// A new record.
    Create(Box<NewRecord>, OtherLinks),
    /// A change of a record that is there.
    Update(Box<Step>, OtherLinks),
    /// All of it waits, as a note.
    Waits(String),
    /// Something is wrong with it.
    Bad(Vec<Problem>),
}

impl Ready {
    /// Whether something of it waits for records that come later.
    pub(super) fn waits(&self) -> bool {
        match self {
            Ready::Create(_, others) | Ready::Update(_, others) => !others.notes.is_empty(),
            Ready::Waits(_) => true,
            Ready::Bad(_) => false,
        }
    }
}

/// Links that are not written with their record.
#[derive(Debug, Default)]
pub(super) struct OtherLinks {
    /// Those that wait for records that come later, as notes.
    pub(super) notes: Vec<String>,
    /// How many were left out.
    pub(super) left_out: u64,
}

/// The keys of the records that are there already, by the names that they are changed by.
pub(super) type There = HashMap<String, String, RandomState>;

impl Loading<'_> {
    /// Makes records ready, in their order. `here` are the keys of the records before them that are not written yet, by their names.
    pub(super) fn prepare(
        &mut self,
        part: usize,
        rows: Vec<Understood<'_>>,
        there: &There,
        here: &mut Here,
    ) -> Vec<Ready> {
        let of = self.parts[part].collection;
        let collection = self.core.schema().collection(of);
        let reading = Reading::new(self.core, self.request, Sender::File, false);
        let reader = self.core.reader(&reading, of, false);
        let own_names = self.links_to_itself(of).then(|| name_fields(collection));
        let mut readies = Vec::with_capacity(rows.len());
        for row in rows {
            let name = self.upsert.and_then(|field| self.upsert_name(of, field, &row));
            let ready = self.one(part, row, &reader, here, there);
            self.see_waiting(part, name, &ready);
            if let (Ready::Create(record, _), Some(fields)) = (&ready, &own_names) {
                let key = collection.system.id.and_then(|id| name_of(&record.values[id.0 as usize]));
                for field in fields {
                    let name = name_of(&record.values[field.0 as usize]);
                    name.zip(key.clone()).into_iter().for_each(|(name, key)| here.add(*field, name, key));
                }
            }
            readies.push(ready);
        }
        self.starts[part].waits |= readies.iter().any(|ready| matches!(ready, Ready::Waits(_)));
        readies
    }

    fn one<'r>(
        &'r self,
        part: usize,
        row: Understood<'r>,
        reader: &NewRecords<'r>,
        in_chunk: &'r Here,
        there: &There,
    ) -> Ready {
        let collection = reader.collection;
        let (line, at) = (row.line, row.at);
        let waiting = Waiting { line, at, origin: row.origin };
        let bad = |wrong: Vec<FieldError>| Ready::Bad(self.problems(part, line, at, wrong));
        let name = self.upsert.and_then(|field| self.upsert_name(collection.id, field, &row));
        let (mut fields, links) = match row.read {
            Ok(read) => read,
            Err(unread) => return bad(vec![plain_error(&unread.pointer, unread.message, None)]),
        };
        let there = self.repaired_key(part, at).or_else(|| name.as_ref().and_then(|name| there.get(name)).cloned());
        let keyed = there.is_some() || collection.key == KeyKind::Uuid || fields.iter().any(|(name, _)| name == "id");
        let linked = self.linked(part, collection, &links, in_chunk, keyed);
        if !linked.wrong.is_empty() {
            return bad(linked.wrong);
        }
        if linked.waits || self.is_behind(part, at, name.as_deref(), there.as_deref()) {
            return Ready::Waits(waiting_record(self.core.schema(), collection, waiting, (fields, links)));
        }
        fields.extend(linked.fields);
        let (mut later, mut more, left_out) = (linked.later, linked.more, linked.left_out);
        let schema = self.core.schema();
        if there.is_some() {
            // A change may have no more of them: those are added once everything is read.
            later.extend(more.drain(..).map(|(field, keys)| (field, keys.iter().filter_map(as_waiting).collect())));
        }
        let others = |key: &str| OtherLinks { notes: waiting_links(schema, collection, waiting, key, later), left_out };
        match there {
            Some(key) => match self.change(collection, &key, fields) {
                Ok(step) => Ready::Update(Box::new(step), others(&key)),
                Err(wrong) => bad(wrong),
            },
            None => match new_record(reader, &Json::Object(fields)) {
                Ok(mut record) => {
                    add_links(schema, collection, &mut record, more);
                    let key = name_of(record.key(collection)).unwrap_or_default();
                    Ready::Create(Box::new(record), others(&key))
                }
                Err(wrong) => bad(wrong),
            },
        }
    }

    /// A record that is there is changed by what a caller might send.
    fn change(&self, of: &Collection, key: &str, mut fields: Fields<'_>) -> Result<Step, Vec<FieldError>> {
        fields.retain(|(name, _)| {
            of.field_named(name).is_none_or(|field| {
                !field.system && !field.immutable && !field.read_only() && self.upsert != Some(field.id)
            })
        });
        let update = Update {
            collection: of.id,
            target: Target::Key(key.to_owned()),
            version: None,
            patch: Json::Object(fields),
            answered: Answered::default(),
        };
        self.core.step_of(self.request, &update, Sender::Caller).map_err(|error| match error.fields.is_empty() {
            true => vec![plain_error("", error.message, error.hint)],
            false => error.fields,
        })
    }
}

/// A new record, completed and checked.
pub(super) fn new_record<'j>(reader: &NewRecords<'j>, json: &'j Json<'j>) -> Result<NewRecord, Vec<FieldError>> {
    let mut wrong = Vec::new();
    match reader.read(json, String::new(), &mut wrong) {
        Ok(_) if !wrong.is_empty() => Err(wrong),
        Ok(record) if !record.late.is_empty() || !record.before.is_empty() || !record.after.is_empty() => {
            Err(vec![plain_error("", NOT_IN_FILES.to_owned(), None)])
        }
        Ok(record) => Ok(record),
        Err(error) if error.fields.is_empty() => Err(vec![plain_error("", error.message, error.hint)]),
        Err(error) => Err(error.fields),
    }
}

pub(super) fn plain_error(pointer: &str, message: String, hint: Option<String>) -> FieldError {
    FieldError { pointer: pointer.to_owned(), code: "import".to_owned(), message, hint }
}

/// A record that waits, as a note.
fn waiting_record(
    schema: &Schema,
    of: &Collection,
    waiting: Waiting<'_>,
    (mut fields, links): (Fields<'_>, Vec<Link<'_>>),
) -> String {
    for link in links {
        let target = schema.collection(link.target);
        let mut names: Vec<Json<'_>> = link.names.into_iter().map(|name| name.into_json(target)).collect();
        let value = if link.many { Some(Json::Array(names)) } else { names.pop() };
        fields.extend(value.map(|value| (Cow::Owned(of.field(link.field).name.clone()), value)));
    }
    let fields = Json::Object(fields).to_canonical();
    format!("{},\"record\":{fields}}}", waiting.begin())
}

/// Links that wait, as notes.
fn waiting_links(
    schema: &Schema,
    of: &Collection,
    waiting: Waiting<'_>,
    key: &str,
    links: Vec<(FieldId, Vec<Name<'static>>)>,
) -> Vec<String> {
    let note = |(field, names): (FieldId, Vec<Name<'static>>)| {
        let target = of.field(field).target().map_or(of, |target| schema.collection(target));
        let names = Json::Array(names.into_iter().map(|name| name.into_json(target)).collect()).to_canonical();
        let link = json!({"key": key, "field": of.field(field).name}).to_string();
        format!("{},{},\"names\":{names}}}", waiting.begin(), link.trim_matches(['{', '}']))
    };
    links.into_iter().map(note).collect()
}
