//! The tables of the change feed, and what a write tells it of its records.
use mainstay_expr::{Type, Value};
use mainstay_plan::{Create, LinkChange, Load, Output, OutputValue, Update};
use mainstay_schema::{Collection, CollectionId, FieldId, FieldKind, Scalar, Schema, json_string};

use super::own::{OwnColumn, OwnTable, make_column};
use crate::{
    StoreError,
    sql::{
        Bind, Cell, Column, Dialect, FedList, FedUpdate, FedValues, Image, InsertSql, Member, Sql, columns, literal,
        quantify::{JOIN_FROM, JOIN_TO},
        query::Selected,
        writer::{Row, Writer, defect},
    },
};

/// The table of changes, and that of the positions up to which those of a collection are gone.
pub(super) const CHANGES: &str = "mainstay_changes";
const GONE: OwnTable = OwnTable {
    name: "mainstay_changes_gone",
    counted: None,
    columns: &[("collection", Scalar::String, true), ("xid", Scalar::Long, true), ("seq", Scalar::Long, true)],
};

/// The columns of a change behind its position.
pub(super) const COLUMNS: [OwnColumn; 9] = [
    ("collection", Scalar::String, true),
    ("record", Scalar::String, true),
    ("op", Scalar::Long, true),
    ("version", Scalar::Long, false),
    ("before", Scalar::String, false),
    ("after", Scalar::String, false),
    ("caller", Scalar::String, false),
    ("time", Scalar::Long, true),
    ("request", Scalar::String, false),
];

/// Makes the tables, where they are not there.
pub fn make_feed(dialect: &dyn Dialect) -> [String; 2] {
    let columns: Vec<String> = COLUMNS.iter().map(|column| make_column(dialect, column)).collect();
    let changes = format!(
        "CREATE TABLE IF NOT EXISTS {} ({}, {}){}",
        dialect.quote(CHANGES),
        dialect.change_position(),
        columns.join(", "),
        dialect.table_options()
    );
    [changes, GONE.make(dialect, &[])]
}

/// The statements about changes.
#[derive(Debug)]
pub(crate) struct FeedSql {
    /// Writes a change down. Values: those of the columns, in their order.
    pub(crate) note: InsertSql,
}

impl FeedSql {
    pub(crate) fn new(dialect: &dyn Dialect) -> FeedSql {
        let names: Vec<String> = COLUMNS.iter().map(|(name, ..)| dialect.quote(name)).collect();
        let value = |(at, (_, scalar, _)): (usize, &OwnColumn)| {
            let ty = if *scalar == Scalar::Long { Type::Int } else { Type::String };
            dialect.typed(&dialect.placeholder(at + 1), &ty)
        };
        let values: Vec<String> = COLUMNS.iter().enumerate().map(value).collect();
        let into = format!("{} ({})", dialect.quote(CHANGES), names.join(", "));
        let text = format!("INSERT INTO {into} VALUES ({})", values.join(", "));
        let each = Sql { text, binds: (0..COLUMNS.len() as u16).map(Bind::Value).collect() };
        FeedSql { note: InsertSql { each, into: Some(into) } }
    }
}

/// From now on the changes of a collection are kept again: those before are not.
pub(super) fn keep_from_now(dialect: &dyn Dialect, path: &str) -> [String; 2] {
    let [changes, gone, collection, seq] = [CHANGES, GONE.name, "collection", "seq"].map(|name| dialect.quote(name));
    let path = literal(path);
    [
        format!("DELETE FROM {gone} WHERE {collection} = {path}"),
        format!(
            "INSERT INTO {gone} ({collection}, {}, {seq}) SELECT {path}, {}",
            dialect.quote("xid"),
            dialect.change_end(&changes)
        ),
    ]
}

/// The collection's name in the feed; `None` where nothing is kept of it.
pub(super) fn fed(of: &Collection) -> Option<Value> {
    (!of.changes.off).then(|| Value::text(&*of.path))
}

/// What the feed is told of a create.
pub(super) fn of_create(
    schema: &Schema,
    dialect: &dyn Dialect,
    plan: &Create,
) -> Result<Option<FedValues>, StoreError> {
    let lists = lists(schema, dialect, plan.collection, &plan.changes)?;
    Ok(of_values(schema, plan.collection, &plan.columns).map(|fed| FedValues { lists, ..fed }))
}

/// What the feed is told of many new records.
pub fn of_load(schema: &Schema, plan: &Load) -> Option<FedValues> {
    of_values(schema, plan.collection, &plan.columns)
}

fn of_values(schema: &Schema, of: CollectionId, written: &[FieldId]) -> Option<FedValues> {
    let of = schema.collection(of);
    let place = |field: FieldId| written.iter().position(|written| *written == field);
    let fields = of.stored().enumerate().map(|(at, field)| (prefix(at, &field.name), field.id, place(field.id)));
    Some(FedValues { collection: fed(of)?, fields: fields.collect(), lists: Vec::new() })
}

/// What the feed is told of an update.
pub(super) fn of_update(
    schema: &Schema,
    dialect: &dyn Dialect,
    plan: &Update,
) -> Result<Option<FedUpdate>, StoreError> {
    let of = schema.collection(plan.collection);
    let Some(collection) = fed(of) else { return Ok(None) };
    let lists = lists(schema, dialect, plan.collection, &plan.changes)?;
    let changed = members(of, changed(schema, plan).into_iter());
    Ok(Some(FedUpdate { collection, changed, all: members(of, of.stored().map(|field| field.id)), lists }))
}

/// Own fields as the members of an answer, under the names that they have there.
pub(super) fn named(outputs: &[Output]) -> Result<Vec<Member>, StoreError> {
    let member = |(at, output): (usize, &Output)| match output.value {
        OutputValue::Field(field) => Ok((prefix(at, &output.name), field)),
        _ => Err(defect("only own fields are known before a change")),
    };
    outputs.iter().enumerate().map(member).collect()
}

/// Fields as the members of an object.
fn members(of: &Collection, fields: impl Iterator<Item = FieldId>) -> Vec<Member> {
    fields.enumerate().map(|(at, field)| (prefix(at, &of.field(field).name), field)).collect()
}

/// The fields that an update changes.
pub(super) fn changed(schema: &Schema, plan: &Update) -> Vec<FieldId> {
    let counted = schema.collection(plan.collection).system.version.filter(|_| plan.counts());
    plan.set.iter().map(|(field, _)| *field).chain(counted).collect()
}

/// Reads the lists of links that change.
fn lists(
    schema: &Schema,
    dialect: &dyn Dialect,
    of: CollectionId,
    changes: &[LinkChange],
) -> Result<Vec<FedList>, StoreError> {
    let mut fields: Vec<FieldId> = changes.iter().map(|change| change.field).collect();
    fields.sort_unstable();
    fields.dedup();
    fields.into_iter().map(|field| list(schema, dialect, of, field)).collect()
}

/// Reads the list of one link of the record whose key is [`Bind::Key`].
pub(super) fn list(
    schema: &Schema,
    dialect: &dyn Dialect,
    of: CollectionId,
    field: FieldId,
) -> Result<FedList, StoreError> {
    let field = schema.collection(of).field(field);
    let FieldKind::Many { target, table } = &field.kind else {
        return Err(defect("only lists of links of their own are told to the feed"));
    };
    let mut writer = Writer::new(schema, dialect);
    let key = writer.bind_key(of);
    let [from, to, table] = [JOIN_FROM, JOIN_TO, table.as_str()].map(|name| dialect.quote(name));
    let text = format!("SELECT {to} FROM {table} WHERE {from} = {key} ORDER BY {to}");
    let kind = schema.collection(*target).key;
    let item = Cell { column: 0, decode: columns::decode_key(kind) };
    Ok(FedList { name: field.name.clone(), items: writer.finish(text), item, kind })
}

impl Writer<'_> {
    /// The whole record as the feed tells it, behind what is selected already.
    pub(super) fn image(&self, row: &Row, selected: &mut Selected) -> Image {
        let all: Vec<FieldId> = self.collection(row).stored().map(|field| field.id).collect();
        let mut own = Selected::default();
        let columns = self.whole(row, &all, &mut own);
        Image { first: selected.append(own), columns }
    }

    /// Own fields as the members of an object.
    pub(super) fn whole(&self, row: &Row, fields: &[FieldId], selected: &mut Selected) -> Vec<Column> {
        let of = self.collection(row);
        let column = |(at, field): (usize, &FieldId)| {
            let field = of.field(*field);
            selected.push(self.column(row, field.id));
            Column { prefix: prefix(at, &field.name), encode: columns::encode(self.schema, of, field) }
        };
        fields.iter().enumerate().map(column).collect()
    }
}

/// What stands before a member's value.
fn prefix(at: usize, name: &str) -> Vec<u8> {
    let mut prefix = vec![if at == 0 { b'{' } else { b',' }];
    json_string(&mut prefix, name);
    prefix.push(b':');
    prefix
}
