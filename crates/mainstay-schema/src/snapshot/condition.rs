//! Which records a unique is about, in a form that every engine can index by: comparisons of columns with constants.
use mainstay_expr::{CompareOp, Expr, Node, THIS, Value};
use serde::{Deserialize, Serialize};

use crate::{Collection, ColumnSnapshot, FieldId, FieldKind, Json, JsonLimits, Scalar, Schema};

/// A condition over the columns of one table. What is null in a comparison is not true, and nothing here is denied as a whole: so
/// it has one meaning on every engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionSnapshot {
    /// All of these hold.
    All(Vec<ConditionSnapshot>),
    /// One of these holds.
    Any(Vec<ConditionSnapshot>),
    /// The column is null.
    Null(String),
    /// The column is not null.
    Present(String),
    /// A column compared with something, neither of them null.
    Compare(String, Comparison, Operand),
}

/// How a column is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say all that there is")]
pub enum Comparison {
    Equal,
    Differs,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// What a column is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operand {
    /// Another column of the same table.
    Column(String),
    /// A constant, as JSON in its wire form.
    Value(String),
}

impl Comparison {
    /// As it is written, in expressions and in SQL alike but for equality.
    pub fn as_str(self) -> &'static str {
        match self {
            Comparison::Equal => "=",
            Comparison::Differs => "<>",
            Comparison::Less => "<",
            Comparison::AtMost => "<=",
            Comparison::More => ">",
            Comparison::AtLeast => ">=",
        }
    }

    fn of(op: CompareOp, want: bool) -> Comparison {
        match (op, want) {
            (CompareOp::Eq, true) | (CompareOp::Ne, false) => Comparison::Equal,
            (CompareOp::Ne, true) | (CompareOp::Eq, false) => Comparison::Differs,
            (CompareOp::Lt, true) | (CompareOp::Ge, false) => Comparison::Less,
            (CompareOp::Le, true) | (CompareOp::Gt, false) => Comparison::AtMost,
            (CompareOp::Gt, true) | (CompareOp::Le, false) => Comparison::More,
            (CompareOp::Ge, true) | (CompareOp::Lt, false) => Comparison::AtLeast,
        }
    }

    fn turned(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::More,
            Comparison::AtMost => Comparison::AtLeast,
            Comparison::More => Comparison::Less,
            Comparison::AtLeast => Comparison::AtMost,
            same => same,
        }
    }
}

impl ConditionSnapshot {
    /// The same with other names of the columns.
    pub fn renamed(&self, name: &dyn Fn(&str) -> String) -> ConditionSnapshot {
        let all = |of: &[ConditionSnapshot]| of.iter().map(|of| of.renamed(name)).collect();
        match self {
            ConditionSnapshot::All(of) => ConditionSnapshot::All(all(of)),
            ConditionSnapshot::Any(of) => ConditionSnapshot::Any(all(of)),
            ConditionSnapshot::Null(column) => ConditionSnapshot::Null(name(column)),
            ConditionSnapshot::Present(column) => ConditionSnapshot::Present(name(column)),
            ConditionSnapshot::Compare(column, op, with) => {
                let with = match with {
                    Operand::Column(other) => Operand::Column(name(other)),
                    Operand::Value(_) => with.clone(),
                };
                ConditionSnapshot::Compare(name(column), *op, with)
            }
        }
    }

    /// The columns that it reads.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            ConditionSnapshot::All(of) | ConditionSnapshot::Any(of) => of.iter().flat_map(|of| of.columns()).collect(),
            ConditionSnapshot::Null(column) | ConditionSnapshot::Present(column) => vec![column],
            ConditionSnapshot::Compare(column, _, Operand::Column(other)) => vec![column, other],
            ConditionSnapshot::Compare(column, _, Operand::Value(_)) => vec![column],
        }
    }

    /// In words, for steps.
    pub fn describe(&self) -> String {
        let joined = |of: &[ConditionSnapshot], word: &str| {
            let part = |of: &ConditionSnapshot| match of {
                ConditionSnapshot::All(_) | ConditionSnapshot::Any(_) => format!("({})", of.describe()),
                _ => of.describe(),
            };
            of.iter().map(part).collect::<Vec<_>>().join(word)
        };
        match self {
            ConditionSnapshot::All(of) => joined(of, " and "),
            ConditionSnapshot::Any(of) => joined(of, " or "),
            ConditionSnapshot::Null(column) => format!("\"{column}\" is null"),
            ConditionSnapshot::Present(column) => format!("\"{column}\" is not null"),
            ConditionSnapshot::Compare(column, op, Operand::Column(other)) => {
                format!("\"{column}\" {} \"{other}\"", op.as_str())
            }
            ConditionSnapshot::Compare(column, op, Operand::Value(value)) => {
                format!("\"{column}\" {} {value}", op.as_str())
            }
        }
    }
}

impl ColumnSnapshot {
    /// A constant that the column is compared with.
    pub fn constant(&self, json: &str) -> Option<Value> {
        let json = Json::parse(json.as_bytes(), JsonLimits::default()).ok()?;
        crate::wire::read_column(&self.ty, &json)
    }
}

/// A checked expression as a condition; the part that no index can be made by, where there is one.
pub(crate) fn condition<'e>(schema: &Schema, of: &Collection, expr: &'e Expr) -> Result<ConditionSnapshot, &'e Expr> {
    Maker { schema, of }.is(expr, true)
}

struct Maker<'a> {
    schema: &'a Schema,
    of: &'a Collection,
}

impl Maker<'_> {
    /// The expression has this truth value.
    fn is<'e>(&self, expr: &'e Expr, want: bool) -> Result<ConditionSnapshot, &'e Expr> {
        let each = |of: &'e [Expr]| of.iter().map(|of| self.is(of, want)).collect::<Result<Vec<_>, _>>();
        Ok(match &expr.node {
            Node::Not(of) => self.is(of, !want)?,
            Node::And(of) if want => ConditionSnapshot::All(each(of)?),
            Node::Or(of) if want => ConditionSnapshot::Any(each(of)?),
            Node::And(of) => ConditionSnapshot::Any(each(of)?),
            Node::Or(of) => ConditionSnapshot::All(each(of)?),
            Node::Compare(op, a, b) => self.compare(expr, *op, [a, b], want)?,
            Node::In(item, list) => {
                let Node::List(items) = &list.node else { return Err(expr) };
                let equal = |other| self.compare(expr, CompareOp::Eq, [item, other], want);
                let parts = items.iter().map(equal).collect::<Result<Vec<_>, _>>()?;
                if want { ConditionSnapshot::Any(parts) } else { ConditionSnapshot::All(parts) }
            }
            Node::Field { .. } => {
                let (_, column) = self.column(expr).ok_or(expr)?;
                ConditionSnapshot::Compare(column, Comparison::Equal, Operand::Value(want.to_string()))
            }
            _ => return Err(expr),
        })
    }

    fn compare<'e>(
        &self,
        whole: &'e Expr,
        op: CompareOp,
        [a, b]: [&'e Expr; 2],
        want: bool,
    ) -> Result<ConditionSnapshot, &'e Expr> {
        let op = Comparison::of(op, want);
        match (self.column(a), self.column(b)) {
            (Some((x, a)), Some((y, b))) => {
                let ty = |id| self.schema.column_type(&self.of.field(id).kind);
                if ty(x) == ty(y) { Ok(Self::columns(op, a, b, whole)) } else { Err(whole) }
            }
            (Some(of), None) => self.constant(of, op, b).ok_or(b),
            (None, Some(of)) => self.constant(of, op.turned(), a).ok_or(a),
            (None, None) => Err(whole),
        }
    }

    /// Two nulls are equal, and differ from everything else.
    fn columns(op: Comparison, a: String, b: String, whole: &Expr) -> ConditionSnapshot {
        let compared = ConditionSnapshot::Compare(a.clone(), op, Operand::Column(b.clone()));
        let null = |column: &String| ConditionSnapshot::Null(column.clone());
        let present = |column: &String| ConditionSnapshot::Present(column.clone());
        let may_null = matches!(&whole.node, Node::Compare(_, a, b) if a.may_null || b.may_null)
            || matches!(&whole.node, Node::In(..));
        match op {
            Comparison::Equal if may_null => {
                ConditionSnapshot::Any(vec![compared, ConditionSnapshot::All(vec![null(&a), null(&b)])])
            }
            Comparison::Differs if may_null => ConditionSnapshot::Any(vec![
                compared,
                ConditionSnapshot::All(vec![null(&a), present(&b)]),
                ConditionSnapshot::All(vec![present(&a), null(&b)]),
            ]),
            _ => compared,
        }
    }

    fn constant(&self, (id, column): (FieldId, String), op: Comparison, other: &Expr) -> Option<ConditionSnapshot> {
        let Node::Literal(value) = &other.node else { return None };
        let field = self.of.field(id);
        if value.is_null() {
            return match op {
                Comparison::Equal => Some(ConditionSnapshot::Null(column)),
                Comparison::Differs => Some(ConditionSnapshot::Present(column)),
                _ => None,
            };
        }
        let mut json = Vec::new();
        self.schema.write_value(&field.kind, value, &mut json);
        let json = String::from_utf8(json).ok()?;
        // Only what reads back as the same value: then every engine writes it as the column's own type.
        let parsed = Json::parse(json.as_bytes(), JsonLimits::default()).ok()?;
        let back = crate::wire::read_column(&self.schema.column_type(&field.kind), &parsed)?;
        if back != *value {
            return None;
        }
        let compared = ConditionSnapshot::Compare(column.clone(), op, Operand::Value(json));
        Some(match op {
            Comparison::Differs if !field.required => {
                ConditionSnapshot::Any(vec![compared, ConditionSnapshot::Null(column)])
            }
            _ => compared,
        })
    }

    /// A column of the record itself that can be compared.
    fn column(&self, expr: &Expr) -> Option<(FieldId, String)> {
        let Node::Field { of, symbol } = &expr.node else { return None };
        if of.node != Node::Var(THIS) {
            return None;
        }
        let field = self.of.fields.get(symbol.0 as usize)?;
        let comparable = match &field.kind {
            FieldKind::Scalar(scalar) => !matches!(scalar, Scalar::Json | Scalar::Bytes),
            FieldKind::Enum(_) | FieldKind::ToOne { .. } => true,
            _ => false,
        };
        comparable.then(|| (field.id, field.column.clone()))
    }
}
