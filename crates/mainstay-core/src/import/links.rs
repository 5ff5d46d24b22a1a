//! Links of a file: by key, or by the value of a unique, of a record of the file or of the database.
use std::{borrow::Cow, collections::HashMap};

use mainstay_schema::{Collection, CollectionId, FieldId, FieldKind, Json, KeyKind, Schema, nearest};

use super::{
    Problem, Report,
    load::Loading,
    read::{Row, Table},
};
use crate::{Error, ErrorKind, ReadOne, Select, Selection, Target};

/// Problems of links that are collected before the import gives up.
const PROBLEMS_MAX: usize = 100;

/// A record of the file: its table and its row.
pub(super) type RowId = (usize, usize);

/// What a link leads to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum End {
    /// A record of the file.
    Row(RowId),
    /// A record of the database, by its key as text.
    Key(String),
}

/// A link of a row.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) field: FieldId,
    /// Whether the record cannot be written without it.
    pub(super) required: bool,
    pub(super) many: bool,
    pub(super) ends: Vec<End>,
}

/// The records of a file by their keys and by the values of their uniques.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<(CollectionId, String), RowId>);

impl Names {
    /// Every name of every row.
    pub(super) fn of(schema: &Schema, tables: &[Table<'_>]) -> Names {
        let mut names = HashMap::new();
        for (table_at, table) in tables.iter().enumerate() {
            let collection = schema.collection(table.collection);
            let fields = name_fields(collection);
            for (row_at, row) in table.rows.iter().enumerate() {
                for field in &fields {
                    let value = row.fields.iter().find(|(name, _)| **name == collection.field(*field).name);
                    if let Some(text) = value.and_then(|(_, value)| as_name(value)) {
                        names.entry((table.collection, text)).or_insert((table_at, row_at));
                    }
                }
            }
        }
        Names(names)
    }

    fn get(&self, of: CollectionId, text: &str) -> Option<RowId> {
        self.0.get(&(of, text.to_owned())).copied()
    }

    fn nearest(&self, of: CollectionId, text: &str) -> Option<&str> {
        nearest(text, self.0.keys().filter(|(collection, _)| *collection == of).map(|(_, name)| name.as_str()))
    }
}

/// The fields that name a record: its key, then each field that is unique alone.
fn name_fields(collection: &Collection) -> Vec<FieldId> {
    let alone = collection.uniques.iter().filter(|unique| unique.fields.len() == 1).map(|unique| unique.fields[0]);
    let mut fields: Vec<FieldId> = collection.system.id.into_iter().chain(alone).collect();
    fields.dedup();
    fields
}

fn as_name(value: &Json<'_>) -> Option<String> {
    match value {
        Json::Text(text) => Some(text.to_string()),
        Json::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

impl<'a> Loading<'a> {
    /// Takes the links out of every row and finds what they lead to.
    pub(super) async fn find_links(&mut self, report: &mut Report) -> Result<(), Error> {
        let mut known: HashMap<(CollectionId, String), Option<String>> = HashMap::new();
        for table_at in 0..self.tables.len() {
            let of = self.tables[table_at].collection;
            for row_at in 0..self.tables[table_at].rows.len() {
                let taken = take_links(self.core.schema().collection(of), &mut self.tables[table_at].rows[row_at]);
                let mut links = Vec::with_capacity(taken.len());
                for (mut link, target, names) in taken {
                    for (at, name) in names.into_iter().enumerate() {
                        match self.find_end(target, &name, &mut known).await? {
                            Some(end) => link.ends.push(end),
                            None => report.errors.push(self.missing((table_at, row_at), &link, target, at, &name)),
                        }
                    }
                    links.push(link);
                }
                self.links[table_at].push(links);
                if report.errors.len() >= PROBLEMS_MAX {
                    report.notes.push(format!(
                        "these are the first {PROBLEMS_MAX} problems: what is behind them was not looked at"
                    ));
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn find_end(
        &self,
        target: CollectionId,
        name: &str,
        known: &mut HashMap<(CollectionId, String), Option<String>>,
    ) -> Result<Option<End>, Error> {
        if let Some(row) = self.names.get(target, name) {
            return Ok(Some(End::Row(row)));
        }
        let kind = self.core.schema().collection(target).key;
        if kind != KeyKind::String && kind.parse(name).is_some() {
            return Ok(Some(End::Key(name.to_owned())));
        }
        let at = (target, name.to_owned());
        if let Some(key) = known.get(&at) {
            return Ok(key.clone().map(End::Key));
        }
        let key = self.key_in_database(target, name).await?;
        known.insert(at, key.clone());
        Ok(key.map(End::Key))
    }

    /// The key of a stored record by its key or one of its uniques.
    async fn key_in_database(&self, target: CollectionId, name: &str) -> Result<Option<String>, Error> {
        let collection = self.core.schema().collection(target);
        let selection = Selection { parts: vec![Select::Field { alias: None, name: "id".to_owned() }] };
        let selection = std::sync::Arc::new(selection);
        let uniques = name_fields(collection).into_iter().filter(|field| collection.system.id != Some(*field));
        let uniques = uniques.map(|field| Target::Unique { fields: vec![field], values: vec![name.to_owned()] });
        for target in std::iter::once(Target::Key(name.to_owned())).chain(uniques) {
            let read = ReadOne { collection: collection.id, target, selection: Some(selection.clone()) };
            match self.core.read_one(self.request, &read).await {
                Ok(record) => return Ok(id_of(&record.json)),
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn missing(&self, row: RowId, link: &Link, target: CollectionId, at: usize, name: &str) -> Problem {
        let schema = self.core.schema();
        let field = &schema.collection(self.tables[row.0].collection).field(link.field).name;
        let element = if link.many { format!("/{at}") } else { String::new() };
        let message = format!("no \"{}\" has the key or a unique \"{name}\"", schema.collection(target).name);
        let hint = self.names.nearest(target, name).map(|near| format!("did you mean \"{near}\"?"));
        self.problem(row, &format!("/{field}{element}"), message, hint)
    }
}

/// The links of a row with the names that they hold. What is no name stays in the row, where reading it tells what is wrong.
fn take_links(collection: &Collection, row: &mut Row<'_>) -> Vec<(Link, CollectionId, Vec<String>)> {
    let mut links = Vec::new();
    row.fields.retain(|(name, value)| {
        let Some(field) = collection.field_named(name) else { return true };
        let names: Option<Vec<String>> = match (&field.kind, value) {
            (FieldKind::ToOne { .. }, value) => as_name(value).map(|name| vec![name]),
            (FieldKind::Many { .. }, Json::Array(items)) => items.iter().map(as_name).collect(),
            _ => None,
        };
        let (Some(target), Some(names)) = (field.target(), names) else { return true };
        let many = matches!(field.kind, FieldKind::Many { .. });
        let required = field.required && !many;
        links.push((Link { field: field.id, required, many, ends: Vec::new() }, target, names));
        false
    });
    links
}

/// The id in an answer of ours.
pub(super) fn id_of(json: &[u8]) -> Option<String> {
    let json = Json::parse(json, mainstay_schema::JsonLimits::default()).ok()?;
    json.get("id").and_then(Json::as_text).map(str::to_owned)
}

/// A key as it is sent.
pub(super) fn key_json<'a>(key: String) -> Json<'a> {
    Json::Text(Cow::Owned(key))
}
