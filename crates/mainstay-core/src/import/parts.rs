//! Sources to parts: a part holds the records of one collection, one after the other.
use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
};

use mainstay_schema::{CollectionId, Schema, nearest};

use super::{
    Format, Input, Report, Source, invalid,
    read::json::{Member, Scanner},
    unreadable,
};
use crate::Error;

/// Records of one collection in one source.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Which source.
    pub(super) source: usize,
    pub(super) collection: CollectionId,
    pub(super) format: Format,
    /// Of an array inside of an object: where it stands, `/skills`.
    pub(super) pointer: String,
    /// The byte at which it begins, and the line.
    pub(super) start: u64,
    pub(super) line: u64,
    /// How many bytes it has, as far as that is known.
    pub(super) bytes: u64,
}

/// The parts of all sources, in their order.
pub(super) fn parts(schema: &Schema, sources: &[Source], report: &mut Report) -> Result<Vec<Part>, Error> {
    let mut parts = Vec::with_capacity(sources.len());
    for (at, source) in sources.iter().enumerate() {
        let bytes = length(source)?;
        match (source.format, source.collection) {
            (Format::Ndjson | Format::Csv, Some(collection)) => parts.push(Part {
                source: at,
                collection,
                format: source.format,
                pointer: String::new(),
                start: 0,
                line: 1,
                bytes,
            }),
            (Format::Ndjson | Format::Csv, None) => {
                let error = invalid("the file does not say which collection it is for");
                return Err(error.with_hint("name the collection"));
            }
            (Format::Json, of) => json_parts(schema, at, source, of, report, &mut parts)?,
        }
    }
    Ok(parts)
}

/// How many bytes a source has; of a stream nobody knows.
pub(super) fn length(source: &Source) -> Result<u64, Error> {
    match &source.input {
        Input::Bytes(bytes) => Ok(bytes.len() as u64),
        Input::File(path) => {
            std::fs::metadata(path).map(|file| file.len()).map_err(|error| unreadable(&source.name, &error))
        }
        Input::Stream(_) => Ok(0),
    }
}

/// The bytes of a source from there on; `None` of a stream.
pub(super) fn open(source: &Source, at: u64) -> Result<Option<Box<dyn Read + Send + '_>>, Error> {
    Ok(Some(match &source.input {
        Input::Bytes(bytes) => Box::new(bytes.get(usize::try_from(at).unwrap_or(usize::MAX)..).unwrap_or_default()),
        Input::File(path) => {
            let failed = |error: std::io::Error| unreadable(&source.name, &error);
            let mut file = File::open(path).map_err(failed)?;
            file.seek(SeekFrom::Start(at)).map_err(failed)?;
            Box::new(file)
        }
        Input::Stream(_) => return Ok(None),
    }))
}

fn json_parts(
    schema: &Schema,
    at: usize,
    source: &Source,
    of: Option<CollectionId>,
    report: &mut Report,
    parts: &mut Vec<Part>,
) -> Result<(), Error> {
    let part = |collection, pointer, start, line, bytes| Part {
        source: at,
        collection,
        format: Format::Json,
        pointer,
        start,
        line,
        bytes,
    };
    let Some(input) = open(source, 0)? else {
        let of = of.ok_or_else(|| {
            invalid("an object of arrays cannot come as a stream")
                .with_hint("name the collection, or save it as a file")
        })?;
        parts.push(part(of, String::new(), 0, 1, 0));
        return Ok(());
    };
    let mut scanner = Scanner::new(input, &source.name, 0, 1);
    match (scanner.peek()?, of) {
        (Some(b'['), Some(of)) => {
            parts.push(part(of, String::new(), 0, 1, length(source)?));
            Ok(())
        }
        (Some(b'['), None) => Err(invalid("the file holds a list, but not of what").with_hint("name the collection")),
        (Some(b'{'), None) => {
            for (found, of) in lists(schema, source, scanner.members()?, report)? {
                let bytes = found.end - found.start;
                parts.push(part(of, format!("/{}", found.name), found.start, found.line, bytes));
            }
            Ok(())
        }
        (None, _) => Err(invalid(format!("{} is empty", source.name))),
        (Some(_), _) => Err(invalid(format!("the file holds {}, not a list of records", scanner.kind()?))),
    }
}

/// Members of a source that are told of as passed over; the others are counted.
const PASSED_OVER_MAX: usize = 20;

/// The members that are lists, with their collections; what the others are is told.
fn lists(
    schema: &Schema,
    source: &Source,
    members: Vec<Member>,
    report: &mut Report,
) -> Result<Vec<(Member, CollectionId)>, Error> {
    let (mut lists, mut passed_over) = (Vec::new(), 0_usize);
    for member in members {
        match (collection_named(schema, &member.name), member.kind) {
            (Some(of), "an array") => lists.push((member, of)),
            (None, "an array") => return Err(unknown_collection(schema, &member.name)),
            (_, kind) => {
                passed_over += 1;
                let told = || format!("\"{}\" is {kind}, not a list, and was passed over", member.name);
                report.notes.extend((passed_over <= PASSED_OVER_MAX).then(told));
            }
        }
    }
    let more = passed_over.saturating_sub(PASSED_OVER_MAX);
    let told = || format!("{more} more of {} are no lists, and were passed over", source.name);
    report.notes.extend((more > 0).then(told));
    Ok(lists)
}

/// Collections that a hint names at most.
const NAMED_MAX: usize = 20;

/// The collection of a path, a type name or a table.
fn collection_named(schema: &Schema, name: &str) -> Option<CollectionId> {
    let by_table =
        || schema.collections.iter().find(|collection| collection.table == name).map(|collection| collection.id);
    schema.by_path.get(name).or_else(|| schema.by_name.get(name)).copied().or_else(by_table)
}

fn unknown_collection(schema: &Schema, name: &str) -> Error {
    let error = invalid(format!("no collection named \"{name}\""));
    let paths = || schema.collections.iter().map(|collection| collection.path.as_str());
    match nearest(name, paths()) {
        Some(near) => error.with_hint(format!("did you mean \"{near}\"?")),
        None => {
            let more = if paths().count() > NAMED_MAX { ", …" } else { "" };
            let named: Vec<&str> = paths().take(NAMED_MAX).collect();
            error.with_hint(format!("one of {}{more}", named.join(", ")))
        }
    }
}
