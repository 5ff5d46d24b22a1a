//! How far each source is, as it is noted in the database.
use std::collections::{BTreeMap, BTreeSet};

use mainstay_expr::Value;
use mainstay_plan::Note;
use mainstay_store::{LateValue, Source, Step};
use serde::{Deserialize, Serialize};

use super::sum::Sum;
use crate::{Core, Error};

/// Sources that are remembered beside those that are loaded; of more the oldest are forgotten.
pub(super) const SOURCES_MAX: usize = 1_000;

/// Records of a source that are remembered as wrong, so that they can be repaired where they stand.
pub(super) const WRONG_MAX: usize = 1_000;

/// Records of a source that are remembered as having been done.
pub(super) const SOME_MAX: usize = 16;

/// What waits, as its note says it.
#[derive(Clone, Debug)]
pub(super) enum Waits {
    /// All that it says is known.
    Whole(String),
    /// What it says before and behind the key of its record, which is counted by the same write.
    AroundKey([String; 2]),
}

/// How far a source is.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct State {
    /// The type's name.
    pub(super) collection: String,
    /// What the source was called.
    pub(super) name: String,
    /// The byte behind the last record that was done, and that one's line.
    pub(super) position: u64,
    pub(super) line: u64,
    /// Records read.
    pub(super) count: u64,
    /// The SHA-256 of the bytes before.
    pub(super) digest: String,
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) links_left_out: u64,
    /// Bytes of the file of bad records.
    pub(super) bad_bytes: u64,
    /// Whether all of it is done, what waited too.
    pub(super) done: bool,
    /// Which file it is, and which array of it; empty where it is none.
    pub(super) place: String,
    /// Some of the records that were done: those with the smallest sums. A source that holds one of them was here before.
    pub(super) some: BTreeSet<Sum>,
    /// All records that were done but for those put aside, and the names of columns.
    pub(super) sum: Sum,
    /// Records that were put aside, by their numbers; with the key of one that was written, and is wrong only in its links.
    pub(super) aside: BTreeMap<u64, Option<String>>,
    /// Records that were told to be wrong and waited on; those whose notes are gone are written by now.
    pub(super) wrong: BTreeMap<u64, Sum>,
    /// What some of those are known by that are in, where all records were wrong.
    pub(super) known_by: BTreeMap<u64, Sum>,
    /// Whether more records were wrong than are remembered.
    pub(super) more_wrong: bool,
    /// Whether it was loaded with what was loaded before once more.
    pub(super) again: bool,
    /// Whether records that were repaired may not be in yet: then it is not enough that the bytes are the same.
    pub(super) repairing: bool,
}

impl State {
    /// Whether records were read and none came in, but for those that may wait.
    pub(super) fn has_nothing(&self) -> bool {
        self.count > 0 && self.created == 0 && self.updated == 0
    }

    /// Records that are in, as far as it is known: one that was changed once more is one record.
    pub(super) fn loaded(&self) -> u64 {
        let out = self.aside.values().filter(|key| key.is_none()).count() as u64;
        (self.created + self.updated).min(self.count.saturating_sub(out))
    }

    /// Adds a record that is done.
    pub(super) fn add(&mut self, sum: Sum) {
        self.sum.add(sum);
        if self.some.len() < SOME_MAX || self.some.last().is_some_and(|last| sum < *last) {
            self.some.insert(sum);
        }
        if self.some.len() > SOME_MAX {
            self.some.pop_last();
        }
    }

    /// Takes away a record that was added.
    pub(super) fn subtract(&mut self, sum: Sum) {
        self.sum.subtract(sum);
        self.some.remove(&sum);
    }

    /// Remembers a record that is put aside; whether it was none of these before.
    pub(super) fn put_aside(&mut self, at: u64, key: Option<String>) -> bool {
        self.wrong.remove(&at);
        self.more_wrong |= self.is_full() && !self.aside.contains_key(&at);
        !self.more_wrong && self.aside.insert(at, key).is_none()
    }

    /// Remembers a record that was done and is to come in once more, as one that is put aside, as far as there is room.
    pub(super) fn load_again(&mut self, at: u64, sum: Sum) {
        if !self.is_full() && self.aside.insert(at, None).is_none() {
            self.subtract(sum);
        }
    }

    /// Remembers a record that waits and is wrong.
    pub(super) fn tell_wrong(&mut self, at: u64, sum: Sum) {
        self.more_wrong |= self.is_full() && !self.wrong.contains_key(&at);
        if !self.more_wrong {
            self.wrong.insert(at, sum);
        }
    }

    fn is_full(&self) -> bool {
        self.aside.len() + self.wrong.len() >= WRONG_MAX
    }
}

impl Core {
    /// A step that notes that an import begins.
    pub(super) fn note_begun(&self, import: &str) -> Result<Step, Error> {
        self.note(Note::Begun, vec![Value::text(import)])
    }

    /// A step that fails where another import has begun since.
    pub(super) fn note_holds(&self, import: &str) -> Result<Step, Error> {
        self.note(Note::Holds, vec![Value::text(import)])
    }

    /// A step that notes that an import has ended.
    pub(super) fn note_ended(&self, import: &str) -> Result<Step, Error> {
        self.note(Note::Ended, vec![Value::text(import)])
    }

    /// A step that notes how far a source is.
    pub(super) fn note_reached(&self, id: &str, state: &State) -> Result<Step, Error> {
        let text = serde_json::to_string(state).map_err(|error| Error::internal(error.to_string()))?;
        self.note(Note::Reached, vec![Value::text(id), Value::text(text)])
    }

    /// A step that notes what waits, of the record that this step of the same write makes.
    pub(super) fn note_waits(&self, id: &str, what: &Waits, record: u32) -> Result<Step, Error> {
        match what {
            Waits::Whole(text) => self.note(Note::Waits, vec![Value::text(id), Value::text(text.as_str())]),
            Waits::AroundKey([before, behind]) => {
                let values =
                    vec![Value::text(id), Value::text(before.as_str()), Value::Null, Value::text(behind.as_str())];
                let key = LateValue { value: 2, element: None, source: Source::Record(record) };
                self.note_late(Note::WaitsOf, values, vec![key])
            }
        }
    }

    /// A step that notes that something waits no more.
    pub(super) fn note_settled(&self, number: i64) -> Result<Step, Error> {
        self.note(Note::Settled, vec![Value::Int(number)])
    }

    /// A step that forgets a source.
    pub(super) fn note_forgotten(&self, id: &str) -> Result<Step, Error> {
        self.note(Note::Forgotten, vec![Value::text(id)])
    }

    /// The sources that are noted, the oldest first. What cannot be read is nothing that we go on from.
    pub(super) fn noted(&self) -> Result<Vec<(String, State)>, Error> {
        let noted = self.store().noted_sources().map_err(crate::errors::from_store)?;
        Ok(noted.into_iter().filter_map(|(id, text)| Some((id, serde_json::from_str(&text).ok()?))).collect())
    }
}
