//! A database of a small schema, and plans made from words.
use std::{path::PathBuf, sync::Arc};

use mainstay_expr::{AuthValues, CallerValues, Expr, Limits, Outcome, Type, Value, compile, resolve, specialise};
use mainstay_plan::{Nested, Order, Output, OutputValue, Query};
use mainstay_schema::{Collection, CollectionId, FieldId, Schema, Source};
use mainstay_store::{Page, Settings, Step, StepError, Store, StoreError, WriteError, Written};
use mainstay_test_db::{Engine, TestDatabase};
use uuid::Uuid;

/// Boards hold notes; notes link to each other, to people and to tags.
pub(crate) const SDL: &str = r#"
type Board @rules(read: "true", write: "true") {
  name: String! @unique
  notes: [Note!]! @inverse(field: "board")
}

type Person @rules(read: "true", write: "true") {
  id: String!
  chief: Person
}

type Note @rules(read: "true", write: "true") @unique(fields: ["board", "rank"])
  @check(expr: "low == null || high == null || low <= high", message: "low is above high")
{
  board: Board! @onDelete(do: CASCADE)
  author: Person @onDelete(do: SET_NULL)
  parent: Note @onDelete(do: CASCADE)
  text: String!
  rank: Int
  low: Int @check(expr: "low >= 0")
  high: Int
  tags: [Tag!]! @many
}

type Tag @rules(read: "true", write: "true") {
  id: Int!
  label: String
}

type Pin @rules(read: "true", write: "true") {
  id: Int!
  note: Note! @onDelete(do: RESTRICT)
  board: Board! @onDelete(do: CASCADE)
}

type Ping @rules(read: "true", write: "true") {
  id: Int!
  pong: Pong @onDelete(do: CASCADE)
}

type Pong @rules(read: "true", write: "true") {
  id: Int!
  ping: Ping! @onDelete(do: CASCADE)
}
"#;

/// A store on a fresh database.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) schema: Arc<Schema>,
    pub(crate) database: TestDatabase,
}

pub(crate) fn load(sdl: &str) -> Schema {
    Schema::load(&[Source { name: "schema.graphql", text: sdl }]).unwrap_or_else(|errors| panic!("{errors:?}"))
}

pub(crate) fn uuid(number: u128) -> Value {
    Value::Uuid(Uuid::from_u128(number))
}

impl World {
    pub(crate) fn new() -> World {
        World::with(|_| {})
    }

    /// With other settings.
    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> World {
        World::with_schema(load(SDL), change)
    }

    /// With another schema.
    pub(crate) fn with_schema(schema: Schema, change: impl FnOnce(&mut Settings)) -> World {
        let database = TestDatabase::new();
        let mut settings = database.settings();
        change(&mut settings);
        let store = Store::open(settings).unwrap();
        let schema = Arc::new(schema);
        store.follow(&schema).unwrap();
        World { store, schema, database }
    }

    /// On a certain engine.
    pub(crate) fn on(engine: Engine, schema: &Arc<Schema>) -> World {
        let database = TestDatabase::on(engine);
        let store = Store::open(database.settings()).unwrap();
        store.follow(schema).unwrap();
        World { store, schema: schema.clone(), database }
    }

    /// The file of the embedded database.
    pub(crate) fn path(&self) -> PathBuf {
        self.database.file()
    }

    /// A connection to the embedded database beside the store's own.
    pub(crate) fn beside(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(self.path()).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        connection
    }

    pub(crate) fn id(&self, of: &str) -> CollectionId {
        self.schema.by_name[of]
    }

    pub(crate) fn of(&self, of: &str) -> &Collection {
        self.schema.collection(self.id(of))
    }

    pub(crate) fn field(&self, of: &str, name: &str) -> FieldId {
        self.of(of).field_named(name).unwrap_or_else(|| panic!("no field {of}.{name}")).id
    }

    /// An expression over a record; the caller is `anna`, and what it reads of her is bound behind `values`.
    pub(crate) fn expr(&self, of: &str, text: &str, want: &Type, values: &mut Vec<Value>) -> Expr {
        let compiled = compile(text, &self.schema.scope(Some(self.id(of))), want, &Limits::default())
            .unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
        let auth = AuthValues { id: "anna".into(), roles: [].into(), claims: Default::default() };
        let caller = CallerValues {
            auth: Some(auth),
            time_micros: 0,
            ip: "127.0.0.1".into(),
            method: "GET".into(),
            host: "localhost".into(),
        };
        let slots = resolve(&compiled, &caller, &[]);
        let outcomes: Vec<Outcome> = slots.iter().map(|slot| slot.outcome).collect();
        specialise(&compiled.expr, &outcomes, &mut |slot| {
            values.push(slots[usize::from(slot)].value.clone());
            u16::try_from(values.len() - 1).unwrap()
        })
    }

    pub(crate) fn condition(&self, of: &str, text: &str) -> Expr {
        self.expr(of, text, &Type::Bool, &mut Vec::new())
    }

    /// `id == …`, the key bound.
    pub(crate) fn key_is(&self, of: &str, key: Value, values: &mut Vec<Value>) -> Expr {
        use mainstay_expr::{CompareOp, Node, Span, THIS};
        let of = self.id(of);
        let key_type = self.schema.collection(of).key.ty();
        let expr = |node, ty| Expr { node, ty, span: Span::default(), may_null: false, may_error: false };
        let this = expr(Node::Var(THIS), Type::Record(of.record()));
        values.push(key);
        let bound = Node::Bound(u16::try_from(values.len() - 1).unwrap());
        let (left, right) = (expr(Node::Key(Box::new(this)), key_type.clone()), expr(bound, key_type));
        expr(Node::Compare(CompareOp::Eq, Box::new(left), Box::new(right)), Type::Bool)
    }

    pub(crate) fn outputs(&self, of: &str, fields: &[&str]) -> Vec<Output> {
        let output = |name: &&str| Output { name: (*name).into(), value: OutputValue::Field(self.field(of, name)) };
        fields.iter().map(output).collect()
    }

    pub(crate) fn query(&self, of: &str, condition: &str, fields: &[&str]) -> Query {
        Query::new(self.id(of), self.condition(of, condition), self.outputs(of, fields))
    }

    pub(crate) fn order(&self, of: &str, by: &str, descending: bool) -> Order {
        Order { by: self.expr(of, by, &Type::Null, &mut Vec::new()), descending }
    }

    pub(crate) fn nested(&self, of: &str, link: &str, fields: &[&str]) -> Nested {
        let field = self.of(of).field(self.field(of, link));
        let target = field.target().unwrap();
        let name = self.schema.collection(target).name.clone();
        Nested {
            field: field.id,
            target,
            condition: self.condition(&name, "true"),
            order: vec![self.order(&name, "id", false)],
            limit: None,
            select: self.outputs(&name, fields),
        }
    }

    pub(crate) async fn try_read(&self, query: &Query, values: Vec<Value>) -> Result<Page, StoreError> {
        let statement = self.store.prepare_read(&self.schema, query).unwrap();
        self.store.read(&statement, values, Vec::new()).await
    }

    pub(crate) async fn read(&self, query: &Query, values: Vec<Value>) -> Page {
        self.try_read(query, values).await.unwrap()
    }

    /// What a read answers, as text.
    pub(crate) async fn show(&self, of: &str, condition: &str, fields: &[&str]) -> String {
        let query = Query { order: vec![self.order(of, "id", false)], ..self.query(of, condition, fields) };
        String::from_utf8(self.read(&query, Vec::new()).await.json).unwrap()
    }

    pub(crate) async fn try_write(&self, step: Step) -> Result<Written, StepError> {
        match self.store.write(vec![step]).await {
            Ok(written) => Ok(written.into_iter().next().unwrap()),
            Err(WriteError { error, .. }) => Err(error),
        }
    }

    pub(crate) async fn write(&self, step: Step) -> Written {
        self.try_write(step).await.unwrap()
    }

    pub(crate) async fn board(&self, number: u128) -> Value {
        let name = Value::text(format!("board {number}"));
        self.write(self.create_step("Board", uuid(number), &[("name", name)])).await.key
    }

    pub(crate) async fn note(&self, number: u128, board: &Value, fields: &[(&str, Value)]) -> Value {
        let mut all = vec![("board", board.clone()), ("text", Value::text(format!("note {number}")))];
        all.extend_from_slice(fields);
        self.write(self.create_step("Note", uuid(number), &all)).await.key
    }
}

/// The text of an answered record.
pub(crate) fn text(written: &Written) -> &str {
    written.record.as_deref().map_or("-", |record| std::str::from_utf8(record).unwrap())
}
