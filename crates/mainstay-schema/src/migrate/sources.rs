//! Where the values of each new table come from: names are matched, former ones included.
use super::{
    convert::Conversion,
    names::{Name, matched},
};
use crate::{
    Collection, CollectionId, ColumnSnapshot, ColumnType, Field, FieldKind, JoinSnapshot, Schema, Snapshot,
    TableSnapshot, names::snake_case,
};

/// Where a table of the new schema comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct TableChange {
    /// The old table; `None`: it is new.
    pub old: Option<String>,
    /// For each column of the new table, in order.
    pub columns: Vec<ColumnChange>,
}

/// Where the values of a column come from.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnChange {
    /// From where.
    pub source: ColumnSource,
    /// How they are converted; `None`: they stay as they are.
    pub conversion: Option<Conversion>,
    /// Whether nulls become the default.
    pub defaults: bool,
    /// Whether nulls are filled by the field's `@backfill`.
    pub backfills: bool,
}

/// Where the values of a column come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnSource {
    /// From nowhere: the column is new.
    New,
    /// From a column of the old table.
    Column(String),
    /// From an old join table, where it has one row for a record.
    Join(String),
}

/// Where the rows of a join table come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinChange {
    /// From where.
    pub source: JoinSource,
}

/// Where the rows of a join table come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JoinSource {
    /// From nowhere: the link is new.
    New,
    /// From an old join table.
    Join(String),
    /// From a link to one: a table and its column, of the old schema.
    Column(String, String),
}

/// The sources of all tables and join tables of the new schema.
pub(super) fn sources(old: &Snapshot, new: &Snapshot, schema: &Schema) -> (Vec<TableChange>, Vec<JoinChange>) {
    let matcher = Matcher { old, new, schema, tables: table_sources(old, new, schema) };
    let tables = (0..new.tables.len()).map(|at| matcher.table(at)).collect();
    let joins = new.joins.iter().map(|join| matcher.join(join)).collect();
    (tables, joins)
}

/// For each new table, its old one.
fn table_sources(old: &Snapshot, new: &Snapshot, schema: &Schema) -> Vec<Option<usize>> {
    let names: Vec<&str> = old.tables.iter().map(|table| table.collection.as_str()).collect();
    let former = |table: &TableSnapshot| {
        schema.by_name.get(&table.collection).map_or(&[] as &[String], |id| schema.past.of_type(*id))
    };
    let new: Vec<Name<'_>> =
        new.tables.iter().map(|table| Name { name: &table.collection, was: former(table) }).collect();
    matched(&names, &new)
}

struct Matcher<'a> {
    old: &'a Snapshot,
    new: &'a Snapshot,
    schema: &'a Schema,
    tables: Vec<Option<usize>>,
}

/// A field's place in the old schema.
enum Was<'a> {
    Column(&'a ColumnSnapshot),
    Join(&'a JoinSnapshot),
}

impl Matcher<'_> {
    fn table(&self, at: usize) -> TableChange {
        let new = &self.new.tables[at];
        let of = self.schema.by_name.get(&new.collection).map(|id| self.schema.collection(*id));
        let (Some(old), Some(of)) = (self.tables[at].map(|at| &self.old.tables[at]), of) else {
            let column = |_: &ColumnSnapshot| ColumnChange {
                source: ColumnSource::New,
                conversion: None,
                defaults: false,
                backfills: false,
            };
            return TableChange { old: None, columns: new.columns.iter().map(column).collect() };
        };
        let columns = new.columns.iter().map(|column| self.column(old, new, of, column)).collect();
        TableChange { old: Some(old.table.clone()), columns }
    }

    fn column(
        &self,
        old: &TableSnapshot,
        new: &TableSnapshot,
        of: &Collection,
        column: &ColumnSnapshot,
    ) -> ColumnChange {
        let field = of.field_named(&column.field);
        let is_link = new.foreign_keys.iter().any(|key| key.column == column.column);
        let was = field.and_then(|field| self.was(old, of, field));
        let was = was.filter(|was| is_link || matches!(was, Was::Column(_)));
        let (source, from_ty, was_required, same_fill) = match &was {
            None => (ColumnSource::New, None, false, false),
            Some(Was::Column(was)) => {
                let same_fill = was.backfill == column.backfill;
                (ColumnSource::Column(was.column.clone()), Some(&was.ty), was.required, same_fill)
            }
            Some(Was::Join(join)) => (ColumnSource::Join(join.table.clone()), None, false, false),
        };
        let key_of_join = match &was {
            Some(Was::Join(join)) => Some(ColumnType::Key(join.to_key)),
            _ => None,
        };
        let conversion = from_ty
            .or(key_of_join.as_ref())
            .and_then(|ty| Conversion::between((ty, self.old), (&column.ty, self.new), self.schema));
        let becomes_required = column.required && !was_required;
        let is_new = source == ColumnSource::New;
        // A key kind that changes is refused by name; until then the key stays what it is.
        let is_key = column.field == "id" && old.key != new.key;
        ColumnChange {
            defaults: column.default.is_some() && (becomes_required || is_new),
            backfills: column.backfill.is_some() && (becomes_required || is_new || !same_fill),
            conversion: conversion.filter(|_| !is_key),
            source,
        }
    }

    /// Where a field was in the old table.
    fn was(&self, old: &TableSnapshot, of: &Collection, field: &Field) -> Option<Was<'_>> {
        let old = self.old.tables.iter().find(|table| table.table == old.table)?;
        let columns = old.columns.iter().map(|column| (column.field.clone(), Was::Column(column)));
        let joins = self.old.joins.iter().filter(|join| join.from_table == old.table);
        // An older version remembered the join table alone.
        let name = |join: &JoinSnapshot| {
            let of = of.fields.iter().find(|field| snake_case(&field.name) == join.column());
            of.map_or_else(|| join.column().to_owned(), |field| field.name.clone())
        };
        let joins =
            joins.map(|join| (if join.field.is_empty() { name(join) } else { join.field.clone() }, Was::Join(join)));
        let mut all: Vec<(String, Was<'_>)> = columns.chain(joins).collect();
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        let kept = of.fields.iter().filter(|field| !matches!(field.kind, FieldKind::Inverse { .. }));
        let kept: Vec<&Field> = kept.collect();
        let new: Vec<Name<'_>> = kept
            .iter()
            .map(|field| Name { name: &field.name, was: self.schema.past.of_field(of.id, field.id) })
            .collect();
        let own = kept.iter().position(|other| other.id == field.id)?;
        let at = matched(&names, &new).into_iter().nth(own)??;
        Some(all.swap_remove(at).1)
    }

    fn join(&self, join: &JoinSnapshot) -> JoinChange {
        let source = self.join_source(join);
        JoinChange { source: source.unwrap_or(JoinSource::New) }
    }

    fn join_source(&self, join: &JoinSnapshot) -> Option<JoinSource> {
        let at = self.new.tables.iter().position(|table| table.table == join.from_table)?;
        let old = &self.old.tables[self.tables[at]?];
        let id: CollectionId = *self.schema.by_name.get(&self.new.tables[at].collection)?;
        let of = self.schema.collection(id);
        let field = of.field_named(&join.field)?;
        match self.was(old, of, field)? {
            // Keys of another kind are never those of the records at the new end.
            Was::Join(was) if was.to_key != join.to_key => None,
            Was::Column(was) if was.ty != ColumnType::Key(join.to_key) => None,
            Was::Join(was) => Some(JoinSource::Join(was.table.clone())),
            Was::Column(was) => {
                let is_link = old.foreign_keys.iter().any(|key| key.column == was.column);
                is_link.then(|| JoinSource::Column(old.table.clone(), was.column.clone()))
            }
        }
    }
}
