//! The CEL crate's tree to ours, bounded, with whole ranges.
use cel::{
    IdedExpr,
    common::ast::{CallExpr, Expr, LiteralValue, SourceInfo, operators},
};

use super::{
    ast::{Ast, Kind},
    spans,
};
use crate::{
    limits::Limits,
    problem::Problem,
    tree::{Arith, CompareOp},
    types::Span,
    wire,
};

/// One conversion; problems gather as it goes.
pub(super) struct Convert<'a> {
    text: &'a str,
    source: &'a SourceInfo,
    limits: &'a Limits,
    depth: usize,
    nodes: usize,
    /// What is wrong so far.
    pub(super) problems: Vec<Problem>,
}

impl<'a> Convert<'a> {
    pub(super) fn new(text: &'a str, source: &'a SourceInfo, limits: &'a Limits) -> Convert<'a> {
        Convert { text, source, limits, depth: 0, nodes: 0, problems: Vec::new() }
    }

    /// The tree, or none when a limit is passed or a part is refused; then there is a problem.
    pub(super) fn expr(&mut self, expr: &IdedExpr) -> Option<Ast> {
        let token = self.token(expr);
        self.nodes += 1;
        if self.nodes > self.limits.nodes_max {
            let message = format!("the expression has more than {} parts", self.limits.nodes_max);
            return self.refuse_once("too_large", token, message);
        }
        if self.depth >= self.limits.depth_max {
            let message = format!("the expression is nested deeper than {}", self.limits.depth_max);
            return self.refuse_once("too_deep", token, message);
        }
        self.depth += 1;
        let ast = self.expr_inside(expr, token);
        self.depth -= 1;
        ast
    }

    fn expr_inside(&mut self, expr: &IdedExpr, token: Span) -> Option<Ast> {
        match &expr.expr {
            Expr::Literal(literal) => self.literal(literal, token),
            Expr::Ident(name) => Some(Ast { kind: Kind::Name(name.clone()), span: token }),
            Expr::Select(select) if !select.test => {
                let operand = self.expr(&select.operand)?;
                let span =
                    Span { start: operand.span.start, end: spans::name_end(self.text, token.start, &select.field) };
                Some(Ast { kind: Kind::Select(Box::new(operand), select.field.clone()), span })
            }
            Expr::Call(call) => self.call(call, token),
            Expr::List(list) => {
                let items = self.all(&list.elements)?;
                let end = spans::close_end(self.text, token.start).unwrap_or(token.end);
                Some(Ast { kind: Kind::List(items), span: Span { start: token.start, end } })
            }
            Expr::Map(_) => self.refuse("not_available", token, "maps are not available"),
            Expr::Struct(_) => self.refuse("not_available", token, "messages are not available"),
            Expr::Select(_) | Expr::Comprehension(_) | Expr::Unspecified => {
                self.refuse("syntax", token, "this does not read as an expression")
            }
        }
    }

    fn literal(&mut self, literal: &LiteralValue, token: Span) -> Option<Ast> {
        let signed = Span { start: spans::minus_start(self.text, token.start), end: token.end };
        let (kind, span) = match literal {
            LiteralValue::Null => (Kind::Null, token),
            LiteralValue::Boolean(value) => (Kind::Bool(*value.inner()), token),
            LiteralValue::Int(value) if *value.inner() < 0 => (Kind::Int(*value.inner()), signed),
            LiteralValue::Int(value) => (Kind::Int(*value.inner()), token),
            LiteralValue::Double(value) if *value.inner() == 0.0 && self.is_lost(token) => {
                return self.refuse("invalid_literal", token, "the number is too small: it would be 0");
            }
            LiteralValue::Double(value) if !value.inner().is_finite() => {
                return self.refuse("invalid_literal", token, "the number is too large");
            }
            LiteralValue::Double(value) => {
                let kind = Kind::float(*value.inner(), self.written(token));
                (kind, if value.inner().is_sign_negative() { signed } else { token })
            }
            LiteralValue::String(value) if value.inner().contains('\0') => {
                return self.refuse("invalid_literal", token, "text holds the character U+0000");
            }
            LiteralValue::String(value) => (Kind::Text(value.inner().to_owned()), token),
            LiteralValue::Bytes(value) => (Kind::Bytes(value.inner().to_vec()), token),
            LiteralValue::UInt(_) => {
                return self.refuse("not_available", token, "unsigned numbers are not available");
            }
        };
        Some(Ast { kind, span })
    }

    /// Whether the number that is written here and reads as zero is another one.
    fn is_lost(&self, token: Span) -> bool {
        wire::parse_float(self.written(token)).is_err()
    }

    fn written(&self, token: Span) -> &str {
        self.text.get(token.start as usize..token.end as usize).unwrap_or_default()
    }

    fn call(&mut self, call: &CallExpr, token: Span) -> Option<Ast> {
        if let Some(connect) = connective(&call.func_name) {
            let mut terms = Vec::new();
            self.terms(call, &mut terms)?;
            return Some(joined(connect(terms), token));
        }
        match call.func_name.as_str() {
            operators::INDEX | operators::OPT_INDEX | operators::OPT_SELECT => {
                return self.refuse("not_available", token, "elements of a list by number are not available");
            }
            _ => {}
        }
        let target = match &call.target {
            Some(target) => Some(Box::new(self.expr(target)?)),
            None => None,
        };
        let args = self.all(&call.args)?;
        if target.is_none()
            && let Some(kind) = operator(&call.func_name, &args)
        {
            return Some(joined(kind, token));
        }
        let name = call.func_name.clone();
        let start = match &target {
            Some(target) => target.span.start,
            None => spans::name_start(self.text, token.start, &name),
        };
        let end = spans::close_end(self.text, token.start).unwrap_or(token.end);
        Some(Ast { kind: Kind::Call { target, name, args }, span: Span { start, end } })
    }

    /// The terms of a chain of one connective, which the parser hands over as a balanced tree.
    fn terms(&mut self, call: &CallExpr, out: &mut Vec<Ast>) -> Option<()> {
        let mut complete = Some(());
        for arg in &call.args {
            let done = match &arg.expr {
                Expr::Call(inner) if inner.func_name == call.func_name && inner.target.is_none() => {
                    self.terms(inner, out)
                }
                _ => self.expr(arg).map(|term| out.push(term)),
            };
            complete = complete.and(done);
        }
        complete
    }

    fn all(&mut self, exprs: &[IdedExpr]) -> Option<Vec<Ast>> {
        let converted: Vec<Option<Ast>> = exprs.iter().map(|expr| self.expr(expr)).collect();
        converted.into_iter().collect()
    }

    fn token(&self, expr: &IdedExpr) -> Span {
        let (start, last) = self.source.offset_for(expr.id).unwrap_or((0, 0));
        Span { start: spans::to_u32(start as usize, self.text), end: spans::to_u32(last as usize + 1, self.text) }
    }

    fn refuse(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> Option<Ast> {
        self.problems.push(Problem::new(code, span, message));
        None
    }

    /// A limit is told once, not for each node beyond it.
    fn refuse_once(&mut self, code: &'static str, span: Span, message: String) -> Option<Ast> {
        if self.problems.iter().any(|problem| problem.code == code) {
            return None;
        }
        self.refuse(code, span, message)
    }
}

fn connective(name: &str) -> Option<fn(Vec<Ast>) -> Kind> {
    match name {
        operators::LOGICAL_AND => Some(Kind::And),
        operators::LOGICAL_OR => Some(Kind::Or),
        _ => None,
    }
}

/// The operator of a call that is one.
fn operator(name: &str, args: &[Ast]) -> Option<Kind> {
    let compare = |op| pair(args).map(|pair| Kind::Compare(op, pair));
    let arith = |op| pair(args).map(|pair| Kind::Arith(op, pair));
    match name {
        operators::LOGICAL_NOT => args.first().cloned().map(|arg| Kind::Not(Box::new(arg))),
        operators::NEGATE => args.first().cloned().map(|arg| Kind::Neg(Box::new(arg))),
        operators::CONDITIONAL => <[Ast; 3]>::try_from(args.to_vec()).ok().map(|args| Kind::Cond(Box::new(args))),
        operators::EQUALS => compare(CompareOp::Eq),
        operators::NOT_EQUALS => compare(CompareOp::Ne),
        operators::LESS => compare(CompareOp::Lt),
        operators::LESS_EQUALS => compare(CompareOp::Le),
        operators::GREATER => compare(CompareOp::Gt),
        operators::GREATER_EQUALS => compare(CompareOp::Ge),
        operators::ADD => arith(Arith::Add),
        operators::SUBSTRACT => arith(Arith::Sub),
        operators::MULTIPLY => arith(Arith::Mul),
        operators::DIVIDE => arith(Arith::Div),
        operators::MODULO => arith(Arith::Rem),
        operators::IN => pair(args).map(Kind::In),
        _ => None,
    }
}

fn pair(args: &[Ast]) -> Option<Box<[Ast; 2]>> {
    <[Ast; 2]>::try_from(args.to_vec()).ok().map(Box::new)
}

/// An operator's expression: its range spans its operands and its sign.
fn joined(kind: Kind, token: Span) -> Ast {
    let span = match &kind {
        Kind::Not(arg) | Kind::Neg(arg) => spans::join(token, arg.span),
        Kind::And(terms) | Kind::Or(terms) => terms.iter().fold(token, |span, term| spans::join(span, term.span)),
        Kind::Cond(args) => args.iter().fold(token, |span, arg| spans::join(span, arg.span)),
        Kind::Compare(_, pair) | Kind::In(pair) | Kind::Arith(_, pair) => spans::join(pair[0].span, pair[1].span),
        _ => token,
    };
    Ast { kind, span }
}
