//! `!`, `&&`, `||` and `c ? a : b`.
use super::context::Context;
use crate::{
    parse::Ast,
    tree::{Expr, Node},
    types::{Span, Type},
};

impl Context<'_> {
    /// `!a`.
    pub(super) fn not(&mut self, of: &Ast, span: Span) -> Option<Expr> {
        let of = self.condition(of)?;
        Some(Expr::composite(Node::Not(Box::new(of)), Type::Bool, span))
    }

    /// `a && b` or `a || b`.
    pub(super) fn connect(&mut self, terms: &[Ast], span: Span, node: fn(Vec<Expr>) -> Node) -> Option<Expr> {
        let terms: Vec<Option<Expr>> = terms.iter().map(|term| self.condition(term)).collect();
        let terms: Vec<Expr> = terms.into_iter().collect::<Option<_>>()?;
        Some(Expr::composite(node(terms), Type::Bool, span))
    }

    /// `c ? a : b`; both have one type.
    pub(super) fn conditional(&mut self, [c, a, b]: &[Ast; 3], span: Span) -> Option<Expr> {
        let (c, a, b) = (self.condition(c), self.lower_value(a), self.lower_value(b));
        let (c, a, b) = (c?, a?, b?);
        let b = self.adapt(b, &a.ty)?;
        let a = self.adapt(a, &b.ty)?;
        let b = self.widen(b, &a.ty);
        let a = self.widen(a, &b.ty);
        if a.ty != b.ty {
            let message = format!("one of {} and {}", self.describe(&a.ty), self.describe(&b.ty));
            return self.refuse("type_mismatch", span, message);
        }
        let ty = a.ty.clone();
        Some(Expr::composite(Node::Cond(Box::new(c), Box::new(a), Box::new(b)), ty, span))
    }

    /// A part that is true or false.
    pub(super) fn condition(&mut self, ast: &Ast) -> Option<Expr> {
        let expr = self.lower_value(ast)?;
        let expr = self.adapt(expr, &Type::Bool)?;
        if expr.ty == Type::Bool && !expr.is_null() {
            return Some(expr);
        }
        let message = format!("{} is neither true nor false", self.describe_expr(&expr));
        self.refuse("type_mismatch", expr.span, message)
    }
}
