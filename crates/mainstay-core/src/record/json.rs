//! Records written as JSON from their values, without asking the database.
use std::sync::Arc;

use mainstay_expr::Value;
use mainstay_schema::{Collection, FieldId, Schema, json_string};

/// Writes own fields of records: for each the bytes before its value.
#[derive(Clone, Debug)]
pub(crate) struct RecordWriter {
    fields: Vec<(Vec<u8>, FieldId)>,
}

impl RecordWriter {
    /// Writes these fields by these names.
    pub(crate) fn new(fields: &[(Arc<str>, FieldId)]) -> RecordWriter {
        let one = |(at, (name, field)): (usize, &(Arc<str>, FieldId))| {
            let mut before = vec![if at == 0 { b'{' } else { b',' }];
            json_string(&mut before, name);
            before.push(b':');
            (before, *field)
        };
        RecordWriter { fields: fields.iter().enumerate().map(one).collect() }
    }

    /// The record as a JSON object.
    pub(crate) fn write(&self, schema: &Schema, collection: &Collection, values: &[Value]) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.fields.len() * 32);
        for (before, field) in &self.fields {
            out.extend_from_slice(before);
            let value = values.get(field.0 as usize).unwrap_or(&Value::Null);
            match collection.system.id == Some(*field) {
                true => collection.key.write(value, &mut out),
                false => schema.write_value(&collection.field(*field).kind, value, &mut out),
            }
        }
        if self.fields.is_empty() {
            out.push(b'{');
        }
        out.push(b'}');
        out
    }
}

/// A record of which the caller may know the key alone.
pub(crate) fn key_alone(collection: &Collection, key: &Value) -> Vec<u8> {
    let mut out = b"{\"id\":".to_vec();
    collection.key.write(key, &mut out);
    out.push(b'}');
    out
}
