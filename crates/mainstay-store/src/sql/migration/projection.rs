//! The records of the old tables as they become: one SELECT for each new table.
use mainstay_expr::own_fields_only;
use mainstay_schema::{
    Collection, ColumnChange, ColumnSource, ColumnType, FieldId, JoinSource, Migration, Scalar, Schema, TableSnapshot,
};

use super::{
    Call,
    calls::{Asked, CallRows},
    in_place::is_time,
    layout::Layout,
};
use crate::{
    StoreError,
    sql::{
        Dialect, Sql,
        columns::encode_column,
        ddl::KEY,
        quantify::{JOIN_FROM, JOIN_TO},
        writer::{Env, Writer, defect},
    },
};

/// What the old row is called.
pub(super) const OLD: &str = "s";
/// What the row as it becomes is called.
pub(super) const ROW: &str = "t0";

pub(super) struct Projection<'a> {
    pub(super) dialect: &'a dyn Dialect,
    pub(super) migration: &'a Migration,
    pub(super) schema: &'a Schema,
    /// Where the old tables are renamed already.
    pub(super) present: Option<&'a Layout>,
    /// The namespace of the tables, where a `WITH` of the same name would hide them.
    pub(super) namespace: Option<&'a str>,
    pub(super) calls: Vec<Call>,
    /// Where the engine lends no functions: what each call is computed from, beforehand.
    pub(super) computed: Option<Vec<CallRows>>,
}

/// One SELECT of rows as they become.
pub(super) struct Rows<'a> {
    /// What stands before SELECT.
    pub(super) with: String,
    /// Each column of the new table, in order.
    pub(super) columns: Vec<String>,
    /// What stands behind FROM.
    pub(super) from: String,
    /// For the binds.
    pub(super) writer: Writer<'a>,
}

impl<'a> Projection<'a> {
    /// Of the old tables as they are, where the engine lends functions.
    pub(super) fn new(dialect: &'a dyn Dialect, migration: &'a Migration, schema: &'a Schema) -> Projection<'a> {
        Projection { dialect, migration, schema, present: None, namespace: None, calls: Vec::new(), computed: None }
    }

    pub(super) fn quote(&self, name: &str) -> String {
        self.dialect.quote(name)
    }

    /// An old table as it can be read now.
    pub(super) fn old_table(&self, old: &str) -> String {
        let name = self.present.map_or(old, |layout| layout.present(old));
        match self.namespace {
            Some(namespace) => format!("{}.{}", self.quote(namespace), self.quote(name)),
            None => self.dialect.real_table(name),
        }
    }

    fn old_of(&self, at: usize) -> Option<&'a TableSnapshot> {
        let migration = self.migration;
        migration.tables[at].old.as_deref().and_then(|old| migration.from.table(old))
    }

    /// The value of a column as it stands in the old table, without any conversion.
    pub(super) fn stored(&self, change: &ColumnChange) -> Option<String> {
        match &change.source {
            ColumnSource::New => None,
            ColumnSource::Column(name) => Some(format!("{OLD}.{}", self.quote(name))),
            ColumnSource::Join(name) => {
                let [from, to] = [JOIN_FROM, JOIN_TO].map(|name| self.quote(name));
                let (table, key) = (self.old_table(name), self.quote(KEY));
                Some(format!("(SELECT j.{to} FROM {table} AS j WHERE j.{from} = {OLD}.{key} ORDER BY 1 LIMIT 1)"))
            }
        }
    }

    /// The value of a column after its conversion.
    pub(super) fn converted(&mut self, at: usize, column: usize) -> Option<String> {
        let (change, new) = (&self.migration.tables[at].columns[column], &self.migration.to.tables[at].columns[column]);
        let stored = self.stored(change)?;
        let Some(conversion) = &change.conversion else { return Some(self.widened(stored, at, change, &new.ty)) };
        let from = self.stored_type(at, change)?;
        let (table, key) = (self.old_table(&self.old_of(at)?.table), self.migration.to.tables[at].key);
        let asked = Asked {
            key: format!("{OLD}.{}", self.quote(KEY)),
            kind: key,
            arguments: vec![stored],
            with: String::new(),
            from: format!("{table} AS {OLD}"),
            outcome: new.ty.clone(),
        };
        let call = Call::Convert { conversion: conversion.clone(), from, to: new.ty.clone() };
        Some(self.call(call, asked, None))
    }

    /// A value that every column of a type can hold, as one of it.
    fn widened(&self, stored: String, at: usize, change: &ColumnChange, to: &ColumnType) -> String {
        match self.stored_type(at, change) {
            Some(from) if self.computed.is_some() && from != *to => match is_time(&from) {
                true => {
                    let text = format!("btrim({}, '\"')", self.dialect.json_leaf(&stored, encode_column(&from)));
                    self.dialect.stored(&format!("CASE WHEN {stored} IS NOT NULL THEN {text} END"), to)
                }
                false => self.dialect.stored(&stored, to),
            },
            _ => stored,
        }
    }

    fn stored_type(&self, at: usize, change: &ColumnChange) -> Option<ColumnType> {
        match &change.source {
            ColumnSource::New => None,
            ColumnSource::Column(name) => {
                let old = self.old_of(at)?;
                old.columns.iter().find(|column| column.column == *name).map(|column| column.ty.clone())
            }
            ColumnSource::Join(name) => {
                let join = self.migration.from.joins.iter().find(|join| join.table == *name)?;
                Some(ColumnType::Key(join.to_key))
            }
        }
    }

    /// A column of the new table, but for its backfill.
    fn base_column(&mut self, at: usize, column: usize) -> String {
        let change = &self.migration.tables[at].columns[column];
        let new = &self.migration.to.tables[at].columns[column];
        let value = self.converted(at, column);
        let default = change.defaults.then(|| new.default_value()).flatten();
        let default = default.map(|value| self.dialect.constant(&new.ty, &value));
        match (value, default) {
            (Some(value), Some(default)) => format!("coalesce({value}, {default})"),
            (Some(value), None) => value,
            (None, Some(default)) => self.dialect.stored(&default, &new.ty),
            (None, None) => self.dialect.stored("NULL", &new.ty),
        }
    }

    /// `SELECT … FROM the old table`, each column under its new name; of a new table, no rows.
    fn base(&mut self, at: usize) -> String {
        let new = &self.migration.to.tables[at];
        let old = self.old_of(at).map(|old| self.old_table(&old.table));
        let columns: Vec<String> = (0..new.columns.len())
            .map(|column| {
                let of = &new.columns[column];
                let value =
                    if old.is_some() { self.base_column(at, column) } else { self.dialect.stored("NULL", &of.ty) };
                format!("{value} AS {}", self.quote(&of.column))
            })
            .collect();
        let columns = columns.join(", ");
        match old {
            Some(old) => format!("SELECT {columns} FROM {old} AS {OLD}"),
            None => format!("SELECT {columns} WHERE 1 = 0"),
        }
    }

    /// `SELECT from_id, to_id` of a join table of the new schema.
    pub(super) fn join_rows(&self, at: usize) -> Option<String> {
        let [from, to] = [JOIN_FROM, JOIN_TO].map(|name| self.quote(name));
        match &self.migration.joins[at].source {
            JoinSource::New => None,
            JoinSource::Join(old) => Some(format!("SELECT {from}, {to} FROM {}", self.old_table(old))),
            JoinSource::Column(old, column) => {
                let (key, column, old) = (self.quote(KEY), self.quote(column), self.old_table(old));
                Some(format!("SELECT {key} AS {from}, {column} AS {to} FROM {old} WHERE {column} IS NOT NULL"))
            }
        }
    }

    /// The rows of a table as they become.
    pub(super) fn rows(&mut self, at: usize) -> Result<Rows<'a>, StoreError> {
        let (schema, new) = (self.schema, &self.migration.to.tables[at]);
        let of = schema.by_name.get(&new.collection).map(|id| schema.collection(*id));
        let of = of.ok_or_else(|| defect(format!("\"{}\" is no collection", new.collection)))?;
        let fills: Vec<usize> =
            (0..new.columns.len()).filter(|column| self.migration.tables[at].columns[*column].backfills).collect();
        let mut writer = Writer::new(schema, self.dialect);
        if let (true, Some(old)) = (fills.is_empty(), self.old_of(at)) {
            let columns = (0..new.columns.len()).map(|column| self.base_column(at, column)).collect();
            let from = format!("{} AS {OLD}", self.old_table(&old.table));
            return Ok(Rows { with: String::new(), columns, from, writer });
        }
        let row = writer.row(of.id);
        let with = self.with(at, of, &fills);
        let mut columns: Vec<String> =
            new.columns.iter().map(|column| format!("{ROW}.{}", self.quote(&column.column))).collect();
        for fill in fills {
            let value = self.fill(of, at, fill, &with, &mut writer, &Env::of(&row))?;
            columns[fill] = format!("coalesce({}, {value})", columns[fill]);
        }
        Ok(Rows { with, columns, from: format!("{} AS {ROW}", self.quote(&new.table)), writer })
    }

    /// `WITH` the table as it becomes; where a fill follows links, with all others and the join tables.
    fn with(&mut self, at: usize, of: &Collection, fills: &[usize]) -> String {
        let new = &self.migration.to;
        let follows_links = fills.iter().any(|fill| {
            let field = of.field_named(&new.tables[at].columns[*fill].field);
            let expr = field.and_then(|field| self.schema.past.backfill(of.id, field.id));
            expr.is_some_and(|expr| !own_fields_only(&expr.expr))
        });
        let inlined = self.dialect.inlined();
        let mut items = Vec::new();
        for (other, table) in new.tables.iter().enumerate().filter(|(other, _)| *other == at || follows_links) {
            items.push(format!("{} {inlined} ({})", self.quote(&table.table), self.base(other)));
        }
        for (other, join) in new.joins.iter().enumerate().filter(|_| follows_links) {
            let [from, to] = [JOIN_FROM, JOIN_TO].map(|name| self.quote(name));
            let rows = self.join_rows(other);
            let none = |key| self.dialect.stored("NULL", &ColumnType::Key(key));
            let (from_key, to_key) = (none(join.from_key), none(join.to_key));
            let rows = rows.unwrap_or_else(|| format!("SELECT {from_key} AS {from}, {to_key} AS {to} WHERE 1 = 0"));
            items.push(format!("{} {inlined} ({rows})", self.quote(&join.table)));
        }
        format!("WITH {} ", items.join(", "))
    }

    fn fill(
        &mut self,
        of: &Collection,
        at: usize,
        column: usize,
        with: &str,
        writer: &mut Writer<'a>,
        env: &Env,
    ) -> Result<String, StoreError> {
        let new = &self.migration.to.tables[at];
        let column = &new.columns[column];
        let field = of.field_named(&column.field).ok_or_else(|| defect("a filled column has no field"))?;
        let expr =
            self.schema.past.backfill(of.id, field.id).ok_or_else(|| defect("a filled column has no expression"))?;
        let asked = |arguments| Asked {
            key: format!("{ROW}.{}", self.quote(KEY)),
            kind: new.key,
            arguments,
            with: with.to_owned(),
            from: format!("{} AS {ROW}", self.quote(&new.table)),
            outcome: column.ty.clone(),
        };
        if own_fields_only(&expr.expr) {
            let reads = mainstay_expr::fields_read(&expr.expr).into_iter().map(FieldId::of).collect();
            let reads = super::with_key(of, reads);
            let asked = asked(self.arguments(of, &reads));
            return Ok(self.call(Call::Backfill { collection: of.id, field: field.id, reads }, asked, None));
        }
        let value = writer.value(&expr.expr, env)?.sql;
        let ColumnType::Scalar(scalar @ (Scalar::Email | Scalar::Url)) = column.ty else { return Ok(value) };
        // An expression gives a text: whether it is an address, only its scalar knows.
        let text = ColumnType::Scalar(Scalar::String);
        let conversion = mainstay_schema::Conversion::of_scalars(Scalar::String, scalar);
        let asked = asked(vec![value]);
        Ok(self.call(Call::Convert { conversion, from: text, to: column.ty.clone() }, asked, Some(writer)))
    }

    /// Fields of a row as they become, for a function; a key that an expression reads comes along.
    pub(super) fn arguments(&self, of: &Collection, reads: &[FieldId]) -> Vec<String> {
        reads.iter().map(|id| format!("{ROW}.{}", self.quote(&of.field(*id).column))).collect()
    }
}

impl Rows<'_> {
    /// The statement.
    pub(super) fn finish(self, text: impl FnOnce(&str, &[String], &str) -> String) -> Sql {
        let text = text(&self.with, &self.columns, &self.from);
        self.writer.finish(text)
    }
}
