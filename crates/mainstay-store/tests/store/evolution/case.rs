//! One case: a database, and changes of its schema one after the other.
use std::{collections::BTreeSet, sync::Arc};

use mainstay_schema::Schema;
use mainstay_store::{MigrateError, Settings, SqliteDialect, Store, sql::create_all};
use rusqlite::Connection;
use tempfile::TempDir;

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
    folder: TempDir,
    store: Store,
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

fn open(folder: &TempDir) -> Store {
    let mut settings = Settings::at(folder.path().join("app.db"));
    (settings.durable, settings.sqlite.readers) = (false, 1);
    Store::open(settings).unwrap()
}

impl House {
    fn new(model: Model, records: Records) -> House {
        let folder = TempDir::new().unwrap();
        let store = open(&folder);
        let schema = Arc::new(load(&model.sdl()));
        store.follow(&schema).unwrap();
        let house = House { folder, store, model, schema, records };
        records::write(&house.beside(), &house.model, &house.schema, &house.records);
        house
    }

    fn beside(&self) -> Connection {
        let connection = Connection::open(self.folder.path().join("app.db")).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        connection
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
                let found = records::read(&self.beside(), next, &schema);
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
                if records::read(&self.beside(), &self.model, &self.schema) != self.records {
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
        let other = Connection::open_in_memory().unwrap();
        create_all(&SqliteDialect, &remembered).iter().for_each(|sql| other.execute_batch(sql).unwrap());
        let (found, expected) = (objects(&self.beside()), objects(&other));
        if found != expected {
            return Err(format!("there is {found:?}, not {expected:?}"));
        }
        let connection = self.beside();
        let broken = connection.query_row("PRAGMA foreign_key_check", [], |row| row.get::<_, String>(0));
        let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        match (broken, &*sound) {
            (Err(rusqlite::Error::QueryReturnedNoRows), "ok") => Ok(()),
            (broken, sound) => Err(format!("the database is not sound: {broken:?}, {sound}")),
        }
    }
}

/// Every table and index of the schema, by name.
fn objects(connection: &Connection) -> BTreeSet<(String, String, String)> {
    let mut statement = connection
        .prepare("SELECT type, name, tbl_name FROM sqlite_schema WHERE tbl_name NOT LIKE 'mainstay%'")
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.filter(|row| row.as_ref().is_ok_and(|row: &(String, String, String)| row.1 != "sqlite_sequence"))
        .collect::<Result<_, _>>()
        .unwrap()
}
