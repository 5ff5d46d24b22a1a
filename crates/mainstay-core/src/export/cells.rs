//! Records as lines of CSV.
use mainstay_schema::{Collection, FieldKind, Json, JsonLimits, Scalar};

use crate::plan::export::exported;

/// Writes exported records as CSV.
pub struct CsvWriter {
    writer: csv::Writer<Vec<u8>>,
    /// The names of the columns, each with whether its values are JSON.
    columns: Vec<(String, bool)>,
    null: String,
}

/// A text that would be read back as null.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text {null:?} in \"{field}\" would be read back as null")]
pub struct NoCell {
    /// The field.
    pub field: String,
    /// What null is written as.
    pub null: String,
}

impl CsvWriter {
    /// Begins with the line of names; null is written as `null`.
    pub fn new(collection: &Collection, null: &str) -> CsvWriter {
        let column = |field: &mainstay_schema::Field| (field.name.clone(), is_json(&field.kind));
        let columns: Vec<(String, bool)> = exported(collection).map(column).collect();
        let mut writer = csv::Writer::from_writer(Vec::new());
        // Writing into memory does not fail.
        let _ = writer.write_record(columns.iter().map(|(name, _)| name));
        CsvWriter { writer, columns, null: null.to_owned() }
    }

    /// Adds records, JSON objects each followed by a line feed.
    pub fn write(&mut self, records: &[u8]) -> Result<(), NoCell> {
        for line in records.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            if let Ok(Json::Object(members)) = Json::parse(line, JsonLimits::default()) {
                self.record(&members)?;
            }
        }
        Ok(())
    }

    fn record(&mut self, members: &[(std::borrow::Cow<'_, str>, Json<'_>)]) -> Result<(), NoCell> {
        for ((name, json), (_, value)) in self.columns.iter().zip(members) {
            let written = match value {
                Json::Null => self.writer.write_field(&self.null),
                Json::Text(text) if !json && **text == *self.null => {
                    return Err(NoCell { field: name.clone(), null: self.null.clone() });
                }
                Json::Text(text) if !json => self.writer.write_field(text.as_bytes()),
                value => self.writer.write_field(value.to_canonical()),
            };
            // Writing into memory does not fail.
            let _ = written;
        }
        let _ = self.writer.write_record(None::<&[u8]>);
        Ok(())
    }

    /// What is written so far; it is gone then.
    pub fn take(&mut self) -> Vec<u8> {
        let empty = csv::Writer::from_writer(Vec::new());
        std::mem::replace(&mut self.writer, empty).into_inner().unwrap_or_default()
    }
}

/// Whether a cell holds JSON rather than plain text.
fn is_json(kind: &FieldKind) -> bool {
    match kind {
        FieldKind::Scalar(scalar) => *scalar == Scalar::Json,
        FieldKind::Enum(_) | FieldKind::ToOne { .. } => false,
        _ => true,
    }
}
