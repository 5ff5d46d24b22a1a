//! Loading records from files: JSON, NDJSON, CSV. They go through the one path as an admin: checks hold, rules do not apply.
use mainstay_schema::CollectionId;

use crate::{AdminPass, Caller, Core, Error, Request};

mod arrange;
mod cells;
mod links;
mod load;
mod read;
mod second;

/// The form of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// An object of arrays by collection, or one array for a named collection.
    Json,
    /// A JSON object in each line, for a named collection.
    Ndjson,
    /// A line of names, then a line for each record, for a named collection.
    Csv,
}

/// What to load.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// What it is called in messages: the file's name.
    pub name: &'a str,
    /// The bytes.
    pub bytes: &'a [u8],
    /// Their form.
    pub format: Format,
    /// Into which collection; `None`: the names in the file say it (an object of arrays).
    pub collection: Option<CollectionId>,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Records done.
    pub done: usize,
    /// Records in all.
    pub total: usize,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// For each collection, in the order of loading.
    pub collections: Vec<CollectionReport>,
    /// What is wrong with records; nothing of the chunk that they belong to is written, nor anything behind it.
    pub errors: Vec<Problem>,
    /// What was passed over.
    pub notes: Vec<String>,
}

/// What an import did to one collection.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct CollectionReport {
    /// The type's name.
    pub collection: String,
    /// Records created.
    pub created: usize,
    /// Records not written, because something was wrong with them or with one before.
    pub skipped: usize,
}

/// One thing that is wrong with what was to be loaded.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The file.
    pub source: String,
    /// The type's name.
    pub collection: String,
    /// The line, in NDJSON and CSV.
    pub line: Option<u64>,
    /// Where in the JSON document, or which field of the line: `/skills/3/slug`.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Loads records. An error means that the source cannot be read at all; what is wrong with records is in the report.
pub async fn import(
    core: &Core,
    pass: AdminPass,
    source: Source<'_>,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Report, Error> {
    let request = request_of(pass);
    let mut report = Report::default();
    let tables = read::tables(core.schema(), source, &mut report)?;
    let mut loading = load::Loading::new(core, &request, source, tables);
    loading.find_links(&mut report).await?;
    if report.errors.is_empty() {
        loading.arrange();
        loading.run(&mut report, progress).await?;
    }
    loading.finish(&mut report);
    Ok(report)
}

/// The request that an import is.
fn request_of(pass: AdminPass) -> Request {
    let time_micros = jiff::Timestamp::now().as_microsecond();
    let caller = Caller::Admin(pass);
    Request { caller, time_micros, ip: "".into(), method: "IMPORT".into(), host: "".into(), once: None }
}
