//! The typed tree: what a checked expression is.
use std::sync::Arc;

use crate::{
    types::{RecordType, Span, Symbol, Type},
    value::Value,
};

/// A record or list element in reach: 0 is the record itself, quantifiers bind 1, 2, …
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VarId(pub u16);

/// The variable of the record that the expression is about.
pub const THIS: VarId = VarId(0);

/// `old`: the record as it was before a change. Only where [`crate::Limits::change`] allows it.
pub const OLD: VarId = VarId(u16::MAX - 1);

/// `new`: the record as it becomes.
pub const NEW: VarId = VarId(u16::MAX);

/// `item`: the record at the other end of a link. Only where [`crate::Limits::item`] says what it is.
pub const ITEM: VarId = VarId(u16::MAX - 2);

/// One checked expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub node: Node,
    /// Its type.
    pub ty: Type,
    /// Where it stands in its text.
    pub span: Span,
    /// Whether it may be null when it is not an error.
    pub may_null: bool,
    /// Whether it may be an error (as in CEL, an error refuses).
    pub may_error: bool,
}

/// What must hold of the records that a link leads to (in caller mode: their read rule), over their own [`THIS`].
pub type Guard = Option<Arc<Expr>>;

/// The kinds of expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A constant.
    Literal(Value),
    /// Always an error (what a caller's part came to).
    Error,
    /// A part that reads only the caller; only in [`Slot`]s before specialising.
    Caller(Caller),
    /// Before specialising: the n-th [`Slot`] of the [`Compiled`].
    Slot(u16),
    /// After specialising: the n-th bound value of the plan; never null, never an error.
    Bound(u16),
    /// A variable: a record, or a list's element.
    Var(VarId),
    /// A stored value of a record or of an embedded value; of a link's symbol: its key, type `Key`.
    Field {
        /// The record or embedded value.
        of: Box<Expr>,
        /// The member.
        symbol: Symbol,
    },
    /// The key of a record.
    Key(Box<Expr>),
    /// A to-one link, followed. An error when null, or when the guard does not hold.
    Link {
        /// The record it starts from.
        of: Box<Expr>,
        /// The link.
        symbol: Symbol,
        /// The type at the other end.
        target: RecordType,
        /// What must hold of the record at the other end, else it is absent.
        guard: Guard,
    },
    /// A to-many link. Records of which the guard does not hold are absent.
    Links {
        /// The record it starts from.
        of: Box<Expr>,
        /// The link.
        symbol: Symbol,
        /// The type at the other end.
        target: RecordType,
        /// What must hold of each record at the other end.
        guard: Guard,
    },
    /// `!a`.
    Not(Box<Expr>),
    /// `a && b && …`; an error beside a false is false.
    And(Vec<Expr>),
    /// `a || b || …`; an error beside a true is true.
    Or(Vec<Expr>),
    /// `c ? a : b`.
    Cond(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `a == b`, `a < b`, …
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    /// `a in list`; the list is a [`Node::List`], a list field, or a bound list.
    In(Box<Expr>, Box<Expr>),
    /// `a + b` on numbers, times and strings.
    Arith(Arith, Box<Expr>, Box<Expr>),
    /// `-a`.
    Neg(Box<Expr>),
    /// A function of its arguments, the receiver first.
    Call(Function, Vec<Expr>),
    /// `over.exists(var, body)` and the like; `over` is `Records` or `List`.
    Quantify {
        /// Which.
        kind: Quantifier,
        /// The variable that it binds.
        var: VarId,
        /// What it goes over.
        over: Box<Expr>,
        /// The condition on each.
        body: Box<Expr>,
    },
    /// `over.sum(var, body)` and the like. An element whose value is null or an error makes all of it an error.
    Reduce {
        /// Which.
        kind: Reduction,
        /// The variable that it binds.
        var: VarId,
        /// What it goes over.
        over: Box<Expr>,
        /// The value of each.
        body: Box<Expr>,
    },
    /// `[a, b]`.
    List(Vec<Expr>),
}

/// The comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// `==`; two nulls are equal.
    Eq,
    /// `!=`.
    Ne,
    /// `<`; an error on null.
    Lt,
    /// `<=`; an error on null.
    Le,
    /// `>`; an error on null.
    Gt,
    /// `>=`; an error on null.
    Ge,
}

/// The arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arith {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
}

/// The quantifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// `all(x, p)`
    All,
    /// `exists(x, p)`
    Exists,
    /// `exists_one(x, p)`: of exactly one; an error of one element is an error.
    ExistsOne,
}

/// What is made of the values of many elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// `sum(x, e)`: 0 over nothing; an error when it leaves the range of its type.
    Sum,
    /// `avg(x, e)`: a float; an error over nothing.
    Avg,
    /// `min(x, e)`: an error over nothing.
    Min,
    /// `max(x, e)`: an error over nothing.
    Max,
}

/// The functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// `size(x)`: code points of a string, bytes, elements of a list, records of a link.
    Size,
    /// `a.contains(b)`
    Contains,
    /// `a.startsWith(b)`
    StartsWith,
    /// `a.endsWith(b)`
    EndsWith,
    /// `a.matches(re)`: RE2 syntax; in memory only.
    Matches,
    /// `a.lowerAscii()`
    LowerAscii,
    /// `a.upperAscii()`
    UpperAscii,
    /// `a.trim()`; in memory only.
    Trim,
    /// `timestamp('…')` of a string; a literal is parsed when checked.
    Timestamp,
    /// `duration('24h')`.
    Duration,
    /// `string(x)`; in memory only.
    ToString,
    /// `int(x)`.
    ToInt,
    /// `double(x)`.
    ToFloat,
    /// `x.getFullYear()` and the like.
    Part(TimePart),
}

/// The parts of a moment, a day, a time of day or a duration, as CEL counts them, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimePart {
    /// The year.
    FullYear,
    /// The month, from 0.
    Month,
    /// The day of the month, from 1.
    Date,
    /// The day of the month, from 0.
    DayOfMonth,
    /// The day of the week, from 0 (Sunday).
    DayOfWeek,
    /// The day of the year, from 0.
    DayOfYear,
    /// The hour; of a duration, its whole hours.
    Hours,
    /// The minute; of a duration, its whole minutes.
    Minutes,
    /// The second; of a duration, its whole seconds.
    Seconds,
    /// The milliseconds of the second.
    Milliseconds,
}

/// What can be read of the caller, the request and the request's own values.
#[derive(Clone, Debug, PartialEq)]
pub enum Caller {
    /// `auth`, only compared with `null`: null when anonymous.
    Auth,
    /// `auth.id`: a string; an error when anonymous.
    Id,
    /// `auth.roles`: a list of strings; an error when anonymous.
    Roles,
    /// `auth.claims.NAME`; an error when anonymous or missing.
    Claim(Arc<str>),
    /// `request.time`.
    Time,
    /// `request.ip`.
    Ip,
    /// `request.method`.
    Method,
    /// `request.host`.
    Host,
    /// `p.NAME`: a value sent along with a filter, the n-th of [`Compiled::params`].
    Param(u16),
}

/// A largest part of an expression that reads nothing but the caller: computed before any SQL is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// The part; made of [`Node::Caller`] leaves, literals and functions of them.
    pub expr: Expr,
    /// The key type to parse the outcome into, where it is compared with a key (`Uuid`, `Int` or `String`): a text that does
    /// not parse becomes [`Outcome::NoKey`], equal to nothing.
    pub key: Option<Type>,
}

/// A value `p.NAME` that the expression uses, with the type that its use gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// NAME.
    pub name: Arc<str>,
    /// The type to parse the sent text into.
    pub ty: Type,
}

/// A checked expression with its caller's parts taken out.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// The text.
    pub text: Arc<str>,
    /// The tree, with [`Node::Slot`]s.
    pub expr: Expr,
    /// The caller's parts.
    pub slots: Vec<Slot>,
    /// The `p.` values.
    pub params: Vec<Param>,
}

/// What a slot came to for one caller: part of a plan's shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Outcome {
    /// A boolean slot: false.
    False = 0,
    /// A boolean slot: true.
    True = 1,
    /// Null.
    Null = 2,
    /// An error.
    Error = 3,
    /// A value, bound in SQL.
    Value = 4,
    /// A text that is no key of the type it is compared with: equal to no record.
    NoKey = 5,
}

/// A slot's outcome with its value ([`Value::Null`] unless [`Outcome::Value`]).
#[derive(Clone, Debug, PartialEq)]
pub struct SlotValue {
    /// What kind of outcome; part of the shape.
    pub outcome: Outcome,
    /// The value, not part of the shape.
    pub value: Value,
}
