//! Cells of CSV: text to JSON by the field's type.
use std::borrow::Cow;

use mainstay_schema::{Field, FieldKind, Json, JsonLimits, Scalar};

/// What parts the elements of a list in a cell that is no JSON.
const LIST_SEPARATOR: char = ';';

/// The value of a cell. An empty one is null; of a required field it is not sent, so that its default holds.
pub(super) fn cell(field: Option<&Field>, text: &str) -> Option<Json<'static>> {
    let Some(field) = field else { return Some(owned(text)) };
    if text.is_empty() {
        return (!field.required && field.stored()).then_some(Json::Null);
    }
    Some(match &field.kind {
        FieldKind::Scalar(scalar) => scalar_cell(*scalar, text),
        FieldKind::Enum(_) | FieldKind::ToOne { .. } => owned(text),
        FieldKind::Embedded { .. } => parsed(text).unwrap_or_else(|| owned(text)),
        FieldKind::ScalarList(scalar) => list_cell(text, |item| scalar_cell(*scalar, item)),
        FieldKind::EnumList(_) | FieldKind::Many { .. } | FieldKind::Inverse { .. } => list_cell(text, owned),
    })
}

/// A text that is no such value stays a text: what reads the record says what is wrong with it.
fn scalar_cell(scalar: Scalar, text: &str) -> Json<'static> {
    let value = match scalar {
        Scalar::Boolean => text.parse().ok().map(Json::Bool),
        Scalar::Int => text.parse().ok().map(Json::Int),
        Scalar::Float => text.parse().ok().filter(|value: &f64| value.is_finite()).map(Json::Float),
        Scalar::Json => parsed(text),
        _ => None,
    };
    value.unwrap_or_else(|| owned(text))
}

fn list_cell(text: &str, item: impl Fn(&str) -> Json<'static>) -> Json<'static> {
    match parsed(text) {
        Some(Json::Array(items)) => Json::Array(items),
        _ => Json::Array(text.split(LIST_SEPARATOR).map(str::trim).filter(|text| !text.is_empty()).map(item).collect()),
    }
}

fn parsed(text: &str) -> Option<Json<'static>> {
    Json::parse(text.as_bytes(), JsonLimits::default()).ok().map(Json::into_owned)
}

fn owned(text: &str) -> Json<'static> {
    Json::Text(Cow::Owned(text.to_owned()))
}
