//! What an import did, and what is wrong.

/// Problems that are kept; the others are counted.
pub(super) const PROBLEMS_MAX: usize = 100;

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Records done.
    pub records: u64,
    /// Bytes of the sources that are done.
    pub bytes: u64,
    /// Bytes in all, as far as they are known.
    pub bytes_all: u64,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// For each source and collection, in the order of the sources.
    pub collections: Vec<CollectionReport>,
    /// What is wrong with records, the first of it; nothing of the chunk that they belong to is written, nor anything behind it.
    pub errors: Vec<Problem>,
    /// Records that were put aside, because something is wrong with them.
    pub bad: u64,
    /// What was passed over.
    pub notes: Vec<String>,
}

/// What an import did to one collection.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CollectionReport {
    /// The source.
    pub source: String,
    /// The type's name.
    pub collection: String,
    /// Records created.
    pub created: u64,
    /// Records changed.
    pub updated: u64,
    /// Records of the same file that earlier runs had brought in.
    pub already: u64,
    /// Records that were read and not written, because something was wrong with them or with one beside.
    pub skipped: u64,
    /// Records that were written, and are wrong in links that waited: they are without these.
    pub incomplete: u64,
    /// Links left out, because they led to records that are not there.
    pub links_left_out: u64,
}

/// One thing that is wrong with what was to be loaded.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The file.
    pub source: String,
    /// The type's name.
    pub collection: String,
    /// The line that the record begins in.
    pub line: Option<u64>,
    /// Where in the JSON document, or which field of the line: `/skills/3/slug`.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Report {
    /// Notes problems, as long as there is room.
    pub(super) fn problems(&mut self, problems: impl IntoIterator<Item = Problem>) {
        for problem in problems {
            if self.errors.len() < PROBLEMS_MAX {
                self.errors.push(problem);
            } else if self.errors.len() == PROBLEMS_MAX && !self.notes.iter().any(|note| note.starts_with("these are"))
            {
                self.notes.push(format!("these are the first {PROBLEMS_MAX} problems"));
            }
        }
    }
}
