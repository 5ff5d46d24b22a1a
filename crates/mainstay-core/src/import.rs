//! Loading records from files of any size: JSON, NDJSON, CSV. They go through the one path as an admin: checks hold, rules do not apply.
//!
//! 1. Memory does not grow with the files: they are read chunk by chunk, and links are looked up for a chunk at a time.
//! 2. A chunk is written whole or not at all, in one transaction with the note of how far its source is; so a run that was killed goes
//!    on where it was, and no record comes in twice.
//! 3. What links to records that come later waits in the database until all files are read.
use std::{io::Read, path::PathBuf};

use mainstay_schema::CollectionId;

mod arrange;
mod bad;
mod behind;
mod candidate;
mod careful;
mod cells;
mod chunk;
mod first_look;
mod links;
mod load;
mod lookup;
mod mapped;
mod notes;
mod order;
mod parts;
mod prepare;
mod read;
mod remembered;
mod repair;
mod report;
mod resume;
mod sum;
mod told;
mod upsert;
mod waiting;
mod write;

pub use report::{CollectionReport, Problem, Progress, Report};

use crate::{AdminPass, Caller, Core, Error, ErrorKind, Request};

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
pub struct Source {
    /// What it is called in messages: the file's name.
    pub name: String,
    /// Where the bytes are.
    pub input: Input,
    /// Their form.
    pub format: Format,
    /// Into which collection; `None`: the names in the file say it (an object of arrays).
    pub collection: Option<CollectionId>,
}

/// Where the bytes of a source are.
pub enum Input {
    /// Here.
    Bytes(Vec<u8>),
    /// In a file.
    File(PathBuf),
    /// They come once, one after the other: such a source cannot be resumed.
    Stream(Box<dyn Read + Send>),
}

/// What to do with a link to a record that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingLinks {
    /// The record is wrong.
    #[default]
    Refuse,
    /// An optional link becomes null, a list goes without it.
    Null,
}

/// How to load.
#[derive(Clone, Debug)]
pub struct Options {
    /// Cells of CSV that are null.
    pub nulls: Vec<String>,
    /// Names of the file and the fields that they are; without a field they are left out.
    pub names: Vec<(String, Option<String>)>,
    /// The unique fields by which records that are there are changed instead of created: each `field`, of all types that have it, or
    /// `Type.field`. With any of them each type that is loaded has one.
    pub upsert: Vec<String>,
    /// What becomes of links to records that are not there.
    pub missing_links: MissingLinks,
    /// Whether it is noted how far each file is, so that a run that was killed goes on; what is loaded already is not loaded again.
    pub resumable: bool,
    /// Whether to begin at the start, whatever was loaded before.
    pub again: bool,
    /// The file that records in which something is wrong are written to, with the reasons; without it they end the import.
    pub bad: Option<PathBuf>,
    /// Names of records of one collection that are remembered with their keys; more are asked for once more.
    pub names_max: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            nulls: vec![String::new()],
            names: Vec::new(),
            upsert: Vec::new(),
            missing_links: MissingLinks::Refuse,
            resumable: false,
            again: false,
            bad: None,
            names_max: lookup::NAMES_MAX,
        }
    }
}

/// Loads records. An error means that a source cannot be read, or the database failed; what is wrong with records is in the report.
pub async fn import(
    core: &Core,
    pass: AdminPass,
    mut sources: Vec<Source>,
    options: &Options,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Report, Error> {
    let request = request_of(pass);
    let streams = sources.iter_mut().map(taken).collect();
    let mut report = Report::default();
    let parts = parts::parts(core.schema(), &sources, &mut report)?;
    let parts = arrange::arrange(core.schema(), parts);
    let held = core.store().hold_imports().map_err(crate::errors::from_store)?;
    let Some(_held) = held else {
        return Err(invalid("another import runs on this database").with_hint("wait for it, or stop it"));
    };
    core.store().prepare_notes().map_err(crate::errors::from_store)?;
    let mut loading = load::Loading::new(core, &request, &sources, options, progress)?;
    (loading.parts, loading.streams, loading.report) = (parts, streams, report);
    loading.refuse_unused_upserts()?;
    loading.look_for_names()?;
    loading.take_over().await?;
    loading.begin()?;
    if loading.is_small() && options.bad.is_none() && options.missing_links == MissingLinks::Refuse {
        loading.look_first().await?;
    }
    if loading.report.errors.is_empty() {
        loading.run().await?;
    }
    loading.leave().await?;
    Ok(loading.finish())
}

/// A stream is read by its one part.
fn taken(source: &mut Source) -> Option<Box<dyn Read + Send>> {
    match &mut source.input {
        Input::Stream(stream) => Some(std::mem::replace(stream, Box::new(std::io::empty()))),
        Input::Bytes(_) | Input::File(_) => None,
    }
}

/// The request that an import is.
fn request_of(pass: AdminPass) -> Request {
    let time_micros = jiff::Timestamp::now().as_microsecond();
    let caller = Caller::Admin(pass);
    Request { caller, time_micros, ip: "".into(), method: "IMPORT".into(), host: "".into(), id: None, once: None }
}

/// A source that is none.
fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidBody, message)
}

/// A source that cannot be read.
fn unreadable(name: &str, error: &std::io::Error) -> Error {
    invalid(format!("{name} cannot be read: {error}"))
}
