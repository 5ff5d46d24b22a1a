//! Evaluation in memory, with CEL's meaning of errors.
use crate::{
    tree::Expr,
    types::{RecordType, Symbol},
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
    /// A part of the caller that is not there: `auth` of an anonymous caller, a missing claim.
    #[error("the caller does not have this")]
    Caller,
    /// The tree does not fit its values: a fault in the program, not in the data.
    #[error("a value has another type than its expression")]
    Type,
}

/// The value of an expression for one record. `bound` are the values of [`crate::Node::Bound`]. Errors are absorbed as in
/// CEL: beside a false in `&&`, beside a true in `||`.
pub fn eval<R: Records>(expr: &Expr, records: &R, this: &R::Row, bound: &[Value]) -> Result<Value, EvalError> {
    let _ = (expr, records, this, bound);
    todo!()
}
