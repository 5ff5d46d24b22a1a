//! One case: a database, and changes of its schema one after the other.
use std::sync::Arc;

use mainstay_schema::{Schema, Snapshot};
use mainstay_store::{
    MigrateError, PostgresDialect, SqliteDialect, Store,
    sql::{create_all, create_in_place},
};
use mainstay_test_db::{Engine, TestDatabase, engine};

use super::{
    change::{change, forget},
    model::Model,
    predict::predict,
    records::{self, Records},
};
use crate::{agreement::bytes::Bytes, world::load};

/// What became of the migrations.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) migrations: usize,
    pub(crate) done: usize,
    pub(crate) refused: usize,
}

/// A database and what is in it.
struct House {
    store: Store,
    database: TestDatabase,
    model: Model,
    schema: Arc<Schema>,
    records: Records,
}

pub(crate) fn run(schema: &[u8], records: &[u8], changes: &[Vec<u8>], tally: &mut Tally) -> Result<(), String> {
    let model = Model::draw(&mut Bytes::new(schema));
    let records = records::draw(&model, &mut Bytes::new(records));
    let mut house = House::new(model, records);
    for bytes in changes {
        let next = change(&house.model, &mut Bytes::new(bytes));
        let back = reverse(&house.model, &next);
        if house.follow(&next, tally)?
            && let Some(back) = back
        {
            house.follow(&back, tally)?;
            if let Some(again) = reverse(&next, &house.model) {
                house.follow(&again, tally)?;
            }
        }
    }
    house.store.close();
    Ok(())
}

/// The model before, with the names that it has now as former ones; `None` where such a name is something else by now, which
/// no schema can say in one step.
fn reverse(before: &Model, after: &Model) -> Option<Model> {
    let mut model = before.clone();
    forget(&mut model);
    for of in &mut model.types {
        let Some(now) = after.of(of.uid) else { continue };
        of.was = (now.name != of.name).then(|| now.name.clone());
        for field in &mut of.fields {
            if now.fields.iter().any(|other| other.name == field.name && other.uid != field.uid) {
                return None;
            }
            let now = now.field(field.uid).filter(|now| now.name != field.name);
            field.was = now.map(|now| now.name.clone());
        }
    }
    for (of, now) in model.enums.iter_mut().zip(&after.enums) {
        for value in &mut of.values {
            let now = now.values.iter().find(|(uid, name, _)| *uid == value.0 && *name != value.1);
            value.2 = now.map(|(_, name, _)| name.clone());
        }
    }
    Some(model)
}

impl House {
    fn new(model: Model, records: Records) -> House {
        let database = TestDatabase::new();
        let mut settings = database.settings();
        settings.sqlite.readers = 1;
        let store = Store::open(settings).unwrap();
        let schema = Arc::new(load(&model.sdl()));
        store.follow(&schema).unwrap();
        let house = House { store, database, model, schema, records };
        records::write(&house.database, &house.model, &house.schema, &house.records);
        house
    }

    /// Migrates, and compares with the model; whether the migration was carried out.
    fn follow(&mut self, next: &Model, tally: &mut Tally) -> Result<bool, String> {
        let schema = Arc::new(load(&next.sdl()));
        let expected = predict(&self.model, next, &self.records);
        let outcome = self.store.follow(&schema);
        let told = |what: &str| {
            format!("{what}\n── from\n{}── to\n{}── records\n{:?}\n", self.model.sdl(), next.sdl(), self.records)
        };
        tally.migrations += 1;
        match (expected, outcome) {
            (Ok(expected), Ok(())) => {
                tally.done += 1;
                let found = records::read(&self.database, next, &schema);
                if found != expected {
                    return Err(told(&format!("the records are {found:?}, not {expected:?}")));
                }
                (self.model, self.schema, self.records) = (next.clone(), schema, expected);
                self.check().map_err(|what| format!("{what}\n{}", self.model.sdl()))?;
                Ok(true)
            }
            (Err(_), Err(MigrateError::Offences(offences))) => {
                tally.refused += 1;
                if offences.iter().any(|offence| offence.count == 0 || offence.records.is_empty()) {
                    return Err(told(&format!("an offence without records: {offences:?}")));
                }
                if records::read(&self.database, &self.model, &self.schema) != self.records {
                    return Err(told("a refused migration has changed records"));
                }
                self.check().map_err(|what| told(&what))?;
                Ok(false)
            }
            (Ok(_), Err(error)) => Err(told(&format!("the migration should have been carried out: {error}"))),
            (Err(why), Ok(())) => Err(told(&format!("the migration should have been refused: {why}"))),
            (Err(why), Err(error)) => Err(told(&format!("refused by {error}, not by {why}"))),
        }
    }

    /// The tables are those of a fresh database, and nothing is broken.
    fn check(&self) -> Result<(), String> {
        let remembered = self.store.snapshot().unwrap().unwrap();
        if remembered != self.schema.snapshot() {
            return Err("another schema is remembered".to_owned());
        }
        let (drift, _) = self.store.drift(&remembered).unwrap();
        if !drift.is_empty() {
            return Err(format!("the tables are not those of the schema: {drift:?}"));
        }
        let (found, expected) = (objects(&self.database, "public"), fresh(&self.database, &remembered));
        if found != expected {
            return Err(format!("there is {found:?}, not {expected:?}"));
        }
        if engine() == Engine::Sqlite {
            let broken = self.database.rows("PRAGMA foreign_key_check");
            let sound = self.database.rows("PRAGMA integrity_check");
            if !broken.is_empty() || sound != [[Some("ok".to_owned())]] {
                return Err(format!("the database is not sound: {broken:?}, {sound:?}"));
            }
        }
        Ok(())
    }
}

/// What a fresh database has.
fn fresh(database: &TestDatabase, snapshot: &Snapshot) -> Vec<Vec<Option<String>>> {
    if engine() == Engine::Postgres {
        let statements = create_in_place(&PostgresDialect, snapshot).join(";\n");
        database.execute(&format!("CREATE SCHEMA fresh; SET search_path = fresh; {statements}"));
        let found = objects(database, "fresh");
        database.execute("DROP SCHEMA fresh CASCADE");
        return found;
    }
    let database = TestDatabase::new();
    std::fs::create_dir_all(database.file().parent().unwrap()).unwrap();
    database.execute(&create_all(&SqliteDialect, snapshot).join(";\n"));
    objects(&database, "")
}

/// Every table, index, sequence and constraint of the schema, by name.
fn objects(database: &TestDatabase, namespace: &str) -> Vec<Vec<Option<String>>> {
    database.rows(&match engine() {
        Engine::Sqlite => "SELECT type, name, tbl_name FROM sqlite_schema WHERE tbl_name NOT LIKE 'mainstay%' AND \
                           name <> 'sqlite_sequence' ORDER BY 1, 2"
            .to_owned(),
        Engine::Postgres => format!(
            "SELECT relkind::text, relname::text FROM pg_class WHERE relnamespace = '{namespace}'::regnamespace AND \
             relname NOT LIKE 'mainstay%' UNION ALL SELECT contype::text, conname::text FROM pg_constraint WHERE connamespace = \
             '{namespace}'::regnamespace AND conname NOT LIKE 'mainstay%' ORDER BY 1, 2"
        ),
    })
}
