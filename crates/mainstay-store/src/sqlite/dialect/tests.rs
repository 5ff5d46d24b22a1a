//! Statements of the dialect, run by SQLite.
mod answers;
mod leaks;
mod plans;

use mainstay_expr::{Expr, Value};
use mainstay_plan::{Create, Query};
use mainstay_schema::{FieldId, Migration, Schema};
use rusqlite::Connection;

use super::SqliteDialect;
use crate::{
    exec::Inputs,
    sql::{Sql, create, migration, query, tests::fixture::Plans},
    sqlite::{bind, functions, row},
};

/// A database in memory with the tables of a schema.
struct Database<'a> {
    schema: &'a Schema,
    connection: Connection,
}

impl<'a> Database<'a> {
    fn new(schema: &'a Schema) -> Database<'a> {
        let connection = Connection::open_in_memory().expect("there is memory");
        functions::register(&connection).expect("the functions are new");
        let database = Database { schema, connection };
        database.apply(&Migration::between(None, schema), schema);
        database
    }

    /// The statements of a migration.
    fn apply(&self, of: &Migration, schema: &Schema) {
        for sql in migration(&SqliteDialect, of, schema).expect("it renders").statements {
            self.connection.execute_batch(&sql.text).unwrap_or_else(|error| panic!("{}: {error}", sql.text));
        }
    }

    /// A new record with these fields; system fields are given.
    fn insert(&self, of: &str, fields: &[(&str, Value)]) {
        let plans = Plans::new(self.schema);
        let moment = Value::Timestamp(0);
        let system = [("createdAt", moment.clone()), ("updatedAt", moment), ("version", Value::Int(1))];
        let system = system.into_iter().filter(|(name, _)| fields.iter().all(|(given, _)| given != name));
        let all: Vec<(&str, Value)> = fields.iter().cloned().chain(system).collect();
        let columns: Vec<FieldId> = all.iter().map(|(name, _)| plans.field(of, name)).collect();
        let values: Vec<Value> = all.into_iter().map(|(_, value)| value).collect();
        let plan = Create::new(plans.id(of), columns);
        let sql = create(self.schema, &SqliteDialect, &plan).expect("it renders");
        self.rows(&sql.insert, &values, |_| ());
    }

    fn rows<T>(&self, sql: &Sql, values: &[Value], map: impl Fn(&rusqlite::Row<'_>) -> T) -> Vec<T> {
        let mut statement = self.connection.prepare(&sql.text).unwrap_or_else(|error| panic!("{}: {error}", sql.text));
        bind::bind(&mut statement, sql, &Inputs::of(values)).expect("the binds fit");
        let mut rows = statement.raw_query();
        let mut mapped = Vec::new();
        while let Some(row) = rows.next().unwrap_or_else(|error| panic!("{}: {error}", sql.text)) {
            mapped.push(map(row));
        }
        mapped
    }

    /// The records of a read, as JSON.
    fn read(&self, plan: &Query, values: &[Value]) -> Vec<String> {
        let read = query(self.schema, &SqliteDialect, plan).unwrap_or_else(|error| panic!("{error}"));
        self.rows(&read.page, values, |row| {
            let mut json = Vec::new();
            row::write_object(row, &read.columns, &mut json).expect("the columns are encoded");
            String::from_utf8(json).expect("JSON is UTF-8")
        })
    }

    /// The `title`s of the posts that a condition is true of.
    fn titles(&self, plans: &mut Plans<'_>, condition: Expr) -> Vec<String> {
        let mut plan = plans.query("Post", "true", &["title"]);
        plan.condition = condition;
        plan.order = plans.order("Post", "title");
        let json = self.read(&plan, &plans.values);
        let title = |json: &String| json.trim_start_matches(r#"{"title":""#).trim_end_matches(r#""}"#).to_owned();
        json.iter().map(title).collect()
    }

    /// The engine's plan for a read.
    fn explain(&self, plan: &Query, values: &[Value]) -> String {
        let mut read = query(self.schema, &SqliteDialect, plan).expect("it renders").page;
        read.text.insert_str(0, "EXPLAIN QUERY PLAN ");
        self.rows(&read, values, |row| row.get::<_, String>(3).expect("the detail is text")).join("\n")
    }
}

/// The post that every test has: only what must be there.
fn post(title: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("id", Value::text(format!("post-{title}"))),
        ("title", Value::text(title)),
        ("org", Value::text("org")),
        ("numbers", Value::List([].into())),
    ]
}
