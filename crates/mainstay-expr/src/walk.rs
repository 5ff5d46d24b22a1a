//! Going over a tree: its parts, and the same tree with other parts.
use crate::{
    tree::{Expr, Node},
    types::{Span, Type},
    value::Value,
};

impl Expr {
    /// A constant.
    pub fn literal(value: Value, ty: Type, span: Span) -> Expr {
        let may_null = value.is_null();
        Expr { node: Node::Literal(value), ty, span, may_null, may_error: false }
    }

    /// `true` or `false`.
    pub fn bool(value: bool, span: Span) -> Expr {
        Expr::literal(Value::Bool(value), Type::Bool, span)
    }

    /// An error, where a value of this type was expected.
    pub fn error(ty: Type, span: Span) -> Expr {
        Expr { node: Node::Error, ty, span, may_null: false, may_error: true }
    }

    /// A composite of this type, with its flags computed from its parts.
    pub fn composite(node: Node, ty: Type, span: Span) -> Expr {
        Expr { node, ty, span, may_null: false, may_error: false }.with_flags()
    }

    /// The truth value of a constant.
    pub fn as_bool(&self) -> Option<bool> {
        match self.node {
            Node::Literal(Value::Bool(value)) => Some(value),
            _ => None,
        }
    }

    /// Whether this is the constant `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.node, Node::Literal(Value::Null))
    }

    /// The parts, in order; guards are no parts.
    pub fn parts(&self) -> Vec<&Expr> {
        match &self.node {
            Node::Literal(_) | Node::Error | Node::Caller(_) | Node::Slot(_) | Node::Bound(_) | Node::Var(_) => {
                Vec::new()
            }
            Node::Field { of, .. } | Node::Link { of, .. } | Node::Links { of, .. } => vec![of],
            Node::Key(of) | Node::Not(of) | Node::Neg(of) => vec![of],
            Node::Compare(_, a, b) | Node::In(a, b) | Node::Arith(_, a, b) => vec![a, b],
            Node::Cond(a, b, c) => vec![a, b, c],
            Node::Quantify { over, body, .. } | Node::Reduce { over, body, .. } => vec![over, body],
            Node::And(all) | Node::Or(all) | Node::List(all) | Node::Call(_, all) => all.iter().collect(),
        }
    }

    /// The same expression with each part replaced, and flags computed anew; guards stay.
    #[must_use]
    pub fn map_parts(&self, map: &mut dyn FnMut(&Expr) -> Expr) -> Expr {
        let mut boxed = |expr: &Expr| Box::new(map(expr));
        let node = match &self.node {
            Node::Literal(_) | Node::Error | Node::Caller(_) | Node::Slot(_) | Node::Bound(_) | Node::Var(_) => {
                return self.clone();
            }
            Node::Field { of, symbol } => Node::Field { of: boxed(of), symbol: *symbol },
            Node::Link { of, symbol, target, guard } => {
                Node::Link { of: boxed(of), symbol: *symbol, target: *target, guard: guard.clone() }
            }
            Node::Links { of, symbol, target, guard } => {
                Node::Links { of: boxed(of), symbol: *symbol, target: *target, guard: guard.clone() }
            }
            Node::Key(of) => Node::Key(boxed(of)),
            Node::Not(of) => Node::Not(boxed(of)),
            Node::Neg(of) => Node::Neg(boxed(of)),
            Node::Compare(op, a, b) => Node::Compare(*op, boxed(a), boxed(b)),
            Node::In(a, b) => Node::In(boxed(a), boxed(b)),
            Node::Arith(op, a, b) => Node::Arith(*op, boxed(a), boxed(b)),
            Node::Cond(a, b, c) => Node::Cond(boxed(a), boxed(b), boxed(c)),
            Node::Quantify { kind, var, over, body } => {
                Node::Quantify { kind: *kind, var: *var, over: boxed(over), body: boxed(body) }
            }
            Node::Reduce { kind, var, over, body } => {
                Node::Reduce { kind: *kind, var: *var, over: boxed(over), body: boxed(body) }
            }
            Node::And(all) => Node::And(all.iter().map(map).collect()),
            Node::Or(all) => Node::Or(all.iter().map(map).collect()),
            Node::List(all) => Node::List(all.iter().map(map).collect()),
            Node::Call(function, all) => Node::Call(*function, all.iter().map(map).collect()),
        };
        Expr { node, ..self.clone_head() }.with_flags()
    }

    /// Whether some part, or this itself, is such.
    pub fn any(&self, is: &mut dyn FnMut(&Expr) -> bool) -> bool {
        is(self) || self.parts().into_iter().any(|part| part.any(is))
    }

    /// Whether some element of a list that is written out is such.
    pub(crate) fn any_element(&self, is: fn(&Expr) -> bool) -> bool {
        match &self.node {
            Node::List(items) => items.iter().any(is),
            Node::Cond(_, a, b) => a.any_element(is) || b.any_element(is),
            _ => false,
        }
    }

    /// How many nodes this is.
    pub(crate) fn size(&self) -> usize {
        1 + self.parts().into_iter().map(Expr::size).sum::<usize>()
    }

    fn clone_head(&self) -> Expr {
        Expr {
            node: Node::Error,
            ty: self.ty.clone(),
            span: self.span,
            may_null: self.may_null,
            may_error: self.may_error,
        }
    }

    /// The flags from the parts. What a leaf, a field or a link says of itself stays.
    pub(crate) fn with_flags(mut self) -> Expr {
        (self.may_null, self.may_error) = flags(&self);
        self
    }
}

/// Whether the expression may be null, and whether it may be an error.
fn flags(expr: &Expr) -> (bool, bool) {
    let errors = |parts: &[&Expr]| parts.iter().any(|part| part.may_error);
    let fails = |parts: &[&Expr]| parts.iter().any(|part| part.may_error || part.may_null);
    let parts = expr.parts();
    match &expr.node {
        Node::Literal(_) | Node::Caller(_) | Node::Slot(_) | Node::Var(_) => (expr.may_null, expr.may_error),
        Node::Error => (false, true),
        Node::Bound(_) => (false, false),
        // A member of an embedded value that is null is an error, as is a field of a link that is null.
        Node::Field { .. } => (expr.may_null, fails(&parts)),
        Node::Key(_) => (false, fails(&parts)),
        Node::Link { guard, .. } => (expr.may_null, expr.may_error || guard.is_some() || fails(&parts)),
        Node::Links { .. } => (false, fails(&parts)),
        Node::Not(_) | Node::And(_) | Node::Or(_) | Node::Quantify { .. } => (false, fails(&parts)),
        Node::Cond(c, a, b) => (a.may_null || b.may_null, fails(&[c]) || errors(&[a, b])),
        Node::Compare(op, ..) if op.is_equality() => (false, errors(&parts)),
        Node::Compare(..) => (false, fails(&parts)),
        Node::In(item, list) => (false, errors(&[item]) || fails(&[list])),
        // Over nothing, or past the range of its type.
        Node::Reduce { .. } => (false, true),
        Node::Arith(..) => (false, expr.ty != Type::String || fails(&parts)),
        Node::Neg(_) => (false, expr.ty != Type::Float || fails(&parts)),
        Node::Call(function, args) => (false, function.may_fail(args) || fails(&parts)),
        Node::List(_) => (false, errors(&parts)),
    }
}
