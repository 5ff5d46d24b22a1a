//! Lists as JSON: as their columns keep them, and as values are compared with them.
use mainstay_expr::{Value, wire};
use mainstay_schema::{ColumnType, FieldKind, Json, JsonLimits, Scalar, Schema, json_float, json_int, json_string};

/// A list as its column keeps it: its elements in their wire form.
pub(crate) fn kept(scalar: Scalar, list: &Value) -> Vec<u8> {
    let mut json = Vec::new();
    // How scalars are written does not depend on the schema.
    Schema::default().write_value(&FieldKind::ScalarList(scalar), list, &mut json);
    json
}

/// The same for a column of this type, as text.
pub(crate) fn kept_in(ty: &ColumnType, list: &Value) -> String {
    let scalar = match ty {
        ColumnType::List(of) => match **of {
            ColumnType::Scalar(scalar) => scalar,
            _ => Scalar::String,
        },
        _ => Scalar::String,
    };
    String::from_utf8_lossy(&kept(scalar, list)).into_owned()
}

/// The list that a column keeps so; `None` where it keeps something else.
pub(crate) fn read(scalar: Scalar, json: &[u8]) -> Option<Value> {
    let json = Json::parse(json, JsonLimits::default()).ok()?;
    // How scalars are read does not depend on the schema.
    Schema::default().read_value(&FieldKind::ScalarList(scalar), None, &json).ok()
}

/// A list for comparisons: its elements in their wire form, numbers without quotes; but for those that `own` writes, which says
/// whether it did, in a form of the engine's own.
pub(crate) fn compared(items: &[Value], own: impl Fn(&Value, &mut Vec<u8>) -> bool + Copy, out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        match item {
            item if own(item, out) => {}
            Value::Null => out.extend_from_slice(b"null"),
            Value::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Value::Int(value) | Value::Duration(value) => json_int(out, *value),
            Value::Float(value) => json_float(out, *value),
            Value::Text(text) => json_string(out, text),
            Value::List(items) => compared(items, own, out),
            Value::Decimal(_)
            | Value::Uuid(_)
            | Value::Bytes(_)
            | Value::Timestamp(_)
            | Value::Date(_)
            | Value::Time(_)
            | Value::Json(_) => {
                let mut text = String::new();
                wire::write_text(item, &mut text);
                json_string(out, &text);
            }
        }
    }
    out.push(b']');
}
