//! Records of a file to records that are ready to be written: links found, values read, defaults given, checks asked.
mod linked;

use std::{borrow::Cow, collections::HashMap};

use foldhash::fast::RandomState;
use mainstay_schema::{Collection, FieldId, Json, Schema};
use mainstay_store::Step;
use serde_json::json;

use super::{
    first_look::{checks_links, stands_in},
    links::{Link, Name, name_fields, name_of},
    load::Loading,
    notes::Waits,
    read::{Fields, Raw, Unread},
    sum::Sum,
};
pub(super) use linked::Here;
use linked::{Linked, add_links, as_waiting};

use crate::{
    Answered, FieldError, Target, Update,
    record::{
        field::Sender,
        new::{NewRecord, NewRecords, Purpose},
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
    /// It waited; what it was in its file, and its key where it is written.
    Note(Sum, Option<&'r str>),
}

impl Origin<'_> {
    fn sum(self) -> Sum {
        match self {
            Origin::File(raw) => Sum::of(raw),
            Origin::Note(sum, _) => sum,
        }
    }

    fn key(self) -> Option<String> {
        match self {
            Origin::File(_) => None,
            Origin::Note(_, key) => key.map(str::to_owned),
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
#[derive(Clone)]
pub(super) enum Ready {
    /// A new record.
    Create(Box<NewRecord>, OtherLinks),
    /// A change of a record that is there.
    Update(Box<Step>, OtherLinks),
    /// All of it waits.
    Waits(Waits),
    /// Something is wrong with it.
    Bad(Vec<FieldError>),
}

impl Ready {
    /// Whether something of it waits for records that come later.
    pub(super) fn waits(&self) -> bool {
        match self {
            Ready::Create(_, others) | Ready::Update(_, others) => !others.waiting.is_empty(),
            Ready::Waits(_) => true,
            Ready::Bad(_) => false,
        }
    }
}

/// Links that are not written with their record.
#[derive(Clone, Debug, Default)]
pub(super) struct OtherLinks {
    /// Those that wait for records that come later.
    pub(super) waiting: Vec<Waits>,
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
        let reader = self.core.reader(&reading, of, Purpose::Load);
        let own_names = self.links_to_itself(of).then(|| name_fields(collection));
        let mut readies = Vec::with_capacity(rows.len());
        for row in rows {
            let name = self.upsert.and_then(|field| self.upsert_name(of, field, &row));
            let at = row.at;
            let ready = self.one(part, row, &reader, here, there);
            self.see_waiting(part, at, name, &ready);
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
        let at = row.at;
        let waiting = Waiting { line: row.line, at, origin: row.origin };
        let name = self.upsert.and_then(|field| self.upsert_name(collection.id, field, &row));
        let (mut fields, links) = match row.read {
            Ok(read) => read,
            Err(unread) => return Ready::Bad(vec![plain_error(&unread.pointer, unread.message, None)]),
        };
        let written = row.origin.key().or_else(|| self.repaired_key(part, at));
        let there = written.clone().or_else(|| name.as_ref().and_then(|name| there.get(name)).cloned());
        let linked = self.linked(part, collection, (&fields, &links), in_chunk);
        if !linked.wrong.is_empty() {
            return Ready::Bad(linked.wrong);
        }
        let schema = self.core.schema();
        // A check may need a link that comes later.
        let is_checked_later = checks_links(collection, linked.later.iter().map(|(field, _)| *field));
        let is_behind = self.is_behind(part, at, name.as_deref(), there.as_deref());
        if linked.waits
            || is_behind
            || is_checked_later && (there.is_some() || self.needs(reader, &fields, &links, &linked))
        {
            return Ready::Waits(waiting_record(schema, collection, waiting, written.as_deref(), (fields, links)));
        }
        fields.extend(linked.fields);
        let (mut later, mut more, left_out) = (linked.later, linked.more, linked.left_out);
        if there.is_some() {
            // A change may have no more of them: those are added once everything is read.
            later.extend(more.drain(..).map(|(field, keys)| (field, keys.iter().filter_map(as_waiting).collect())));
        }
        let others = |key: Option<&str>| OtherLinks {
            waiting: waiting_links(schema, collection, waiting, key, later),
            left_out,
        };
        match there {
            Some(key) => match self.change(collection, &key, fields) {
                Ok(step) => Ready::Update(Box::new(step), others(Some(&key))),
                Err(wrong) => Ready::Bad(wrong),
            },
            None => match new_record(reader, &Json::Object(fields)) {
                Ok(mut record) => {
                    add_links(schema, collection, &mut record, more);
                    let key = name_of(record.key(collection));
                    Ready::Create(Box::new(record), others(key.as_deref()))
                }
                Err(wrong) => Ready::Bad(wrong),
            },
        }
    }

    /// Whether a new record is refused without its links that come later, and may be right with them.
    fn needs(&self, reader: &NewRecords<'_>, fields: &Fields<'_>, links: &[Link<'_>], linked: &Linked<'_>) -> bool {
        let now = fields.iter().chain(&linked.fields).cloned().collect();
        let with_all = fields.iter().cloned().chain(stands_in(self.core.schema(), reader.collection, links)).collect();
        let unchecked = NewRecords { checked: false, ..reader.clone() };
        new_record(reader, &Json::Object(now)).is_err() && new_record(&unchecked, &Json::Object(with_all)).is_ok()
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

/// A record that waits; its key where it is written.
fn waiting_record(
    schema: &Schema,
    of: &Collection,
    waiting: Waiting<'_>,
    key: Option<&str>,
    (mut fields, links): (Fields<'_>, Vec<Link<'_>>),
) -> Waits {
    for link in links {
        let target = schema.collection(link.target);
        let mut names: Vec<Json<'_>> = link.names.into_iter().map(|name| name.into_json(target)).collect();
        let value = if link.many { Some(Json::Array(names)) } else { names.pop() };
        fields.extend(value.map(|value| (Cow::Owned(of.field(link.field).name.clone()), value)));
    }
    let fields = Json::Object(fields).to_canonical();
    let key = key.map_or_else(String::new, |key| format!(",\"key\":{}", json!(key)));
    Waits::Whole(format!("{}{key},\"record\":{fields}}}", waiting.begin()))
}

/// Links that wait, of the record of this key, or of the one whose key is counted by the same write.
fn waiting_links(
    schema: &Schema,
    of: &Collection,
    waiting: Waiting<'_>,
    key: Option<&str>,
    links: Vec<(FieldId, Vec<Name<'static>>)>,
) -> Vec<Waits> {
    let note = |(field, names): (FieldId, Vec<Name<'static>>)| {
        let target = of.field(field).target().map_or(of, |target| schema.collection(target));
        let names = Json::Array(names.into_iter().map(|name| name.into_json(target)).collect()).to_canonical();
        let (begin, field) = (waiting.begin(), json!(of.field(field).name));
        let link = format!("\"field\":{field},\"names\":{names}}}");
        match key {
            Some(key) => Waits::Whole(format!("{begin},\"key\":{},{link}", json!(key))),
            None => Waits::AroundKey([format!("{begin},\"key\":\""), format!("\",{link}")]),
        }
    };
    links.into_iter().map(note).collect()
}
