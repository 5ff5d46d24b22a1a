//! Operations to plans, without touching the world: names resolved, rules attached, sizes bounded.
//!
//! There are two stages. The first makes the *shape* of an operation from its names alone: what it touches and which expressions
//! decide. The second makes the plan of a shape for one *variant*: what those expressions come to for a caller. Both are kept,
//! so that the second request of its kind plans nothing.

pub(crate) mod create;
pub(crate) mod cursor;
pub(crate) mod delete;
pub(crate) mod export;
pub(crate) mod figure;
pub(crate) mod filter;
pub(crate) mod find;
pub(crate) mod group;
pub(crate) mod links;
pub(crate) mod load;
pub(crate) mod read;
pub(crate) mod rules;
pub(crate) mod select;
pub(crate) mod sort;
pub(crate) mod target;
pub(crate) mod update;

use mainstay_expr::{CompareOp, Expr, Node, SlotValue, Span, Symbol, THIS, Type, Value};
use mainstay_schema::{Collection, CollectionId, FieldId, Schema};
use mainstay_store::{LateValue, Source};

use crate::expressions::{Expressions, Resolved};

/// Where a bound value of a statement comes from on each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A slot of the shape's expressions.
    Slot(u16),
    /// A part of the target: its key, or the n-th value of its unique.
    Target(u16),
    /// The n-th value of the cursor.
    Cursor(u16),
    /// How many records at most.
    Limit,
    /// The version that is asked for.
    Version,
    /// The n-th value that is written.
    Input(u16),
}

/// The values of one request, by where they come from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Given<'a> {
    pub(crate) slots: &'a [SlotValue],
    pub(crate) target: &'a [Value],
    pub(crate) cursor: &'a [Value],
    pub(crate) limit: u32,
    pub(crate) version: i64,
    pub(crate) input: &'a [Value],
}

impl Given<'_> {
    /// Which of the values of a statement only the write knows, and where they come from.
    pub(crate) fn late(origins: &[Origin], late: &[(Origin, Option<u32>, Source)]) -> Vec<LateValue> {
        let one = |(origin, element, source): &(Origin, Option<u32>, Source)| {
            let value = origins.iter().position(|known| known == origin)?;
            Some(LateValue { value: value as u16, element: *element, source: *source })
        };
        late.iter().filter_map(one).collect()
    }

    /// The values of a statement.
    pub(crate) fn bind(&self, origins: &[Origin]) -> Vec<Value> {
        origins.iter().map(|origin| self.value(*origin)).collect()
    }

    fn value(&self, origin: Origin) -> Value {
        let of = |values: &[Value], at: u16| values.get(at as usize).cloned().unwrap_or(Value::Null);
        match origin {
            Origin::Slot(at) => self.slots.get(at as usize).map_or(Value::Null, |slot| slot.value.clone()),
            Origin::Target(at) => of(self.target, at),
            Origin::Cursor(at) => of(self.cursor, at),
            Origin::Input(at) => of(self.input, at),
            Origin::Limit => Value::Int(i64::from(self.limit)),
            Origin::Version => Value::Int(self.version),
        }
    }
}

/// Makes the plan of one variant: knows the rules' outcomes, and numbers the bound values.
#[derive(Debug)]
pub(crate) struct Planner<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) expressions: &'a Expressions,
    pub(crate) resolved: &'a Resolved,
    pub(crate) origins: Vec<Origin>,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(schema: &'a Schema, expressions: &'a Expressions, resolved: &'a Resolved) -> Planner<'a> {
        Planner { schema, expressions, resolved, origins: Vec::new() }
    }

    /// The number of the bound value that comes from there.
    pub(crate) fn bind(&mut self, origin: Origin) -> u16 {
        let at = self.origins.iter().position(|known| *known == origin).unwrap_or_else(|| {
            self.origins.push(origin);
            self.origins.len() - 1
        });
        at as u16
    }
}

impl Planner<'_> {
    /// The values of a cursor for so many sort keys; `nulls` says which of them are null.
    pub(crate) fn after(&mut self, keys: usize, nulls: u32) -> Vec<Option<u16>> {
        (0..keys).map(|at| (nulls & 1 << at == 0).then(|| self.bind(Origin::Cursor(at as u16)))).collect()
    }
}

fn expr(node: Node, ty: Type, may_null: bool, may_error: bool) -> Expr {
    Expr { node, ty, span: Span::default(), may_null, may_error }
}

/// The record that an expression is about.
pub(crate) fn this(collection: CollectionId) -> Expr {
    expr(Node::Var(THIS), Type::Record(collection.record()), false, false)
}

/// The key of a record.
pub(crate) fn key_of(record: Expr, collection: CollectionId) -> Expr {
    let may_error = record.may_error;
    expr(Node::Key(Box::new(record)), Type::Key(collection.record()), false, may_error)
}

/// A field of a record; of its id, the key.
pub(crate) fn field_of(schema: &Schema, record: Expr, collection: &Collection, field: FieldId) -> Expr {
    if collection.system.id == Some(field) {
        return key_of(record, collection.id);
    }
    let field = collection.field(field);
    let may_error = record.may_error;
    let node = Node::Field { of: Box::new(record), symbol: Symbol(field.id.0) };
    expr(node, schema.field_type(&field.kind), !field.required, may_error)
}

/// Whether two expressions are equal; the second is never null.
pub(crate) fn equals(left: Expr, bound: u16) -> Expr {
    let right = expr(Node::Bound(bound), left.ty.clone(), false, false);
    let may_error = left.may_error;
    expr(Node::Compare(CompareOp::Eq, Box::new(left), Box::new(right)), Type::Bool, false, may_error)
}

/// A constant condition.
pub(crate) fn constant(holds: bool) -> Expr {
    expr(Node::Literal(Value::Bool(holds)), Type::Bool, false, false)
}

/// Whether a condition always holds.
pub(crate) fn always(condition: &Expr) -> bool {
    matches!(condition.node, Node::Literal(Value::Bool(true)))
}

/// Whether a condition never holds: an error refuses.
pub(crate) fn never(condition: &Expr) -> bool {
    matches!(condition.node, Node::Literal(Value::Bool(false)) | Node::Error)
}

/// All conditions joined by AND.
pub(crate) fn all(conditions: impl IntoIterator<Item = Expr>) -> Expr {
    let mut parts = Vec::new();
    for condition in conditions {
        match condition.node {
            Node::Literal(Value::Bool(true)) => {}
            Node::And(inner) => parts.extend(inner),
            _ if never(&condition) => return constant(false),
            _ => parts.push(condition),
        }
    }
    match parts.len() {
        0 => constant(true),
        1 => parts.swap_remove(0),
        _ => {
            let may_error = parts.iter().any(|part| part.may_error);
            let may_null = parts.iter().any(|part| part.may_null);
            expr(Node::And(parts), Type::Bool, may_null, may_error)
        }
    }
}
