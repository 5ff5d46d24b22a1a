//! Lines of CSV: a line of names, then a line for each record.
use std::{
    io::Read,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use csv::{ByteRecord, Reader, ReaderBuilder};
use mainstay_schema::{Collection, nearest};

use super::{Body, RECORD_BYTES_MAX, Raw, wire_name};
use crate::{
    Error,
    import::{Options, invalid},
};

/// Bytes that the reader takes at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// Stops where one record takes more bytes than a record may: a quote that is never closed would take the whole file.
struct Bounded<R> {
    input: R,
    read: Arc<AtomicU64>,
    until: Arc<AtomicU64>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.read.load(Ordering::Relaxed);
        if read > self.until.load(Ordering::Relaxed) {
            return Err(std::io::Error::other(TOO_LONG));
        }
        let count = self.input.read(buffer)?;
        self.read.store(read + count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

const TOO_LONG: &str = "the record that begins here is too long; a quote may not be closed";

/// The records of a source.
pub(in crate::import) struct Rows<'a> {
    reader: Reader<Bounded<Box<dyn Read + Send + 'a>>>,
    name: String,
    until: Arc<AtomicU64>,
    /// What the reader counts from.
    from: (u64, u64),
    count: u64,
    record: ByteRecord,
}

impl<'a> Rows<'a> {
    pub(in crate::import) fn new(
        input: Box<dyn Read + Send + 'a>,
        name: &str,
        position: u64,
        line: u64,
        count: u64,
    ) -> Rows<'a> {
        let (read, until) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let input = Bounded { input, read, until: until.clone() };
        let mut builder = ReaderBuilder::new();
        let reader = builder.has_headers(false).flexible(true).buffer_capacity(BUFFER_BYTES).from_reader(input);
        Rows { reader, name: name.to_owned(), until, from: (position, line), count, record: ByteRecord::new() }
    }

    fn read(&mut self) -> Result<bool, Error> {
        let at = self.reader.position().byte();
        self.until.store(at + RECORD_BYTES_MAX as u64, Ordering::Relaxed);
        let line = self.reader.position().line() - 1 + self.from.1;
        self.reader.read_byte_record(&mut self.record).map_err(|error| {
            let why = match error.into_kind() {
                csv::ErrorKind::Io(error) => error.to_string(),
                other => format!("{other:?}"),
            };
            invalid(format!("{}: line {line}: {why}", self.name))
        })
    }

    /// The names of the columns: the first line.
    pub(in crate::import) fn header(&mut self) -> Result<Vec<String>, Error> {
        if !self.read()? {
            return Err(invalid(format!("{} is empty: the first line names the columns", self.name)));
        }
        let names = self.record.iter().enumerate().map(|(at, name)| {
            let name = std::str::from_utf8(name).map_err(|_| {
                invalid(format!("{}: line 1: the name of column {} is not valid UTF-8", self.name, at + 1))
            })?;
            Ok(name.trim_start_matches('\u{feff}').trim().to_owned())
        });
        names.collect()
    }

    /// The next record.
    pub(super) fn next(&mut self) -> Result<Option<Raw>, Error> {
        if !self.read()? {
            return Ok(None);
        }
        let began = self.record.position().map_or(1, csv::Position::line);
        let position = self.reader.position();
        let (end, next_line) = (position.byte() + self.from.0, position.line() - 1 + self.from.1);
        let at = self.count;
        self.count += 1;
        let line = began - 1 + self.from.1;
        Ok(Some(Raw { line, at, end, next_line, body: Body::Cells(self.record.clone()) }))
    }
}

/// The fields of the columns; `None`: the column is left out.
pub(super) fn columns(
    of: &Collection,
    header: &[String],
    options: &Options,
    source: &str,
) -> Result<Vec<Option<String>>, Error> {
    let mut columns: Vec<Option<String>> = Vec::with_capacity(header.len());
    for name in header {
        let mapped = options.names.iter().find(|(from, _)| from == name).map(|(_, to)| to.clone());
        let field = match mapped {
            Some(mapped) => mapped,
            None => Some(wire_name(of, name.as_str().into()).into_owned()),
        };
        if let Some(field) = &field {
            if of.field_named(field).is_none() {
                return Err(unknown(of, name, field, source));
            }
            if columns.iter().flatten().any(|other| other == field) {
                return Err(invalid(format!("{source}: line 1: the column \"{field}\" comes twice")));
            }
        }
        columns.push(field);
    }
    Ok(columns)
}

fn unknown(of: &Collection, name: &str, field: &str, source: &str) -> Error {
    let error = invalid(format!("{source}: line 1: the column \"{name}\" is no field of \"{}\"", of.name));
    let near = nearest(field, of.fields.iter().map(|field| field.name.as_str()));
    match near {
        Some(near) => {
            error.with_hint(format!("--map {name}={near} reads it as \"{near}\", --map {name}= leaves it out"))
        }
        None => error.with_hint(format!("--map {name}=FIELD says which field it is, --map {name}= leaves it out")),
    }
}
