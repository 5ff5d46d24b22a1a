//! How far each source is, as it is noted in the database.
use mainstay_expr::Value;
use mainstay_plan::Note;
use mainstay_store::Step;
use serde::{Deserialize, Serialize};

use crate::{Core, Error};

/// Sources that are remembered; of the others the oldest are forgotten.
pub(super) const SOURCES_MAX: usize = 1_000;

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
    pub(super) bad: u64,
    pub(super) links_left_out: u64,
    /// Bytes of the file of bad records.
    pub(super) bad_bytes: u64,
    /// Whether all of it is done, what waited too.
    pub(super) done: bool,
}

impl Core {
    /// A step that notes how far a source is.
    pub(super) fn note_reached(&self, id: &str, state: &State) -> Result<Step, Error> {
        let text = serde_json::to_string(state).map_err(|error| Error::internal(error.to_string()))?;
        self.note(Note::Reached, vec![Value::text(id), Value::text(text)])
    }

    /// A step that notes what waits.
    pub(super) fn note_waits(&self, id: &str, what: &str) -> Result<Step, Error> {
        self.note(Note::Waits, vec![Value::text(id), Value::text(what)])
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
