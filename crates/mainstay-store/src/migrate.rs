//! What a migration may come to, in an engine's own words or in those of people.
use serde::Serialize;

use crate::StoreError;

/// Records that are in the way of a migration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Offence {
    /// What is wrong with them.
    pub what: String,
    /// What to do about them.
    pub hint: String,
    /// Their type, as it is called in the new schema.
    pub collection: String,
    /// How many there are.
    pub count: u64,
    /// The first of them.
    pub records: Vec<Offender>,
}

/// One record that is in the way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Offender {
    /// Its key.
    pub id: serde_json::Value,
    /// What it has in the fields that matter.
    pub values: serde_json::Map<String, serde_json::Value>,
}

/// Most characters of a value that is shown.
const SHOWN_CHARS_MAX: usize = 200;

/// A value as it is shown.
pub(crate) fn shortened(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Json::String(text) => match text.char_indices().nth(SHOWN_CHARS_MAX) {
            Some((end, _)) => Json::String(format!("{}…", &text[..end])),
            None => Json::String(text),
        },
        value => value,
    }
}

/// Why a migration was not carried out; nothing of it is.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database remembers another schema than the one that the migration begins with.
    #[error("the database has changed since the steps were made")]
    Moved,
    /// A step that no engine can carry out.
    #[error("{0}")]
    Refused(String),
    /// Records are in the way.
    #[error("records are in the way: {}", .0.iter().map(|offence| offence.what.as_str()).collect::<Vec<_>>().join("; "))]
    Offences(Vec<Offence>),
    /// The tables are not what the database remembers.
    #[error("the tables were changed by hand: {}", .0.iter().map(|drift| drift.what.as_str()).collect::<Vec<_>>().join("; "))]
    Drift(Vec<Drift>),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A difference between the tables and what the database remembers of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// What is different.
    pub what: String,
    /// What it means.
    pub severity: Severity,
    /// What it comes to, and what to do.
    pub meaning: String,
}

/// How bad a difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Everything works.
    Harmless,
    /// Everything works, but slower or without a net.
    Weaker,
    /// Requests fail, or records are let in that should not be.
    Broken,
}
