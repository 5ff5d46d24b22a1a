//! A schema with everything in it, and plans made from words.
use mainstay_expr::{
    AuthValues, CallerValues, Expr, Limits, Outcome, Type, Value, compile, resolve, specialise, with_guards,
};
use mainstay_plan::{Aggregate, Figure, LinkFigure, Nested, Order, Output, OutputValue, Query};
use mainstay_schema::{Collection, CollectionId, FieldId, Schema, Source};

const SDL: &str = r#"
enum Status { OPEN CLOSED ARCHIVED }

type Address @embedded {
  city: String!
  zip: String
  floor: Int
  area: Long
  rent: Decimal @decimal(precision: 10, scale: 2)
  tags: [String!]
}

type Org @rules(read: "true", write: "true") @changes(off: true) {
  name: String!
  parent: Org
  owner: ID
  members: [Member!]! @inverse(field: "org")
  posts: [Post!]! @inverse(field: "org")
}

type Member @rules(read: "true", write: "true") @changes(off: true) @unique(fields: ["org", "user"]) {
  org: Org! @onDelete(do: CASCADE)
  user: ID! @index
  role: String
}

type Tag @rules(read: "true", write: "true") @changes(off: true) {
  id: String!
  label: String
}

type Visit @rules(read: "true", write: "true") @changes(off: true) {
  id: Int!
  at: DateTime!
  post: Post @onDelete(do: SET_NULL)
}

type Post @rules(read: "true", write: "true") @changes(off: true) @index(fields: ["status", "score"]) @index(fields: ["createdAt"]) {
  title: String! @unique
  body: String
  owner: ID @index
  org: Org! @onDelete(do: RESTRICT)
  reviewer: Member
  score: Int
  big: Long
  ratio: Float
  price: Decimal @decimal(precision: 12, scale: 2)
  published: Boolean! @default(value: true)
  flagged: Boolean
  status: Status! @default(value: OPEN)
  due: Date
  at: Time
  seen: DateTime
  ref: UUID
  blob: Bytes
  meta: JSON
  words: [String!]
  numbers: [Int!]!
  bigs: [Long!]
  prices: [Decimal!] @decimal(precision: 12, scale: 2)
  states: [Status!]
  address: Address
  tags: [Tag!]! @many
  visits: [Visit!]! @inverse(field: "post")
}
"#;

/// The schema of the tests.
pub(crate) fn schema() -> Schema {
    match Schema::load(&[Source { name: "schema.graphql", text: SDL }]) {
        Ok(schema) => schema,
        Err(diagnostics) => panic!("the fixture does not load: {diagnostics:?}"),
    }
}

/// A caller with this id and the role `editor`; `None`: anonymous.
pub(crate) fn caller(id: Option<&str>) -> CallerValues {
    CallerValues {
        auth: id.map(|id| AuthValues {
            id: id.into(),
            roles: [Value::text("editor")].into(),
            claims: Default::default(),
        }),
        time_micros: 1_700_000_000_000_000,
        ip: "127.0.0.1".into(),
        method: "GET".into(),
        host: "localhost".into(),
    }
}

/// A plan in the making, with the values that it binds.
pub(crate) struct Plans<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) caller: CallerValues,
    pub(crate) values: Vec<Value>,
}

impl<'a> Plans<'a> {
    /// For the caller `anna`.
    pub(crate) fn new(schema: &'a Schema) -> Plans<'a> {
        Plans { schema, caller: caller(Some("anna")), values: Vec::new() }
    }

    pub(crate) fn id(&self, name: &str) -> CollectionId {
        *self.schema.by_name.get(name).unwrap_or_else(|| panic!("no type {name}"))
    }

    pub(crate) fn of(&self, name: &str) -> &'a Collection {
        self.schema.collection(self.id(name))
    }

    pub(crate) fn field(&self, of: &str, name: &str) -> FieldId {
        self.of(of).field_named(name).unwrap_or_else(|| panic!("no field {of}.{name}")).id
    }

    /// Binds a value.
    pub(crate) fn value(&mut self, value: Value) -> u16 {
        self.values.push(value);
        (self.values.len() - 1) as u16
    }

    /// An expression of this type for the caller.
    pub(crate) fn expr(&mut self, of: &str, text: &str, want: &Type) -> Expr {
        let compiled = match compile(text, &self.schema.scope(Some(self.id(of))), want, &Limits::default()) {
            Ok(compiled) => compiled,
            Err(problems) => panic!("{text}: {problems:?}"),
        };
        let slots = resolve(&compiled, &self.caller, &[]);
        let outcomes: Vec<Outcome> = slots.iter().map(|slot| slot.outcome).collect();
        specialise(&compiled.expr, &outcomes, &mut |slot| self.value(slots[usize::from(slot)].value.clone()))
    }

    /// A condition for the caller.
    pub(crate) fn condition(&mut self, of: &str, text: &str) -> Expr {
        self.expr(of, text, &Type::Bool)
    }

    /// A condition whose links all have this guard on the type `guarded`.
    pub(crate) fn guarded(&mut self, of: &str, text: &str, guarded: &str, guard: &str) -> Expr {
        let condition = self.condition(of, text);
        let (target, guard) = (self.id(guarded).record(), self.condition(guarded, guard));
        with_guards(&condition, &mut |_, _, record| (record == target).then(|| guard.clone().into()))
    }

    /// A read of all records that obey the condition, with these fields.
    pub(crate) fn query(&mut self, of: &str, condition: &str, fields: &[&str]) -> Query {
        Query::new(self.id(of), self.condition(of, condition), self.fields(of, fields))
    }

    pub(crate) fn fields(&self, of: &str, fields: &[&str]) -> Vec<Output> {
        let output = |name: &&str| output(name, OutputValue::Field(self.field(of, name)));
        fields.iter().map(output).collect()
    }

    /// `-createdAt,id`: sort keys.
    pub(crate) fn order(&mut self, of: &str, keys: &str) -> Vec<Order> {
        keys.split(',')
            .map(|key| {
                let (descending, text) = key.strip_prefix('-').map_or((false, key), |text| (true, text));
                Order { by: self.expr(of, text, &Type::Null), descending }
            })
            .collect()
    }

    /// Records at the other end of a link, with these fields.
    pub(crate) fn nested(&mut self, of: &str, field: &str, condition: &str, fields: &[&str]) -> Nested {
        let link = self.of(of).field(self.field(of, field));
        let target = link.target().unwrap_or_else(|| panic!("{of}.{field} is no link"));
        let name = self.schema.collection(target).name.clone();
        Nested {
            field: link.id,
            target,
            condition: self.condition(&name, condition),
            order: Vec::new(),
            limit: None,
            select: self.fields(&name, fields),
        }
    }
}

/// A named output.
pub(crate) fn output(name: &str, value: OutputValue) -> Output {
    Output { name: name.into(), value }
}

/// How many records there are at the other end.
pub(crate) fn size(records: Nested) -> OutputValue {
    OutputValue::Figure(LinkFigure { records, figure: Figure { aggregate: Aggregate::Count, of: None } }.into())
}
