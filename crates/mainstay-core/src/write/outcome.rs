//! What an operation of a write answers, made from what its steps came to.
use std::sync::Arc;

use mainstay_expr::Value;
use mainstay_plan::OwnFields;
use mainstay_schema::{CollectionId, Schema, json_int};
use mainstay_store::Written;

use super::create::Ready;
use crate::{Record, gate::CallerGate, record::json::key_alone};

/// What an operation's steps are to its answer. Holds everything that the answer needs but what was written.
#[derive(Clone)]
pub(crate) enum Outcome {
    /// A new record.
    Created {
        of: CollectionId,
        step: u32,
        ready: Ready,
        read: Arc<CallerGate>,
        /// The step that reads it once all that was made with it is there.
        answer: Option<u32>,
    },
    /// A changed one.
    Updated { of: CollectionId, step: u32, own: bool },
    /// Either.
    Upserted { of: CollectionId, step: u32, ready: Option<Ready>, read: Arc<CallerGate>, own: bool },
    /// None any more.
    Deleted { of: CollectionId, step: u32 },
    /// All that match; whether the write is one that changes something.
    Matched { step: u32, changes: bool },
}

impl Outcome {
    /// The step that writes the record.
    pub(crate) fn step(&self) -> usize {
        match self {
            Outcome::Created { step, .. }
            | Outcome::Updated { step, .. }
            | Outcome::Upserted { step, .. }
            | Outcome::Deleted { step, .. }
            | Outcome::Matched { step, .. } => *step as usize,
        }
    }

    /// The answer, and whether the record is new.
    pub(crate) fn answer(self, schema: &Schema, written: &mut [Written]) -> (Record, bool) {
        let mut take = |step: u32| match written.get_mut(step as usize) {
            Some(written) => Written { key: written.key.clone(), record: written.record.take(), ..*written },
            None => Written { key: Value::Null, version: None, record: None, created: false },
        };
        match self {
            Outcome::Created { of, step, ready, read, answer } => {
                let (own, again) = (ready.prepared.own, answer.map(&mut take));
                let written = take(step);
                let record = match again {
                    Some(again) => changed(schema, of, again, own),
                    None => created(schema, of, &read, ready, written),
                };
                (record, true)
            }
            Outcome::Updated { of, step, own } => (changed(schema, of, take(step), own), false),
            Outcome::Upserted { of, step, ready, read, own } => match (take(step), ready) {
                (written @ Written { created: true, .. }, Some(ready)) => {
                    (created(schema, of, &read, ready, written), true)
                }
                (written, _) => (changed(schema, of, written, own), false),
            },
            Outcome::Deleted { of, step } => {
                let written = Written { version: None, ..take(step) };
                (changed(schema, of, written, false), false)
            }
            Outcome::Matched { step, changes } => (matched(&take(step), changes), false),
        }
    }
}

/// The answer for a new record.
fn created(schema: &Schema, of: CollectionId, read: &CallerGate, ready: Ready, written: Written) -> Record {
    let collection = schema.collection(of);
    let mut values = ready.values;
    if let Some(id) = collection.system.id {
        values[id.0 as usize] = written.key.clone();
    }
    let visible = || read.holds(schema, &OwnFields { collection, values: &values });
    let (json, own) = match (&ready.prepared.writer, written.record) {
        (Some(writer), _) if visible() => (writer.write(schema, collection, &values), true),
        (None, Some(json)) => (json, ready.prepared.own),
        _ => (key_alone(collection, &written.key), false),
    };
    Record { json, version: written.version, own, key: written.key }
}

/// The answer for a record that was there.
fn changed(schema: &Schema, of: CollectionId, written: Written, own: bool) -> Record {
    let (json, own) = match written.record {
        Some(json) => (json, own),
        None => (key_alone(schema.collection(of), &written.key), false),
    };
    Record { json, version: written.version, own, key: written.key }
}

/// How many records matched, and how many of them the write changed.
fn matched(written: &Written, changes: bool) -> Record {
    let matched = match &written.key {
        Value::List(keys) => keys.len() as i64,
        _ => 0,
    };
    let mut json = b"{\"matched\":".to_vec();
    json_int(&mut json, matched);
    json.extend_from_slice(b",\"changed\":");
    json_int(&mut json, if changes { matched } else { 0 });
    json.push(b'}');
    Record { json, version: None, own: false, key: Value::Null }
}
