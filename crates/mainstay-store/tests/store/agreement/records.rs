//! Random records, the same ones in a database and in memory.
use std::collections::HashMap;

use mainstay_expr::{RecordType, Records, Symbol, Value};
use mainstay_plan::{LinkChange, LinkMode, WritePlan};
use mainstay_schema::{Collection, CollectionId, EMBEDDED_BASE, EmbeddedId, FieldId, FieldKind, Schema};
use mainstay_store::Step;

use super::{bytes::Bytes, values};
use crate::world::World;

/// Records of one collection at most.
const RECORDS_MAX: usize = 5;

/// All records of a case, in memory.
pub(crate) struct Memory<'a> {
    pub(crate) schema: &'a Schema,
    /// By collection.
    pub(crate) rows: Vec<Vec<Record>>,
}

/// One record.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) key: Value,
    /// By field.
    pub(crate) values: Vec<Value>,
    /// The positions of the records at the other end of links with a table of their own.
    many: HashMap<FieldId, Vec<usize>>,
}

/// A record by its collection and its position there.
pub(crate) type At = (CollectionId, usize);

impl<'a> Memory<'a> {
    /// Random ones. Links go to records that come before.
    pub(crate) fn draw(schema: &'a Schema, bytes: &mut Bytes<'_>) -> Memory<'a> {
        let mut memory = Memory { schema, rows: Vec::new() };
        for collection in &schema.collections {
            memory.rows.push(Vec::new());
            for number in 0..=bytes.below(RECORDS_MAX) {
                let record = memory.record(collection, number, bytes);
                memory.rows[collection.id.0 as usize].push(record);
            }
        }
        memory
    }

    fn record(&self, collection: &Collection, number: usize, bytes: &mut Bytes<'_>) -> Record {
        let key = values::key(collection.key, number);
        let mut many = HashMap::new();
        let values = collection.fields.iter().map(|field| match &field.kind {
            _ if collection.system.id == Some(field.id) => key.clone(),
            // The database counts versions itself.
            _ if collection.system.version == Some(field.id) => Value::Int(1),
            FieldKind::Many { target, .. } => {
                let there = self.rows.get(target.0 as usize).map_or(0, Vec::len);
                many.insert(field.id, (0..there).filter(|_| bytes.rarely(2)).collect());
                Value::Null
            }
            FieldKind::ToOne { target, .. } => {
                let there = &self.rows[target.0 as usize];
                let is_null = there.is_empty() || (!field.required && bytes.rarely(3));
                if is_null { Value::Null } else { there[bytes.below(there.len())].key.clone() }
            }
            FieldKind::Inverse { .. } => Value::Null,
            _ if !field.required && bytes.rarely(3) => Value::Null,
            kind => values::field(self.schema, kind, bytes),
        });
        Record { values: values.collect(), key: key.clone(), many }
    }

    pub(crate) fn at(&self, (collection, number): At) -> &Record {
        &self.rows[collection.0 as usize][number]
    }

    /// Writes all of them into the database.
    pub(crate) async fn write(&self, world: &World) {
        for (collection, rows) in self.schema.collections.iter().zip(&self.rows) {
            world.store.write(self.steps(world, collection, rows)).await.unwrap();
        }
    }

    fn steps(&self, world: &World, collection: &Collection, rows: &[Record]) -> Vec<Step> {
        let (mut plan, _) = world.create(&collection.name, Value::Null, &[]);
        let columns: Vec<FieldId> = collection.stored().map(|field| field.id).collect();
        let many = collection.fields.iter().filter(|field| matches!(field.kind, FieldKind::Many { .. }));
        let many: Vec<(FieldId, CollectionId)> = many.map(|field| (field.id, field.target().unwrap())).collect();
        let changes = many.iter().enumerate().map(|(at, (field, target))| LinkChange {
            field: *field,
            target: *target,
            mode: LinkMode::Add,
            keys: u16::try_from(columns.len() + at).unwrap(),
            visible: world.condition(&self.schema.collection(*target).name, "true"),
            add: None,
            remove: None,
            is_new: true,
        });
        (plan.columns, plan.changes) = (columns.clone(), changes.collect());
        let statement = world.store.prepare_write(&world.schema, &WritePlan::Create(plan)).unwrap();
        let step = |record: &Record| {
            let mut values: Vec<Value> = columns.iter().map(|field| record.values[field.0 as usize].clone()).collect();
            values.extend(many.iter().map(|(field, target)| {
                let key = |number: &usize| self.at((*target, *number)).key.clone();
                Value::List(record.many[field].iter().map(key).collect())
            }));
            Step::run(statement.clone(), values)
        };
        rows.iter().map(step).collect()
    }

    /// A record, for people.
    pub(crate) fn show(&self, at: At) -> String {
        let (record, collection) = (self.at(at), self.schema.collection(at.0));
        let fields = collection.fields.iter().zip(&record.values).filter(|(field, _)| field.stored());
        let mut parts: Vec<String> = fields.map(|(field, value)| format!("{}: {value:?}", field.name)).collect();
        parts.extend(record.many.iter().map(|(field, to)| format!("{}: {to:?}", collection.field(*field).name)));
        format!("{} {{ {} }}", collection.name, parts.join(", "))
    }
}

impl Records for Memory<'_> {
    type Row = At;

    fn field(&self, row: &At, symbol: Symbol) -> Value {
        self.at(*row).values[symbol.0 as usize].clone()
    }

    fn key(&self, row: &At) -> Value {
        self.at(*row).key.clone()
    }

    fn link(&self, row: &At, symbol: Symbol) -> Option<At> {
        let target = self.schema.collection(row.0).field(FieldId::of(symbol)).target()?;
        let key = self.field(row, symbol);
        let number = self.rows[target.0 as usize].iter().position(|record| record.key == key)?;
        Some((target, number))
    }

    fn links(&self, row: &At, symbol: Symbol) -> Vec<At> {
        let link = self.schema.collection(row.0).field(FieldId::of(symbol));
        match &link.kind {
            FieldKind::Many { target, .. } => {
                self.at(*row).many[&link.id].iter().map(|number| (*target, *number)).collect()
            }
            FieldKind::Inverse { target, field } => {
                let key = &self.at(*row).key;
                let rows = self.rows[target.0 as usize].iter().enumerate();
                let here = rows.filter(|(_, record)| record.values[field.0 as usize] == *key);
                here.map(|(number, _)| (*target, number)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn member(&self, of: &Value, record: RecordType, symbol: Symbol) -> Value {
        self.schema.member_value(EmbeddedId(record.0 - EMBEDDED_BASE), of, symbol.0 as usize)
    }
}
