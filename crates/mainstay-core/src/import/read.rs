//! Files to tables of rows, with where each row stands.
use std::borrow::Cow;

use mainstay_schema::{Collection, CollectionId, Json, JsonLimits, Schema, nearest};

use super::{Format, Report, Source, cells::cell};
use crate::{Error, ErrorKind};

/// The rows of one collection, in the order of the file.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub(super) collection: CollectionId,
    pub(super) rows: Vec<Row<'a>>,
}

/// One record of a file.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// Its fields by their names on the wire; gone once it is written.
    pub(super) fields: Vec<(Cow<'a, str>, Json<'a>)>,
    /// The line it stands in, in NDJSON and CSV.
    pub(super) line: Option<u64>,
    /// Where it stands in a JSON document: `/skills/3`.
    pub(super) pointer: String,
}

/// Reads the tables of a source.
pub(super) fn tables<'a>(schema: &Schema, source: Source<'a>, report: &mut Report) -> Result<Vec<Table<'a>>, Error> {
    match (source.format, source.collection) {
        (Format::Json, of) => json_tables(schema, source, of, report),
        (Format::Ndjson, Some(of)) => {
            Ok(vec![Table { collection: of, rows: ndjson_rows(schema.collection(of), source.bytes)? }])
        }
        (Format::Csv, Some(of)) => {
            Ok(vec![Table { collection: of, rows: csv_rows(schema.collection(of), source.bytes)? }])
        }
        (Format::Ndjson | Format::Csv, None) => {
            Err(invalid("the file does not say which collection it is for").with_hint("name the collection"))
        }
    }
}

fn json_tables<'a>(
    schema: &Schema,
    source: Source<'a>,
    of: Option<CollectionId>,
    report: &mut Report,
) -> Result<Vec<Table<'a>>, Error> {
    let json = Json::parse(source.bytes, JsonLimits::default()).map_err(|error| invalid(error.to_string()))?;
    match (json, of) {
        (Json::Array(items), Some(of)) => Ok(vec![table(schema, of, items, "")?]),
        (Json::Object(members), None) => {
            let mut tables = Vec::with_capacity(members.len());
            for (name, value) in members {
                match (collection_named(schema, &name), value) {
                    (Some(of), Json::Array(items)) => tables.push(table(schema, of, items, &format!("/{name}"))?),
                    (None, Json::Array(_)) => return Err(unknown_collection(schema, &name)),
                    (_, other) => {
                        report.notes.push(format!("\"{name}\" is {}, not a list, and was passed over", other.kind()))
                    }
                }
            }
            Ok(tables)
        }
        (Json::Array(_), None) => {
            Err(invalid("the file holds a list, but not of what").with_hint("name the collection"))
        }
        (other, _) => Err(invalid(format!("the file holds {}, not a list of records", other.kind()))),
    }
}

fn table<'a>(schema: &Schema, of: CollectionId, items: Vec<Json<'a>>, place: &str) -> Result<Table<'a>, Error> {
    let collection = schema.collection(of);
    let row = |(at, item): (usize, Json<'a>)| row(collection, item, None, format!("{place}/{at}"));
    let rows = items.into_iter().enumerate().map(row).collect::<Result<_, _>>()?;
    Ok(Table { collection: of, rows })
}

fn ndjson_rows<'a>(collection: &Collection, bytes: &'a [u8]) -> Result<Vec<Row<'a>>, Error> {
    let mut rows = Vec::new();
    for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let number = at as u64 + 1;
        let json = Json::parse(line, JsonLimits::default())
            .map_err(|error| invalid(format!("line {number}: {} at column {}", error.message, error.column)))?;
        rows.push(row(collection, json, Some(number), String::new())?);
    }
    Ok(rows)
}

fn csv_rows<'a>(collection: &Collection, bytes: &'a [u8]) -> Result<Vec<Row<'a>>, Error> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().from_reader(bytes);
    let names = reader.headers().map_err(|error| invalid(error.to_string()))?.clone();
    let fields: Vec<Cow<'static, str>> = names.iter().map(|name| field_name(collection, name.trim().into())).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| invalid(error.to_string()))?;
        let line = record.position().map(csv::Position::line);
        let cells = fields.iter().zip(record.iter());
        let fields = cells.filter_map(|(name, text)| Some((name.clone(), cell(collection.field_named(name), text)?)));
        rows.push(Row { fields: fields.collect(), line, pointer: String::new() });
    }
    Ok(rows)
}

fn row<'a>(collection: &Collection, json: Json<'a>, line: Option<u64>, pointer: String) -> Result<Row<'a>, Error> {
    let Json::Object(members) = json else {
        let place = line.map_or_else(|| pointer.clone(), |line| format!("line {line}"));
        return Err(invalid(format!("{place} holds {}, not a record", json.kind())));
    };
    let fields = members.into_iter().map(|(name, value)| (wire_name(collection, name), value)).collect();
    Ok(Row { fields, line, pointer })
}

/// The name on the wire of a field that is named so, or by its column.
fn wire_name<'a>(collection: &Collection, name: Cow<'a, str>) -> Cow<'a, str> {
    if collection.by_name.contains_key(&*name) {
        return name;
    }
    match collection.fields.iter().find(|field| mainstay_schema::snake_case(&field.name) == *name) {
        Some(field) => Cow::Owned(field.name.clone()),
        None => name,
    }
}

fn field_name(collection: &Collection, name: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(wire_name(collection, name).into_owned())
}

/// The collection of a path, a type name or a table.
fn collection_named(schema: &Schema, name: &str) -> Option<CollectionId> {
    let by_table =
        || schema.collections.iter().find(|collection| collection.table == name).map(|collection| collection.id);
    schema.by_path.get(name).or_else(|| schema.by_name.get(name)).copied().or_else(by_table)
}

fn unknown_collection(schema: &Schema, name: &str) -> Error {
    let error = invalid(format!("no collection named \"{name}\""));
    match nearest(name, schema.collections.iter().map(|collection| collection.path.as_str())) {
        Some(near) => error.with_hint(format!("did you mean \"{near}\"?")),
        None => error,
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidBody, message)
}
