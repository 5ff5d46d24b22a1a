//! A small world for tests: a scope of a few types, records in memory, callers.
use std::{collections::BTreeMap, sync::Arc};

use crate::{
    AuthValues, CallerValues, Compiled, EnumType, EvalError, Expr, Limits, Member, Nearest, Node, Outcome, Problem,
    RecordType, Records, Scope, SlotValue, Symbol, Type, Value, compile, eval, resolve, specialise, wire,
};

pub(crate) const POST: RecordType = RecordType(0);
pub(crate) const USER: RecordType = RecordType(1);
pub(crate) const ORG: RecordType = RecordType(2);
pub(crate) const COMMENT: RecordType = RecordType(3);
pub(crate) const CATEGORY: RecordType = RecordType(4);
pub(crate) const ADDRESS: RecordType = RecordType(5);
pub(crate) const STATUS: EnumType = EnumType(0);

/// `U1` and so on stand for these users.
pub(crate) fn user_key(number: u8) -> String {
    format!("019a9f3e-7c1d-7b52-8a6e-00000000000{number}")
}

enum Kind {
    Field(Type, bool),
    Link(RecordType, bool),
    Links(RecordType),
    Define(&'static str),
}

fn members() -> Vec<(RecordType, &'static str, Kind)> {
    use Kind::{Define, Field, Link, Links};
    let list = |ty| Type::List(Box::new(ty));
    vec![
        (POST, "title", Field(Type::String, false)),
        (POST, "published", Field(Type::Bool, false)),
        (POST, "score", Field(Type::Int, true)),
        (POST, "views", Field(Type::Int, false)),
        (POST, "price", Field(Type::Decimal(2), false)),
        (POST, "tax", Field(Type::Decimal(3), false)),
        (POST, "rating", Field(Type::Float, true)),
        (POST, "status", Field(Type::Enum(STATUS), false)),
        (POST, "tags", Field(list(Type::String), false)),
        (POST, "created", Field(Type::Timestamp, false)),
        (POST, "day", Field(Type::Date, true)),
        (POST, "owner", Field(Type::String, true)),
        (POST, "token", Field(Type::Uuid, false)),
        (POST, "meta", Field(Type::Json, true)),
        (POST, "address", Field(Type::Embedded(ADDRESS), true)),
        (POST, "flag", Field(Type::Bool, true)),
        (POST, "author", Link(USER, true)),
        (POST, "category", Link(CATEGORY, false)),
        (POST, "comments", Links(COMMENT)),
        (POST, "isOwn", Define("author == auth.id")),
        (POST, "looped", Define("looped || published")),
        (USER, "name", Field(Type::String, false)),
        (USER, "org", Link(ORG, true)),
        (USER, "born", Field(Type::Date, true)),
        (ORG, "name", Field(Type::String, false)),
        (ORG, "members", Links(USER)),
        (ORG, "isMember", Define("members.exists(m, m == auth.id)")),
        (COMMENT, "score", Field(Type::Int, true)),
        (COMMENT, "text", Field(Type::String, false)),
        (COMMENT, "author", Link(USER, true)),
        (CATEGORY, "slug", Field(Type::String, false)),
        (ADDRESS, "city", Field(Type::String, false)),
        (ADDRESS, "zip", Field(Type::String, true)),
    ]
}

/// The names of this world.
pub(crate) struct World {
    members: Vec<(RecordType, &'static str, Kind)>,
}

impl World {
    pub(crate) fn new() -> World {
        World { members: members() }
    }

    pub(crate) fn name(&self, symbol: Symbol) -> &'static str {
        self.members[symbol.0 as usize].1
    }

    /// A symbol's name, for [`crate::show`].
    pub(crate) fn show(&self, expr: &Expr) -> String {
        crate::show(expr, &|symbol| self.name(symbol).to_owned())
    }
}

impl Scope for World {
    fn this(&self) -> Option<RecordType> {
        Some(POST)
    }

    fn member(&self, of: RecordType, name: &str) -> Result<Member, Nearest> {
        if name == "id" && of != ADDRESS {
            return Ok(Member::Key);
        }
        let found = self.members.iter().position(|(record, known, _)| *record == of && *known == name);
        let Some(index) = found else {
            let near = self.members.iter().find(|(record, known, _)| *record == of && known[..1] == name[..1]);
            return Err(Nearest(near.map(|(_, known, _)| (*known).to_owned())));
        };
        let symbol = Symbol(u32::try_from(index).expect("few"));
        Ok(match &self.members[index].2 {
            Kind::Field(ty, nullable) => Member::Field { symbol, ty: ty.clone(), nullable: *nullable },
            Kind::Link(target, nullable) => Member::Link { symbol, target: *target, nullable: *nullable },
            Kind::Links(target) => Member::Links { symbol, target: *target },
            Kind::Define(text) => Member::Define(Arc::from(*text)),
        })
    }

    fn define(&self, name: &str) -> Option<Arc<str>> {
        match name {
            "isEditor" => Some(Arc::from("'editor' in auth.roles")),
            "broken" => Some(Arc::from("'é' == 1")),
            _ => None,
        }
    }

    fn rule(&self, of: RecordType, action: &str) -> Result<Option<Arc<str>>, Nearest> {
        match (of, action) {
            (CATEGORY, "read") => Ok(Some(Arc::from("slug == 'core' || isEditor"))),
            (COMMENT, "read") => Ok(Some(Arc::from("author == auth.id && can(author, 'update')"))),
            (USER, "update") => Ok(Some(Arc::from("name == 'anna'"))),
            (_, "read" | "update") => Ok(None),
            _ => Err(Nearest(Some("read".to_owned()))),
        }
    }

    fn claim(&self, name: &str) -> Result<Type, Nearest> {
        match name {
            "org" => Ok(Type::Int),
            "plan" => Ok(Type::String),
            "team" => Ok(Type::List(Box::new(Type::String))),
            _ => Err(Nearest(Some("plan".to_owned()))),
        }
    }

    fn key(&self, of: RecordType) -> Type {
        match of {
            ORG => Type::Int,
            CATEGORY => Type::String,
            _ => Type::Uuid,
        }
    }

    fn enum_value(&self, _: EnumType, value: &str) -> Result<(), Nearest> {
        if ["DRAFT", "OPEN", "DONE"].contains(&value) { Ok(()) } else { Err(Nearest(Some("DRAFT".to_owned()))) }
    }

    fn record_name(&self, of: RecordType) -> String {
        ["Post", "User", "Org", "Comment", "Category", "Address"][of.0 as usize].to_owned()
    }

    fn enum_name(&self, _: EnumType) -> String {
        "Status".to_owned()
    }
}

/// A record in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) key: Option<Value>,
    pub(crate) fields: BTreeMap<&'static str, Value>,
    pub(crate) links: BTreeMap<&'static str, Row>,
    pub(crate) lists: BTreeMap<&'static str, Vec<Row>>,
}

impl Row {
    pub(crate) fn user(number: u8) -> Row {
        let key = wire::parse_uuid(&user_key(number)).expect("a UUID");
        Row { key: Some(Value::Uuid(key)), ..Row::default() }.with("name", Value::text(format!("user{number}")))
    }

    pub(crate) fn with(mut self, name: &'static str, value: Value) -> Row {
        self.fields.insert(name, value);
        self
    }

    pub(crate) fn link(mut self, name: &'static str, row: Row) -> Row {
        self.links.insert(name, row);
        self
    }

    pub(crate) fn list(mut self, name: &'static str, rows: Vec<Row>) -> Row {
        self.lists.insert(name, rows);
        self
    }

    /// A post with a value for each field that may not be null, and nothing else.
    pub(crate) fn post() -> Row {
        let decimal = |text, scale| Value::Decimal(wire::parse_decimal(text, scale).expect("a decimal"));
        let token = wire::parse_uuid(&user_key(9)).expect("a UUID");
        let created = wire::parse_timestamp("2026-11-21T02:50:45Z").expect("a moment");
        Row { key: Some(Value::Uuid(token)), ..Row::default() }
            .with("title", Value::text("Crème"))
            .with("published", Value::Bool(false))
            .with("views", Value::Int(7))
            .with("price", decimal("12.50", 2))
            .with("tax", decimal("0.125", 3))
            .with("status", Value::text("OPEN"))
            .with("tags", Value::List([Value::text("a"), Value::text("b")].into()))
            .with("created", Value::Timestamp(created))
            .with("token", Value::Uuid(token))
            .link(
                "category",
                Row { key: Some(Value::text("core")), ..Row::default() }.with("slug", Value::text("core")),
            )
    }
}

impl Records for World {
    type Row = Row;

    fn field(&self, row: &Row, symbol: Symbol) -> Value {
        let name = self.name(symbol);
        match row.links.get(name) {
            Some(other) => Records::key(self, other),
            None => row.fields.get(name).cloned().unwrap_or(Value::Null),
        }
    }

    fn key(&self, row: &Row) -> Value {
        row.key.clone().unwrap_or(Value::Null)
    }

    fn link(&self, row: &Row, symbol: Symbol) -> Option<Row> {
        row.links.get(self.name(symbol)).cloned()
    }

    fn links(&self, row: &Row, symbol: Symbol) -> Vec<Row> {
        row.lists.get(self.name(symbol)).cloned().unwrap_or_default()
    }

    fn member(&self, of: &Value, _: RecordType, symbol: Symbol) -> Value {
        let Value::Json(text) = of else { return Value::Null };
        let json: serde_json::Value = serde_json::from_str(text).expect("JSON");
        json.get(self.name(symbol)).and_then(|value| value.as_str()).map_or(Value::Null, Value::text)
    }
}

/// Nobody.
pub(crate) fn anonymous() -> CallerValues {
    CallerValues {
        auth: None,
        time_micros: wire::parse_timestamp("2026-11-22T00:00:00Z").expect("a moment"),
        ip: Arc::from("127.0.0.1"),
        method: Arc::from("GET"),
        host: Arc::from("localhost"),
    }
}

/// A signed-in caller with this id.
pub(crate) fn caller(id: &str) -> CallerValues {
    let claims = BTreeMap::from([
        (Arc::from("plan"), Value::text("pro")),
        (Arc::from("team"), Value::List([Value::text(user_key(1)), Value::text("nobody")].into())),
    ]);
    let auth = AuthValues { id: Arc::from(id), roles: [Value::text("editor")].into(), claims };
    CallerValues { auth: Some(auth), ..anonymous() }
}

/// Compiles with `p.` values allowed.
pub(crate) fn compiled(text: &str, want: &Type) -> Result<Compiled, Vec<Problem>> {
    compile(text, &World::new(), want, &Limits::default().with_params())
}

/// The value for a record and a caller, through slots, folding and evaluation; it must be the same without folding.
pub(crate) fn run(text: &str, row: &Row, caller: &CallerValues, params: &[Value]) -> Result<Value, EvalError> {
    let compiled = compiled(text, &Type::Null).unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
    let slots = resolve(&compiled, caller, params);
    let outcomes: Vec<Outcome> = slots.iter().map(|slot| slot.outcome).collect();
    let mut bound = Vec::new();
    let folded = specialise(&compiled.expr, &outcomes, &mut |slot| {
        bound.push(slots[usize::from(slot)].value.clone());
        u16::try_from(bound.len() - 1).expect("few")
    });
    let value = eval(&folded, &World::new(), row, &bound);
    let plain = eval(&substituted(&compiled.expr, &slots), &World::new(), row, &[]);
    assert_eq!(value.as_ref().ok(), plain.as_ref().ok(), "folding changed the meaning of {text}: {folded}");
    if let Ok(value) = &value {
        assert!(!value.is_null() || compiled.expr.may_null, "{text} is null and said that it cannot be");
    } else {
        assert!(compiled.expr.may_error, "{text} is an error and said that it cannot be");
    }
    value
}

/// The slots' values in their places, nothing folded. What is no key is a value that no record has.
fn substituted(expr: &Expr, slots: &[SlotValue]) -> Expr {
    let Node::Slot(number) = expr.node else {
        return expr.map_parts(&mut |part| substituted(part, slots));
    };
    let slot = &slots[usize::from(number)];
    let value = match slot.outcome {
        Outcome::Error => return Expr::error(expr.ty.clone(), expr.span),
        Outcome::True => Value::Bool(true),
        Outcome::False => Value::Bool(false),
        Outcome::Null | Outcome::Value => slot.value.clone(),
        Outcome::NoKey => Value::Uuid(uuid::Uuid::nil()),
    };
    Expr { node: Node::Literal(value), ..expr.clone() }
}
