//! Links as they stand in files: by key, or by the value of a unique.
use std::borrow::Cow;

use mainstay_expr::Value;
use mainstay_schema::{Collection, CollectionId, FieldId, FieldKind, Json};

use super::read::Fields;

/// A link of a record.
#[derive(Clone, Debug)]
pub(super) struct Link<'r> {
    pub(super) field: FieldId,
    pub(super) target: CollectionId,
    /// Whether the record cannot be written without it.
    pub(super) required: bool,
    pub(super) many: bool,
    pub(super) names: Vec<Cow<'r, str>>,
}

/// What a link leads to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum End<'k> {
    /// A record, by its key as text.
    Key(Cow<'k, str>),
    /// Perhaps a record that comes later.
    Later,
    /// No record.
    Missing,
}

/// The fields that name a record: its key, then each field that is unique alone.
pub(super) fn name_fields(collection: &Collection) -> Vec<FieldId> {
    let alone = collection.naming_uniques().filter(|unique| unique.fields.len() == 1).map(|unique| unique.fields[0]);
    let mut fields: Vec<FieldId> = collection.system.id.into_iter().chain(alone).collect();
    fields.dedup();
    fields
}

/// A name as it stands in a file.
pub(super) fn as_name<'r>(value: &Json<'r>) -> Option<Cow<'r, str>> {
    match value {
        Json::Text(text) => Some(text.clone()),
        Json::Int(number) => Some(Cow::Owned(number.to_string())),
        // A link by a unique of one field.
        Json::Object(members) => match &members[..] {
            [(by, Json::Object(values))] if by == "by" && values.len() == 1 => as_name(&values[0].1),
            _ => None,
        },
        _ => None,
    }
}

/// A value as the name that it would be in a file.
pub(super) fn name_of(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.to_string()),
        Value::Int(number) => Some(number.to_string()),
        Value::Uuid(uuid) => Some(uuid.to_string()),
        _ => None,
    }
}

/// Takes the links out of the fields of a record. What is no link by name stays, and whoever reads the record says what is wrong.
pub(super) fn take_links<'r>(collection: &Collection, fields: &mut Fields<'r>) -> Vec<Link<'r>> {
    let mut links = Vec::new();
    fields.retain(|(name, value)| {
        let Some(field) = collection.field_named(name) else { return true };
        let names: Option<Vec<Cow<'r, str>>> = match (&field.kind, value) {
            (FieldKind::ToOne { .. }, value) => as_name(value).map(|name| vec![name]),
            (FieldKind::Many { .. }, Json::Array(items)) => items.iter().map(as_name).collect(),
            _ => None,
        };
        let (Some(target), Some(names)) = (field.target(), names) else { return true };
        let many = matches!(field.kind, FieldKind::Many { .. });
        links.push(Link { field: field.id, target, required: field.required && !many, many, names });
        false
    });
    links
}
