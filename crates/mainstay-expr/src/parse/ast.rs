//! The syntax tree: what was written, with its place, before any name has a meaning.
use crate::{
    tree::{Arith, CompareOp},
    types::Span,
    wire,
};

/// One written expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ast {
    /// What it is.
    pub(crate) kind: Kind,
    /// Where it stands.
    pub(crate) span: Span,
}

/// The kinds of written expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    /// With the digits as they were written, where the float does not keep them all.
    Float(f64, Option<Box<str>>),
    Text(String),
    Bytes(Vec<u8>),
    Name(String),
    Select(Box<Ast>, String),
    Call {
        target: Option<Box<Ast>>,
        name: String,
        args: Vec<Ast>,
    },
    Not(Box<Ast>),
    Neg(Box<Ast>),
    And(Vec<Ast>),
    Or(Vec<Ast>),
    Cond(Box<[Ast; 3]>),
    Compare(CompareOp, Box<[Ast; 2]>),
    In(Box<[Ast; 2]>),
    Arith(Arith, Box<[Ast; 2]>),
    List(Vec<Ast>),
}

impl Kind {
    /// A number that reads as `value`; the sign, if any, stands before the text.
    pub(crate) fn float(value: f64, text: &str) -> Kind {
        Kind::Float(value, (!wire::keeps_digits(text, value)).then(|| text.into()))
    }
}
