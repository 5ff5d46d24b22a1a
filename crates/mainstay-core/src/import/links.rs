//! Links as they stand in files: by key, or by the value of a unique.
use std::borrow::Cow;

use mainstay_expr::Value;
use mainstay_schema::{Collection, CollectionId, FieldId, FieldKind, Json, KeyKind, Schema};

use super::read::Fields;

/// A link of a record.
#[derive(Clone, Debug)]
pub(super) struct Link<'r> {
    pub(super) field: FieldId,
    pub(super) target: CollectionId,
    /// Whether the record cannot be written without it.
    pub(super) required: bool,
    pub(super) many: bool,
    pub(super) names: Vec<Name<'r>>,
}

/// What a link names a record by: its key, or the value of a unique.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Name<'r> {
    /// The field that it is the value of, where that is said.
    pub(super) by: Option<FieldId>,
    pub(super) text: Cow<'r, str>,
}

impl Name<'_> {
    pub(super) fn owned(self) -> Name<'static> {
        Name { by: self.by, text: Cow::Owned(self.text.into_owned()) }
    }

    /// Whether it is a key without being looked up. A text may be another name.
    pub(super) fn is_key(&self, target: &Collection) -> bool {
        (self.by.is_none() || self.by == target.system.id) && reads_as_key(target, &self.text)
    }

    /// What it is in a file.
    pub(super) fn into_json(self, target: &Collection) -> Json<'static> {
        let text = Json::Text(Cow::Owned(self.text.into_owned()));
        let Some(by) = self.by else { return text };
        let field = Json::Object(vec![(Cow::Owned(target.field(by).name.clone()), text)]);
        Json::Object(vec![(Cow::Borrowed("by"), field)])
    }
}

/// Whether a text is a key of a collection whose keys have a form of their own.
pub(super) fn reads_as_key(of: &Collection, text: &str) -> bool {
    of.key != KeyKind::String && of.key.parse(text).is_some()
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

impl<'k> End<'k> {
    /// The same, or a key where it is no record so far.
    pub(super) fn or(self, key: impl FnOnce() -> Option<Cow<'k, str>>) -> End<'k> {
        match self {
            End::Key(_) => self,
            End::Later | End::Missing => key().map_or(self, End::Key),
        }
    }
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
        _ => None,
    }
}

/// The name of a record that a link leads to, which may say what it is: `{"by": {"slug": "a"}}`.
pub(super) fn linked_name<'r>(target: &Collection, value: &Json<'r>) -> Option<Name<'r>> {
    let Json::Object(members) = value else { return as_name(value).map(|text| Name { by: None, text }) };
    let [(by, Json::Object(values))] = &members[..] else { return None };
    let [(name, value)] = &values[..] else { return None };
    let field = target.field_named(name).filter(|field| by == "by" && name_fields(target).contains(&field.id))?;
    as_name(value).map(|text| Name { by: Some(field.id), text })
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
pub(super) fn take_links<'r>(schema: &Schema, of: CollectionId, fields: &mut Fields<'r>) -> Vec<Link<'r>> {
    let mut links = Vec::new();
    fields.retain(|(name, value)| {
        let Some(field) = schema.collection(of).field_named(name) else { return true };
        let Some(target) = field.target() else { return true };
        let named = |value: &Json<'r>| linked_name(schema.collection(target), value);
        let names: Option<Vec<Name<'r>>> = match (&field.kind, value) {
            (FieldKind::ToOne { .. }, value) => named(value).map(|name| vec![name]),
            (FieldKind::Many { .. }, Json::Array(items)) => items.iter().map(named).collect(),
            _ => None,
        };
        let Some(names) = names else { return true };
        let many = matches!(field.kind, FieldKind::Many { .. });
        links.push(Link { field: field.id, target, required: field.required && !many, many, names });
        false
    });
    links
}
