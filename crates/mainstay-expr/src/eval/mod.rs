//! Evaluation in memory, with CEL's meaning of errors.
mod arith;
mod compare;
mod functions;
mod part;
mod pattern;
mod quantify;
mod reduce;

pub use self::part::time_part;
pub(crate) use self::pattern::check_pattern;
use crate::{
    caller::CallerValues,
    tree::{Caller, Expr, Node, THIS, VarId},
    types::{RecordType, Symbol, Type},
    value::Value,
};

/// Where evaluation reads records from.
pub trait Records {
    /// A record in reach.
    type Row: Clone;
    /// A stored value; of a link's symbol: the stored key.
    fn field(&self, row: &Self::Row, symbol: Symbol) -> Value;
    /// The record's own key.
    fn key(&self, row: &Self::Row) -> Value;
    /// The record at the other end of a to-one link; `None` when the link is null.
    fn link(&self, row: &Self::Row, symbol: Symbol) -> Option<Self::Row>;
    /// The records at the other end of a to-many link.
    fn links(&self, row: &Self::Row, symbol: Symbol) -> Vec<Self::Row>;
    /// A member of an embedded value (its [`Value::Json`]), typed by the member.
    fn member(&self, of: &Value, record: RecordType, symbol: Symbol) -> Value;
}

/// Why an expression has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// An operator or function met null.
    #[error("null where a value is needed")]
    Null,
    /// A path goes through a null link, or one that leads to an absent record.
    #[error("a path goes through a link that leads nowhere")]
    Link,
    /// A number or time left its range.
    #[error("a number or time is out of range")]
    Overflow,
    /// Division by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// A text that does not parse in a conversion, or a pattern that is none.
    #[error("a text does not parse")]
    Text,
    /// A part of the caller that is not there (`auth` of an anonymous caller, a missing claim), or a constant that was folded
    /// to an error.
    #[error("the caller does not have this")]
    Caller,
    /// The tree does not fit its values: a fault in the program, not in the data.
    #[error("a value has another type than its expression")]
    Type,
}

/// The value of an expression for one record. `bound` are the values of [`Node::Bound`]. Errors are absorbed as in CEL:
/// beside a false in `&&`, beside a true in `||`, beside a deciding element in `exists` and `all`.
pub fn eval<R: Records>(expr: &Expr, records: &R, this: &R::Row, bound: &[Value]) -> Result<Value, EvalError> {
    let mut evaluation = Evaluation { records, caller: None, bound, vars: vec![(THIS, Item::Row(this.clone()))] };
    evaluation.value(expr)
}

/// The value of an expression that reads no record: a slot, or constants.
pub(crate) fn eval_alone(expr: &Expr, caller: Option<(&CallerValues, &[Value])>) -> Result<Value, EvalError> {
    let mut evaluation = Evaluation { records: &NoRecords, caller, bound: &[], vars: Vec::new() };
    evaluation.value(expr)
}

/// What a variable stands for.
#[derive(Clone)]
enum Item<Row> {
    Row(Row),
    Value(Value),
}

struct Evaluation<'a, R: Records> {
    records: &'a R,
    caller: Option<(&'a CallerValues, &'a [Value])>,
    bound: &'a [Value],
    /// Innermost last.
    vars: Vec<(VarId, Item<R::Row>)>,
}

type Evaluated = Result<Value, EvalError>;

impl<R: Records> Evaluation<'_, R> {
    fn value(&mut self, expr: &Expr) -> Evaluated {
        match &expr.node {
            Node::Literal(value) => Ok(value.clone()),
            Node::Error => Err(EvalError::Caller),
            Node::Caller(part) => self.caller_part(part),
            Node::Bound(number) => self.bound.get(usize::from(*number)).cloned().ok_or(EvalError::Type),
            Node::Var(var) => match self.item(*var)? {
                Item::Value(value) => Ok(value),
                Item::Row(_) => Err(EvalError::Type),
            },
            Node::Field { of, symbol } => self.field(of, *symbol),
            Node::Key(of) => {
                let row = self.row(of)?;
                Ok(self.records.key(&row))
            }
            Node::Not(of) => Ok(Value::Bool(!self.truth(of)?)),
            Node::And(all) => self.connective(all, false),
            Node::Or(all) => self.connective(all, true),
            Node::Cond(c, a, b) => {
                let chosen = if self.truth(c)? { a } else { b };
                self.value(chosen)
            }
            Node::Compare(op, a, b) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                compare::compare(*op, &a, &b).map(Value::Bool)
            }
            Node::In(item, list) => self.contains(item, list),
            Node::Arith(op, a, b) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                arith::arith(*op, &a, &b)
            }
            Node::Neg(of) => arith::negate(&self.value(of)?),
            Node::Call(function, args) => self.call(*function, args),
            Node::Quantify { kind, var, over, body } => self.quantify(*kind, *var, over, body),
            Node::Reduce { kind, var, over, body } => self.reduce(*kind, *var, over, body),
            Node::List(items) => {
                let values: Result<Vec<Value>, EvalError> = items.iter().map(|item| self.value(item)).collect();
                Ok(Value::List(values?.into()))
            }
            Node::Slot(_) | Node::Link { .. } | Node::Links { .. } => Err(EvalError::Type),
        }
    }

    /// A boolean; null is an error.
    fn truth(&mut self, expr: &Expr) -> Result<bool, EvalError> {
        match self.value(expr)? {
            Value::Bool(value) => Ok(value),
            Value::Null => Err(EvalError::Null),
            _ => Err(EvalError::Type),
        }
    }

    /// `||` when `decides` is true, `&&` when it is false: one operand that decides absorbs every error.
    fn connective(&mut self, all: &[Expr], decides: bool) -> Evaluated {
        let mut failure = None;
        for operand in all {
            match self.truth(operand) {
                Ok(value) if value == decides => return Ok(Value::Bool(decides)),
                Ok(_) => {}
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(Value::Bool(!decides)), Err)
    }

    fn contains(&mut self, item: &Expr, list: &Expr) -> Evaluated {
        let item = self.value(item)?;
        let Value::List(values) = self.value(list)? else { return Err(EvalError::Null) };
        for value in values.iter() {
            if compare::equal(&item, value)? {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }

    fn field(&mut self, of: &Expr, symbol: Symbol) -> Evaluated {
        let Type::Embedded(record) = of.ty else {
            let row = self.row(of)?;
            return Ok(self.records.field(&row, symbol));
        };
        match self.value(of)? {
            Value::Null => Err(EvalError::Link),
            value => Ok(self.records.member(&value, record, symbol)),
        }
    }

    /// The record that an expression of a record type stands for.
    fn row(&mut self, expr: &Expr) -> Result<R::Row, EvalError> {
        match &expr.node {
            Node::Var(var) => match self.item(*var)? {
                Item::Row(row) => Ok(row),
                Item::Value(_) => Err(EvalError::Type),
            },
            Node::Link { of, symbol, guard, .. } => {
                let from = self.row(of)?;
                let row = self.records.link(&from, *symbol).ok_or(EvalError::Link)?;
                if self.is_let_through(guard.as_deref(), &row) { Ok(row) } else { Err(EvalError::Link) }
            }
            _ => Err(EvalError::Type),
        }
    }

    /// The records of a to-many link that its guard lets through.
    fn rows(&mut self, expr: &Expr) -> Result<Vec<R::Row>, EvalError> {
        let Node::Links { of, symbol, guard, .. } = &expr.node else { return Err(EvalError::Type) };
        let from = self.row(of)?;
        let mut rows = self.records.links(&from, *symbol);
        rows.retain(|row| self.is_let_through(guard.as_deref(), row));
        Ok(rows)
    }

    /// Whether the guard, over its own [`THIS`], is true of the record.
    fn is_let_through(&self, guard: Option<&Expr>, row: &R::Row) -> bool {
        guard.is_none_or(|guard| eval(guard, self.records, row, self.bound) == Ok(Value::Bool(true)))
    }

    fn item(&self, var: VarId) -> Result<Item<R::Row>, EvalError> {
        let found = self.vars.iter().rev().find(|(id, _)| *id == var);
        found.map(|(_, item)| item.clone()).ok_or(EvalError::Type)
    }

    fn caller_part(&self, part: &Caller) -> Evaluated {
        let (caller, params) = self.caller.ok_or(EvalError::Type)?;
        let auth = || caller.auth.as_ref().ok_or(EvalError::Caller);
        match part {
            // Only compared with null: any value says that there is somebody.
            Caller::Auth => Ok(caller.auth.as_ref().map_or(Value::Null, |auth| Value::Text(auth.id.clone()))),
            Caller::Id => Ok(Value::Text(auth()?.id.clone())),
            Caller::Roles => Ok(Value::List(auth()?.roles.clone())),
            Caller::Claim(name) => match auth()?.claims.get(name) {
                None | Some(Value::Null) => Err(EvalError::Caller),
                Some(value) => Ok(value.clone()),
            },
            Caller::Time => Ok(Value::Timestamp(caller.time_micros)),
            Caller::Ip => Ok(Value::Text(caller.ip.clone())),
            Caller::Method => Ok(Value::Text(caller.method.clone())),
            Caller::Host => Ok(Value::Text(caller.host.clone())),
            Caller::Param(number) => params.get(usize::from(*number)).cloned().ok_or(EvalError::Type),
        }
    }
}

/// Where there are no records.
struct NoRecords;

impl Records for NoRecords {
    type Row = ();

    fn field(&self, (): &(), _: Symbol) -> Value {
        Value::Null
    }

    fn key(&self, (): &()) -> Value {
        Value::Null
    }

    fn link(&self, (): &(), _: Symbol) -> Option<()> {
        None
    }

    fn links(&self, (): &(), _: Symbol) -> Vec<()> {
        Vec::new()
    }

    fn member(&self, _: &Value, _: RecordType, _: Symbol) -> Value {
        Value::Null
    }
}

#[cfg(test)]
mod tests;
