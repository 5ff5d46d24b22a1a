//! Records of a part, one after the other, as they stand in the source.
use std::borrow::Cow;

use mainstay_schema::{Collection, Field, Json, JsonLimits};

use super::{Format, Input, Options, Source, cells::cell, invalid, parts::Part};
use crate::Error;

pub(super) mod csv;
pub(super) mod json;
mod ndjson;

/// Bytes of one record at most.
pub(super) const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Characters of a record that are shown where it is wrong.
const SHOWN_MAX: usize = 10_000;

/// One record as it stands in the source.
#[derive(Debug)]
pub(super) struct Raw {
    /// The line that it begins in.
    pub(super) line: u64,
    /// The how manieth it is, from 0.
    pub(super) at: u64,
    /// The byte behind it, and that one's line.
    pub(super) end: u64,
    pub(super) next_line: u64,
    pub(super) body: Body,
}

/// What a record is made of.
#[derive(Debug)]
pub(super) enum Body {
    /// A JSON value.
    Json(Vec<u8>),
    /// Cells.
    Cells(::csv::ByteRecord),
    /// It is longer than a record may be.
    TooLong,
}

/// The fields of a record, by their names on the wire.
pub(super) type Fields<'r> = Vec<(Cow<'r, str>, Json<'r>)>;

/// Why a record cannot be read: where in it, and what is wrong.
#[derive(Clone, Debug)]
pub(super) struct Unread {
    pub(super) pointer: String,
    pub(super) message: String,
}

/// Where in a part to begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) position: u64,
    pub(super) line: u64,
    /// How many records stand before.
    pub(super) count: u64,
}

/// The records of a part.
pub(super) struct Records<'a> {
    kind: Kind<'a>,
    /// The columns of CSV, and what they are called.
    columns: Vec<Option<String>>,
    header: Vec<String>,
}

enum Kind<'a> {
    Lines(ndjson::Lines<'a>),
    Elements(json::Elements<'a>),
    Rows(Box<csv::Rows<'a>>),
}

impl<'a> Records<'a> {
    /// From the start of a part, or from a place inside it.
    pub(super) fn open(
        of: &Collection,
        part: &Part,
        source: &'a Source,
        options: &Options,
        place: Option<Place>,
        stream: Option<Box<dyn std::io::Read + Send>>,
    ) -> Result<Records<'a>, Error> {
        let name = &source.name;
        let begin = place.unwrap_or(Place { position: part.start, line: part.line, count: 0 });
        let Place { position, line, count } = begin;
        let input = |at| match &source.input {
            Input::Stream(_) => Ok(None),
            _ => super::parts::open(source, at),
        };
        let input = match input(position)? {
            Some(input) => input,
            None => stream.ok_or_else(|| invalid(format!("{name} was read already")))?,
        };
        let (mut columns, mut header) = (Vec::new(), Vec::new());
        let kind = match part.format {
            Format::Ndjson => Kind::Lines(ndjson::Lines::new(input, name, position, line, count)),
            Format::Json => {
                let scanner = json::Scanner::new(input, name, position, line);
                Kind::Elements(json::Elements::new(scanner, count, part.pointer.is_empty()))
            }
            Format::Csv => {
                let mut rows = csv::Rows::new(input, name, position, line, count);
                header = match (place, super::parts::open(source, 0)?) {
                    (Some(_), Some(start)) => csv::Rows::new(start, name, 0, 1, 0).header()?,
                    _ => rows.header()?,
                };
                columns = csv::columns(of, &header, options, name)?;
                Kind::Rows(Box::new(rows))
            }
        };
        Ok(Records { kind, columns, header })
    }

    /// The next record.
    pub(super) fn next(&mut self) -> Result<Option<Raw>, Error> {
        match &mut self.kind {
            Kind::Lines(lines) => lines.next(),
            Kind::Elements(elements) => elements.next(),
            Kind::Rows(rows) => rows.next(),
        }
    }

    /// The names of the columns of CSV.
    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    /// How records are understood.
    pub(super) fn columns(&self) -> &[Option<String>] {
        &self.columns
    }
}

/// Understands a record.
pub(super) fn fields<'r>(
    of: &Collection,
    columns: &'r [Option<String>],
    options: &Options,
    raw: &'r Raw,
) -> Result<Fields<'r>, Unread> {
    let unread = |message: String| Unread { pointer: String::new(), message };
    match &raw.body {
        Body::TooLong => Err(unread(format!("the record has more than {RECORD_BYTES_MAX} bytes"))),
        Body::Cells(cells) => cell_fields(of, columns, options, cells),
        Body::Json(bytes) => match Json::parse(bytes, JsonLimits::default()) {
            Ok(Json::Object(members)) => named(of, options, members),
            Ok(other) => Err(unread(format!("expected an object, got {}", other.kind()))),
            Err(error) => {
                let line = error.line as u64 - 1 + raw.line;
                let line = if line == raw.line { String::new() } else { format!("line {line} ") };
                Err(unread(format!("{} at {line}column {}", error.message, error.column)))
            }
        },
    }
}

fn cell_fields<'r>(
    of: &Collection,
    columns: &'r [Option<String>],
    options: &Options,
    cells: &'r ::csv::ByteRecord,
) -> Result<Fields<'r>, Unread> {
    if cells.len() != columns.len() {
        let message = format!("the line has {} cells, the first line has {} names", cells.len(), columns.len());
        return Err(Unread { pointer: String::new(), message });
    }
    let mut fields = Vec::with_capacity(columns.len() + 1);
    for (at, (name, bytes)) in columns.iter().zip(cells).enumerate() {
        let Some(name) = name else { continue };
        let text = std::str::from_utf8(bytes).map_err(|_| Unread {
            pointer: format!("/{name}"),
            message: format!("column {} is not valid UTF-8", at + 1),
        })?;
        let field: Option<&Field> = of.field_named(name);
        let null = options.nulls.iter().any(|null| null == text);
        fields.extend(cell(field, text, null).map(|value| (Cow::Borrowed(name.as_str()), value)));
    }
    Ok(fields)
}

/// The members by their names on the wire.
fn named<'r>(of: &Collection, options: &Options, members: Fields<'r>) -> Result<Fields<'r>, Unread> {
    let plain = options.names.is_empty() && members.iter().all(|(name, _)| of.by_name.contains_key(&**name));
    if plain {
        return Ok(members);
    }
    let mut fields: Fields<'r> = Vec::with_capacity(members.len());
    for (name, value) in members {
        let mapped = options.names.iter().find(|(from, _)| *from == name).map(|(_, to)| to.clone());
        let Some(name) = mapped.map_or_else(|| Some(wire_name(of, name)), |to| to.map(Cow::Owned)) else { continue };
        // Where there are more, some of them are no fields, which is told of them.
        if fields.len() <= of.fields.len() && fields.iter().any(|(known, _)| *known == name) {
            let message = "the field comes twice, under several names".to_owned();
            return Err(Unread { pointer: format!("/{name}"), message });
        }
        fields.push((name, value));
    }
    Ok(fields)
}

/// The name on the wire of a field that is named so, or by its column.
pub(super) fn wire_name<'a>(of: &Collection, name: Cow<'a, str>) -> Cow<'a, str> {
    if of.by_name.contains_key(&*name) {
        return name;
    }
    match of.fields.iter().find(|field| mainstay_schema::snake_case(&field.name) == *name) {
        Some(field) => Cow::Owned(field.name.clone()),
        None => name,
    }
}

impl Raw {
    /// The record as it is, as far as it can be shown.
    pub(super) fn shown(&self) -> String {
        let text = match &self.body {
            Body::TooLong => String::new(),
            Body::Json(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Body::Cells(cells) => {
                let mut writer = ::csv::Writer::from_writer(Vec::new());
                // Writing into memory does not fail.
                let _ = writer.write_byte_record(cells);
                String::from_utf8_lossy(&writer.into_inner().unwrap_or_default()).trim_end().to_owned()
            }
        };
        match text.char_indices().nth(SHOWN_MAX) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }

    /// How many bytes it takes.
    pub(super) fn size(&self) -> usize {
        match &self.body {
            Body::Json(bytes) => bytes.len(),
            Body::Cells(cells) => cells.as_slice().len() + 16 * cells.len(),
            Body::TooLong => 0,
        }
    }
}
