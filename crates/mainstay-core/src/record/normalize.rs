//! What sent values become before anything else looks at them: on writes and on look-ups alike.
use mainstay_expr::{Value, eval};
use mainstay_plan::{OwnFields, OwnRecords};
use mainstay_schema::{Collection, Field, FieldKind, Json, Scalar, Schema, WireError};

/// Reads a sent value of a field that is no link, and normalizes it.
pub(crate) fn read(schema: &Schema, of: &Collection, field: &Field, json: &Json<'_>) -> Result<Value, WireError> {
    if of.system.id == Some(field.id) {
        return of.key.read_new(json);
    }
    let (kind, length_max) = match field.normalize {
        Some(_) => (raw(&field.kind), None),
        None => (&field.kind, field.unchecked_length_max),
    };
    normalized(schema, of, field, schema.read_value(kind, length_max, json)?)
}

/// Reads a value of a field as it stands in an address, and normalizes it. `None`: it is no value of the field.
pub(crate) fn parse(schema: &Schema, of: &Collection, field: &Field, text: &str) -> Option<Value> {
    if of.system.id == Some(field.id) {
        return of.key.parse(text);
    }
    match (&field.normalize, raw(&field.kind)) {
        (Some(_), kind @ FieldKind::Scalar(Scalar::String)) => {
            let value = schema.read_value(kind, None, &Json::Text(text.into())).ok()?;
            normalized(schema, of, field, value).ok().filter(|value| !value.is_null())
        }
        _ => normalized(schema, of, field, schema.parse_field_text(field, text)?).ok(),
    }
}

/// What a value is read as before it is normalized: length and form are those of what it becomes.
fn raw(kind: &FieldKind) -> &FieldKind {
    match kind {
        FieldKind::Scalar(Scalar::String | Scalar::Id | Scalar::Email | Scalar::Url) => {
            &FieldKind::Scalar(Scalar::String)
        }
        kind => kind,
    }
}

fn normalized(schema: &Schema, of: &Collection, field: &Field, value: Value) -> Result<Value, WireError> {
    let Some(normalize) = field.normalize.as_ref().filter(|_| !value.is_null()) else { return Ok(value) };
    let mut values = vec![Value::Null; of.fields.len()];
    values[field.id.0 as usize] = value;
    let row = OwnFields { collection: of, values: &values };
    let wrong = |why: String| {
        WireError::new("normalize", format!("\"{}\" cannot be normalized: {why}", field.name))
            .hint(format!("what is stored is \"{}\"", normalize.text))
    };
    let value = eval(&normalize.expr, &OwnRecords { schema }, &row, &[]).map_err(|error| wrong(error.to_string()))?;
    if value.is_null() && field.required {
        return Err(wrong("it comes to null".to_owned()));
    }
    schema.fitting(field, value)
}
