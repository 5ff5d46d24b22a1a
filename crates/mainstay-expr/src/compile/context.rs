//! What the checker carries along: names in reach, limits, problems.
use std::sync::Arc;

use crate::{
    limits::Limits,
    parse::{Ast, Kind},
    problem::Problem,
    scope::Scope,
    tree::{Expr, Node, THIS, VarId},
    types::{RecordType, Span, Type},
    value::Value,
};

/// One check of one text.
pub(super) struct Context<'a> {
    pub(super) scope: &'a dyn Scope,
    pub(super) limits: &'a Limits,
    pub(super) problems: Vec<Problem>,
    /// The `p.` values met so far, with the type of their first use.
    pub(super) params: Vec<(Arc<str>, Option<Type>, Span)>,
    pub(super) frame: Frame,
    /// The defines that are being inlined, outermost first.
    pub(super) inlining: Vec<(Option<RecordType>, String)>,
    pub(super) vars_next: u16,
    pub(super) quantifiers: usize,
    /// Numbers with more digits than a float keeps: their place, what they read as, and how they were written.
    written: Vec<(Span, f64, Box<str>)>,
    depth: usize,
    nodes: usize,
}

/// The names in reach: of the text itself, or of a define that is being inlined.
#[derive(Default)]
pub(super) struct Frame {
    /// The record that plain names are members of.
    pub(super) this: Option<(Expr, RecordType)>,
    /// Variables of quantifiers, innermost last.
    pub(super) vars: Vec<(String, Expr)>,
    /// The place of the define's use, for everything in it.
    pub(super) inlined_at: Option<Span>,
}

impl<'a> Context<'a> {
    pub(super) fn new(scope: &'a dyn Scope, limits: &'a Limits) -> Context<'a> {
        let this = scope.this().map(|of| {
            let expr = Expr::composite(Node::Var(THIS), Type::Record(of), Span::default());
            (expr, of)
        });
        Context {
            scope,
            limits,
            problems: Vec::new(),
            params: Vec::new(),
            frame: Frame { this, ..Frame::default() },
            inlining: Vec::new(),
            vars_next: 1,
            quantifiers: 0,
            written: Vec::new(),
            depth: 0,
            nodes: 0,
        }
    }

    /// The typed tree of a written one, bounded; none when there is a problem. A to-one link is not followed yet.
    pub(super) fn lower(&mut self, ast: &Ast) -> Option<Expr> {
        let span = self.span(ast);
        if self.depth >= self.limits.depth_max {
            let message = format!("the expression is nested deeper than {}", self.limits.depth_max);
            return self.refuse_once("too_deep", span, message);
        }
        self.depth += 1;
        let expr = self.lower_inside(ast, span);
        self.depth -= 1;
        let expr = expr?;
        self.count(1, span)?;
        Some(expr)
    }

    /// The typed tree as a plain value: a record is its key.
    pub(super) fn lower_value(&mut self, ast: &Ast) -> Option<Expr> {
        let expr = self.lower(ast)?;
        self.value_of(expr)
    }

    fn lower_inside(&mut self, ast: &Ast, span: Span) -> Option<Expr> {
        match &ast.kind {
            Kind::Null => Some(Expr::literal(Value::Null, Type::Null, span)),
            Kind::Bool(value) => Some(Expr::bool(*value, span)),
            Kind::Int(value) => Some(Expr::literal(Value::Int(*value), Type::Int, span)),
            Kind::Float(value, written) => {
                self.written.extend(written.clone().map(|written| (span, *value, written)));
                Some(Expr::literal(Value::Float(*value), Type::Float, span))
            }
            Kind::Text(text) => Some(Expr::literal(Value::text(text.as_str()), Type::String, span)),
            Kind::Bytes(bytes) => Some(Expr::literal(Value::Bytes(bytes.as_slice().into()), Type::Bytes, span)),
            Kind::Name(name) => self.name(name, span),
            Kind::Select(of, name) => self.select(of, name, span),
            Kind::Call { target, name, args } => self.call(target.as_deref(), name, args, span),
            Kind::Not(of) => self.not(of, span),
            Kind::Neg(of) => self.negate(of, span),
            Kind::And(terms) => self.connect(terms, span, Node::And),
            Kind::Or(terms) => self.connect(terms, span, Node::Or),
            Kind::Cond(parts) => self.conditional(parts, span),
            Kind::Compare(op, pair) => self.comparison(*op, pair, span),
            Kind::In(pair) => self.membership(pair, span),
            Kind::Arith(op, pair) => self.arithmetic(*op, pair, span),
            Kind::List(items) => self.list(items, span),
        }
    }

    /// The digits of a literal number, as they were written.
    pub(super) fn digits(&mut self, value: f64, span: Span) -> Option<String> {
        let mut written = self.written.iter().filter(|(place, read, _)| *place == span && *read == value);
        let Some((_, _, digits)) = written.next() else { return Some(value.to_string()) };
        // All parts of a define have the place of its use.
        if let Some((_, _, other)) = written.find(|(_, _, other)| other != digits) {
            let message = format!("the numbers {digits} and {other} are not told apart");
            return self.refuse_with("invalid_literal", span, message, Some(format!("write texts: '{digits}'")));
        }
        Some(if value < 0.0 { format!("-{digits}") } else { digits.to_string() })
    }

    /// Counts nodes that were made, against the limit.
    pub(super) fn count(&mut self, nodes: usize, span: Span) -> Option<()> {
        self.nodes += nodes;
        if self.nodes <= self.limits.nodes_max {
            return Some(());
        }
        let message = format!("the expression has more than {} parts with its defines", self.limits.nodes_max);
        self.refuse_once("too_large", span, message)
    }

    /// The place of a written part; of one inside a define: the place of the define's use.
    pub(super) fn span(&self, ast: &Ast) -> Span {
        self.frame.inlined_at.unwrap_or(ast.span)
    }

    /// A new variable of a quantifier.
    pub(super) fn new_var(&mut self) -> VarId {
        let var = VarId(self.vars_next);
        self.vars_next += 1;
        var
    }

    pub(super) fn refuse<T>(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> Option<T> {
        self.refuse_with(code, span, message, None)
    }

    pub(super) fn refuse_with<T>(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> Option<T> {
        let message = message.into();
        let (message, inlined) = match self.inlining.last() {
            Some((_, name)) => (format!("in {name:?}: {message}"), Some(message)),
            None => (message, None),
        };
        self.problems.push(Problem { code, message, span, hint, inlined });
        None
    }

    /// A limit is told once, not for each part beyond it.
    fn refuse_once<T>(&mut self, code: &'static str, span: Span, message: String) -> Option<T> {
        if self.problems.iter().any(|problem| problem.code == code) {
            return None;
        }
        self.refuse(code, span, message)
    }
}
