//! Lists as JSON arrays.
use serde_json::Value as Json;

use super::{parse_text, quote, write_text};
use crate::{types::Type, value::Value};

/// A list from the text of a JSON array whose elements are in their wire form.
pub(super) fn parse_list(element: &Type, text: &str) -> Result<Value, String> {
    let wrong = || format!("{} is no list: expected a JSON array", quote(text));
    let Ok(Json::Array(items)) = serde_json::from_str(text) else { return Err(wrong()) };
    let values: Result<Vec<Value>, String> = items.iter().map(|item| parse_element(element, item)).collect();
    Ok(Value::List(values?.into()))
}

fn parse_element(ty: &Type, item: &Json) -> Result<Value, String> {
    match (ty, item) {
        (Type::List(_), _) => Err("a list holds no lists".to_owned()),
        (Type::Bool | Type::Float, Json::String(text)) => Err(format!("{} is text", quote(text))),
        (_, Json::String(text)) => parse_text(ty, text),
        (Type::Bool, Json::Bool(_)) | (Type::Int | Type::Float, Json::Number(_)) => parse_text(ty, &item.to_string()),
        _ => Err(format!("{} is no element of this list", quote(&item.to_string()))),
    }
}

/// The JSON array of the elements' wire forms.
pub(super) fn write_list(values: &[Value], out: &mut String) {
    out.push('[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        match value {
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Json(_) | Value::List(_) => {
                write_text(value, out);
            }
            _ => {
                let mut text = String::new();
                write_text(value, &mut text);
                out.push_str(&Json::String(text).to_string());
            }
        }
    }
    out.push(']');
}
