//! The operators and functions by name.
use crate::{
    tree::{Arith, CompareOp, Expr, Function, Node, Quantifier, Reduction, TimePart},
    types::Type,
    value::Value,
};

impl CompareOp {
    /// Whether this is `==` or `!=`, which null may be part of.
    pub fn is_equality(self) -> bool {
        matches!(self, CompareOp::Eq | CompareOp::Ne)
    }

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            CompareOp::Eq => "==",
            CompareOp::Ne => "!=",
            CompareOp::Lt => "<",
            CompareOp::Le => "<=",
            CompareOp::Gt => ">",
            CompareOp::Ge => ">=",
        }
    }
}

impl Arith {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Arith::Add => "+",
            Arith::Sub => "-",
            Arith::Mul => "*",
            Arith::Div => "/",
            Arith::Rem => "%",
        }
    }
}

impl Quantifier {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Quantifier::All => "all",
            Quantifier::Exists => "exists",
            Quantifier::ExistsOne => "exists_one",
        }
    }
}

impl Reduction {
    /// The one of this name.
    pub(crate) fn from_name(name: &str) -> Option<Reduction> {
        [Reduction::Sum, Reduction::Avg, Reduction::Min, Reduction::Max].into_iter().find(|kind| kind.as_str() == name)
    }

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Reduction::Sum => "sum",
            Reduction::Avg => "avg",
            Reduction::Min => "min",
            Reduction::Max => "max",
        }
    }
}

/// Every function with its name, and whether it is called on its first argument.
pub(crate) const FUNCTIONS: [(&str, Function, bool); 23] = [
    ("size", Function::Size, false),
    ("contains", Function::Contains, true),
    ("startsWith", Function::StartsWith, true),
    ("endsWith", Function::EndsWith, true),
    ("matches", Function::Matches, true),
    ("lowerAscii", Function::LowerAscii, true),
    ("upperAscii", Function::UpperAscii, true),
    ("trim", Function::Trim, true),
    ("timestamp", Function::Timestamp, false),
    ("duration", Function::Duration, false),
    ("string", Function::ToString, false),
    ("int", Function::ToInt, false),
    ("double", Function::ToFloat, false),
    ("getFullYear", Function::Part(TimePart::FullYear), true),
    ("getMonth", Function::Part(TimePart::Month), true),
    ("getDate", Function::Part(TimePart::Date), true),
    ("getDayOfMonth", Function::Part(TimePart::DayOfMonth), true),
    ("getDayOfWeek", Function::Part(TimePart::DayOfWeek), true),
    ("getDayOfYear", Function::Part(TimePart::DayOfYear), true),
    ("getHours", Function::Part(TimePart::Hours), true),
    ("getMinutes", Function::Part(TimePart::Minutes), true),
    ("getSeconds", Function::Part(TimePart::Seconds), true),
    ("getMilliseconds", Function::Part(TimePart::Milliseconds), true),
];

impl TimePart {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        Function::Part(self).as_str()
    }

    /// The part of this name.
    pub fn from_name(name: &str) -> Option<TimePart> {
        match Function::from_name(name) {
            Some(Function::Part(part)) => Some(part),
            _ => None,
        }
    }
}

impl Function {
    /// The function of this name.
    pub(crate) fn from_name(name: &str) -> Option<Function> {
        FUNCTIONS.iter().find(|(known, ..)| *known == name).map(|(_, function, _)| *function)
    }

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        FUNCTIONS.iter().find(|(_, function, _)| *function == self).map_or("", |(name, ..)| name)
    }

    /// Whether it is written behind its first argument.
    pub(crate) fn is_method(self) -> bool {
        FUNCTIONS.iter().any(|(_, function, method)| *function == self && *method)
    }

    /// Whether it may fail on values that are neither null nor errors.
    pub(crate) fn may_fail(self, args: &[Expr]) -> bool {
        match self {
            Function::Timestamp | Function::Duration => true,
            // A literal pattern is checked when the expression is.
            Function::Matches => !matches!(args.get(1).map(|arg| &arg.node), Some(Node::Literal(Value::Text(_)))),
            Function::ToInt => args.first().is_some_and(|arg| !matches!(arg.ty, Type::Int | Type::Decimal(_))),
            Function::ToFloat => args.first().is_some_and(|arg| arg.ty == Type::String),
            _ => false,
        }
    }
}
