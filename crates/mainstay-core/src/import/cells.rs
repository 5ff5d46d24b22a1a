//! Cells of CSV: text to JSON by the field's type.
use std::borrow::Cow;

use mainstay_schema::{Field, FieldKind, Json, JsonLimits, Scalar};

/// What parts the elements of a list in a cell that is no JSON.
const LIST_SEPARATOR: char = ';';

/// The value of a cell. Of a required field null is not sent, so that its default holds.
pub(super) fn cell<'t>(field: Option<&Field>, text: &'t str, null: bool) -> Option<Json<'t>> {
    let Some(field) = field else { return Some(text_of(text)) };
    if null {
        return (!field.required && field.stored()).then_some(Json::Null);
    }
    Some(match &field.kind {
        FieldKind::Scalar(scalar) => scalar_cell(*scalar, text),
        FieldKind::Enum(_) | FieldKind::ToOne { .. } => text_of(text),
        FieldKind::Embedded { .. } => parsed(text).unwrap_or_else(|| text_of(text)),
        FieldKind::ScalarList(scalar) => list_cell(text, |item| scalar_cell(*scalar, item)),
        FieldKind::EnumList(_) | FieldKind::Many { .. } | FieldKind::Inverse { .. } => list_cell(text, text_of),
    })
}

/// A text that is no such value stays a text: what reads the record says what is wrong with it.
fn scalar_cell(scalar: Scalar, text: &str) -> Json<'_> {
    let value = match scalar {
        Scalar::Boolean => text.parse().ok().map(Json::Bool),
        Scalar::Int => whole(text),
        Scalar::Float => Json::number(text).ok(),
        Scalar::Json => parsed(text),
        _ => None,
    };
    value.unwrap_or_else(|| text_of(text))
}

/// Also one that a spreadsheet wrote with a fraction of zero: `517.0`.
fn whole(text: &str) -> Option<Json<'_>> {
    text.parse().ok().map(Json::Int).or_else(|| Json::number(text).ok())
}

fn list_cell<'t>(text: &'t str, item: impl Fn(&'t str) -> Json<'t>) -> Json<'t> {
    match parsed(text) {
        Some(Json::Array(items)) => Json::Array(items),
        _ => Json::Array(text.split(LIST_SEPARATOR).map(str::trim).filter(|text| !text.is_empty()).map(item).collect()),
    }
}

fn parsed(text: &str) -> Option<Json<'_>> {
    Json::parse(text.as_bytes(), JsonLimits::default()).ok()
}

fn text_of(text: &str) -> Json<'_> {
    Json::Text(Cow::Borrowed(text))
}
