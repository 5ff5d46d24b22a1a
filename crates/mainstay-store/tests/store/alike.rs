//! Both engines answer alike, byte for byte: whole records with all that hangs on them, pages behind each other in every order, groups.
//!
//! Random schemas and records; `ALIKE_CASES` asks for more cases, `ALIKE_SEED` for others.
use std::{env, sync::Arc};

use mainstay_expr::{Expr, Type, Value};
use mainstay_plan::{
    Aggregate, Count, Figure, Group, GroupFigure, GroupKey, GroupOrder, LinkFigure, Nested, Output, OutputValue,
    PathValue, Query, TimePart,
};
use mainstay_schema::{Collection, CollectionId, Field, FieldKind, Scalar};
use mainstay_store::{Page, ReadStatement, StoreError};
use mainstay_test_db::{Engine, postgres_only};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{RngSeed, TestRunner},
};

use crate::{
    agreement::{bytes::Bytes, records::Memory, schemas},
    world::World,
};

const CASES: u32 = 12;
const SEED: u64 = 1;
/// Records of a page.
const PAGE: i64 = 2;

#[test]
fn both_engines_answer_alike() {
    postgres_only!("it compares with the embedded one");
    let number = |name: &str, default: u64| env::var(name).map_or(default, |text| text.parse().unwrap());
    let cases = u32::try_from(number("ALIKE_CASES", u64::from(CASES))).unwrap();
    let rng_seed = RngSeed::Fixed(number("ALIKE_SEED", SEED));
    let config = ProptestConfig { cases, rng_seed, failure_persistence: None, ..ProptestConfig::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let drawn = (vec(any::<u8>(), 20..40), vec(any::<u8>(), 200..500));
    let asked = TestRunner::new(config).run(&drawn, |(schema, records)| {
        let schema = Arc::new(schemas::schema(&mut Bytes::new(&schema)));
        let outcome = runtime.block_on(async {
            let [one, other] = [Engine::Sqlite, Engine::Postgres].map(|engine| World::on(engine, &schema));
            let memory = Memory::draw(&schema, &mut Bytes::new(&records));
            memory.write(&one).await;
            memory.write(&other).await;
            let mut outcome = Ok(());
            for of in &schema.collections {
                outcome = outcome.and(Both { worlds: [&one, &other], of }.compare().await);
            }
            one.store.close();
            other.store.close();
            outcome
        });
        outcome.map_err(TestCaseError::fail)
    });
    if let Err(error) = asked {
        panic!("the engines differ: {error}");
    }
}

/// A collection on both engines.
struct Both<'a> {
    worlds: [&'a World; 2],
    of: &'a Collection,
}

impl Both<'_> {
    async fn compare(&self) -> Result<(), String> {
        for field in self.of.fields.iter().filter(|field| sortable(field)) {
            for descending in [false, true] {
                self.pages(field, descending).await?;
            }
            self.groups(field).await?;
        }
        Ok(())
    }

    /// All pages of an order, with the whole records.
    async fn pages(&self, by: &Field, descending: bool) -> Result<(), String> {
        let query = |world: &World, after: Option<Vec<Option<u16>>>| Query {
            order: vec![world.order(&self.of.name, &by.name, descending), world.order(&self.of.name, "id", descending)],
            limit: Some(0),
            select: outputs(world, self.of, 2),
            after,
            count: Count::Too,
            ..world.query(&self.of.name, "true", &[])
        };
        let (mut after, mut values) = (None, vec![Value::Int(PAGE)]);
        loop {
            let [one, other] =
                self.worlds.map(|world| world.store.prepare_read(&world.schema, &query(world, after.clone())));
            let Some(page) = self.same([one, other], &values).await? else { return Ok(()) };
            if !page.more {
                return Ok(());
            }
            values = vec![Value::Int(PAGE)];
            let of = page.last.iter().map(|value| match value {
                Value::Null => None,
                value => {
                    values.push(value.clone());
                    Some(u16::try_from(values.len() - 1).unwrap())
                }
            });
            after = Some(of.collect());
        }
    }

    /// Records in groups by a field, with every figure of every other.
    async fn groups(&self, by: &Field) -> Result<(), String> {
        let is_moment = matches!(by.kind, FieldKind::Scalar(Scalar::DateTime));
        let parts: &[Option<TimePart>] = match is_moment {
            true => &[None, Some(TimePart::Year), Some(TimePart::Month), Some(TimePart::Day), Some(TimePart::Hour)],
            false => &[None],
        };
        for part in parts {
            let group = |world: &World| Group {
                collection: self.of.id,
                condition: world.condition(&self.of.name, "true"),
                keys: vec![GroupKey { name: "by".into(), value: path(world, self.of, by), part: *part }],
                figures: figures(world, self.of),
                order: vec![GroupOrder { column: 0, descending: is_moment }],
                after: None,
                limit: 0,
            };
            let statements = self.worlds.map(|world| world.store.prepare_group(&world.schema, &group(world)));
            self.same(statements, &[Value::Int(100)]).await?;
        }
        Ok(())
    }

    /// What both answer; `None` where both fail in the same way.
    async fn same(
        &self,
        [one, other]: [Result<Arc<ReadStatement>, StoreError>; 2],
        values: &[Value],
    ) -> Result<Option<Page>, String> {
        let (one, other) = (one.unwrap(), other.unwrap());
        let [a, b] = self.worlds.map(|world| &world.store);
        let a = a.read(&one, values.to_vec(), Vec::new()).await;
        let b = b.read(&other, values.to_vec(), Vec::new()).await;
        let shown = |page: &Result<Page, StoreError>| match page {
            Ok(page) => format!(
                "{}\n{:?} {} {:?}",
                String::from_utf8_lossy(&page.json).replace("-0.0", "0.0"),
                page.last,
                page.rows,
                page.count
            ),
            Err(error) => error.to_string(),
        };
        if shown(&a) != shown(&b) {
            return Err(format!("\n{}\n{}\n{}\n{}\n{values:?}", shown(&a), shown(&b), one.sql(), other.sql()));
        }
        Ok(b.ok())
    }
}

/// Whether records can be sorted by a field.
fn sortable(field: &Field) -> bool {
    match &field.kind {
        FieldKind::Scalar(scalar) => *scalar != Scalar::Json,
        FieldKind::Enum(_) | FieldKind::ToOne { .. } => true,
        _ => false,
    }
}

fn path(world: &World, of: &Collection, field: &Field) -> PathValue {
    let by: Expr = world.expr(&of.name, &field.name, &Type::Null, &mut Vec::new());
    PathValue { by, collection: of.id, field: field.id }
}

fn figures(world: &World, of: &Collection) -> Vec<GroupFigure> {
    let mut figures = Vec::new();
    let mut add = |aggregate: Aggregate, of: Option<PathValue>| {
        let name = format!("f{}", figures.len()).into();
        figures.push(GroupFigure { name, figure: Figure { aggregate, of } });
    };
    add(Aggregate::Count, None);
    for field in of.fields.iter().filter(|field| sortable(field)) {
        add(Aggregate::Count, Some(path(world, of, field)));
        add(Aggregate::CountDistinct, Some(path(world, of, field)));
        if field.target().is_none() {
            add(Aggregate::Min, Some(path(world, of, field)));
            add(Aggregate::Max, Some(path(world, of, field)));
        }
        // Floats add up differently in another order.
        if matches!(field.kind, FieldKind::Scalar(Scalar::Int | Scalar::Decimal { .. })) {
            add(Aggregate::Avg, Some(path(world, of, field)));
        }
        if matches!(field.kind, FieldKind::Scalar(Scalar::Int | Scalar::Long | Scalar::Decimal { .. })) {
            add(Aggregate::Sum, Some(path(world, of, field)));
        }
    }
    figures
}

/// All fields of a record, and what its links lead to, so deep.
fn outputs(world: &World, of: &Collection, depth: usize) -> Vec<Output> {
    let mut outputs = Vec::new();
    for field in &of.fields {
        let mut add = |name: String, value: OutputValue| outputs.push(Output { name: name.into(), value });
        if field.stored() {
            add(field.name.to_string(), OutputValue::Field(field.id));
        }
        let Some(target) = field.target().filter(|_| depth > 0) else { continue };
        let nested = |depth: usize, limit: Option<u32>| nested(world, field, target, depth, limit);
        if matches!(field.kind, FieldKind::ToOne { .. }) {
            add(format!("{}One", field.name), OutputValue::One(nested(depth - 1, None).into()));
        } else {
            add(format!("{}All", field.name), OutputValue::Many(nested(depth - 1, None).into()));
            add(format!("{}Some", field.name), OutputValue::Many(nested(0, Some(2)).into()));
            add(format!("{}Keys", field.name), OutputValue::Keys(nested(0, None).into()));
            let figure = Figure { aggregate: Aggregate::Count, of: None };
            let figure = LinkFigure { records: nested(0, None), figure };
            add(format!("{}Size", field.name), OutputValue::Figure(figure.into()));
        }
    }
    outputs
}

fn nested(world: &World, field: &Field, target: CollectionId, depth: usize, limit: Option<u32>) -> Nested {
    let target = world.schema.collection(target);
    Nested {
        field: field.id,
        target: target.id,
        condition: world.condition(&target.name, "true"),
        order: vec![world.order(&target.name, "id", true)],
        limit,
        select: outputs(world, target, depth),
    }
}
