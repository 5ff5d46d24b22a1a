//! A tree as CEL again: for explanations. Bound values stay out of it.
use std::fmt;

use crate::{
    tree::{Arith, Caller, CompareOp, Expr, Function, ITEM, NEW, Node, OLD, THIS, VarId},
    types::{Symbol, Type},
    value::Value,
    wire::write_text,
};

/// Writes the expression as CEL, with `name` giving the members' names. Values of the caller are shown as `?1`.
pub fn show(expr: &Expr, name: &dyn Fn(Symbol) -> String) -> String {
    show_members(expr, &|_, symbol| name(symbol))
}

/// As [`show`], where `name` also gets the type that has the member.
pub fn show_members(expr: &Expr, name: &dyn Fn(&Type, Symbol) -> String) -> String {
    let mut show = Show { name, out: String::new() };
    show.expr(expr, 0);
    show.out
}

impl fmt::Display for Expr {
    /// As [`show`], with members as `#1`, where their names are not known.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&show(self, &|symbol| format!("#{}", symbol.0)))
    }
}

struct Show<'a> {
    name: &'a dyn Fn(&Type, Symbol) -> String,
    out: String,
}

impl Show<'_> {
    /// Writes the expression, in parentheses when it binds less tightly than `outer`.
    fn expr(&mut self, expr: &Expr, outer: u8) {
        let binding = binding(expr);
        if binding < outer {
            self.out.push('(');
        }
        self.node(expr, binding);
        if binding < outer {
            self.out.push(')');
        }
    }

    fn node(&mut self, expr: &Expr, binding: u8) {
        match &expr.node {
            Node::Literal(value) => self.value(value),
            Node::Error => self.out.push_str("error"),
            Node::Caller(part) => self.caller(part),
            Node::Slot(number) => self.out.push_str(&format!("caller{}", number + 1)),
            Node::Bound(number) => self.out.push_str(&format!("?{}", number + 1)),
            Node::Var(var) if *var == THIS => self.out.push_str("this"),
            Node::Var(var) if *var == OLD => self.out.push_str("old"),
            Node::Var(var) if *var == ITEM => self.out.push_str("item"),
            Node::Var(var) if *var == NEW => self.out.push_str("new"),
            Node::Var(var) => self.out.push_str(&format!("x{}", var.0)),
            Node::Field { of, symbol } | Node::Link { of, symbol, .. } | Node::Links { of, symbol, .. } => {
                self.receiver(of);
                self.out.push_str(&(self.name)(&of.ty, *symbol));
            }
            Node::Key(of) => {
                self.receiver(of);
                self.out.push_str("id");
            }
            Node::Not(of) => self.prefixed("!", of, binding),
            Node::Neg(of) => self.prefixed("-", of, binding),
            Node::And(terms) => self.list(terms, " && ", binding + 1),
            Node::Or(terms) => self.list(terms, " || ", binding + 1),
            Node::Cond(c, a, b) => {
                self.expr(c, binding + 1);
                self.out.push_str(" ? ");
                self.expr(a, binding + 1);
                self.out.push_str(" : ");
                self.expr(b, binding);
            }
            Node::Compare(op, a, b) => self.infix(CompareOp::as_str(*op), a, b, binding),
            Node::In(a, b) => self.infix("in", a, b, binding),
            Node::Arith(op, a, b) => self.infix(Arith::as_str(*op), a, b, binding),
            Node::Call(function, args) => self.call(*function, args),
            Node::Quantify { kind, var, over, body } => self.over(kind.as_str(), *var, over, body),
            Node::Reduce { kind, var, over, body } => self.over(kind.as_str(), *var, over, body),
            Node::List(items) => {
                self.out.push('[');
                self.list(items, ", ", 0);
                self.out.push(']');
            }
        }
    }

    fn over(&mut self, name: &str, var: VarId, over: &Expr, body: &Expr) {
        self.expr(over, TIGHT);
        self.out.push_str(&format!(".{name}(x{}, ", var.0));
        self.expr(body, 0);
        self.out.push(')');
    }

    /// The record's own members stand alone.
    fn receiver(&mut self, of: &Expr) {
        if of.node != Node::Var(THIS) {
            self.expr(of, TIGHT);
            self.out.push('.');
        }
    }

    fn prefixed(&mut self, operator: &str, of: &Expr, binding: u8) {
        self.out.push_str(operator);
        self.expr(of, binding);
    }

    fn infix(&mut self, operator: &str, a: &Expr, b: &Expr, binding: u8) {
        self.expr(a, binding);
        self.out.push_str(&format!(" {operator} "));
        self.expr(b, binding + 1);
    }

    fn list(&mut self, items: &[Expr], between: &str, outer: u8) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push_str(between);
            }
            self.expr(item, outer);
        }
    }

    fn call(&mut self, function: Function, args: &[Expr]) {
        let args = match args {
            [receiver, rest @ ..] if function.is_method() => {
                self.expr(receiver, TIGHT);
                self.out.push('.');
                rest
            }
            args => args,
        };
        self.out.push_str(function.as_str());
        self.out.push('(');
        self.list(args, ", ", 0);
        self.out.push(')');
    }

    fn value(&mut self, value: &Value) {
        let quoted =
            !matches!(value, Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Decimal(_));
        let mut text = String::new();
        write_text(value, &mut text);
        match value {
            Value::List(_) => self.out.push_str(&text),
            Value::Duration(_) => self.out.push_str(&format!("duration('{text}')")),
            Value::Timestamp(_) => self.out.push_str(&format!("timestamp('{text}')")),
            _ if quoted => self.out.push_str(&format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))),
            _ => self.out.push_str(&text),
        }
    }

    fn caller(&mut self, part: &Caller) {
        match part {
            Caller::Auth => self.out.push_str("auth"),
            Caller::Id => self.out.push_str("auth.id"),
            Caller::Roles => self.out.push_str("auth.roles"),
            Caller::Claim(name) => self.out.push_str(&format!("auth.claims.{name}")),
            Caller::Time => self.out.push_str("request.time"),
            Caller::Ip => self.out.push_str("request.ip"),
            Caller::Method => self.out.push_str("request.method"),
            Caller::Host => self.out.push_str("request.host"),
            Caller::Param(number) => self.out.push_str(&format!("p.{}", number + 1)),
        }
    }
}

/// Binds more tightly than every operator.
const TIGHT: u8 = 9;

fn binding(expr: &Expr) -> u8 {
    match &expr.node {
        Node::Cond(..) => 1,
        Node::Or(_) => 2,
        Node::And(_) => 3,
        Node::Compare(..) | Node::In(..) => 4,
        Node::Arith(Arith::Add | Arith::Sub, ..) => 5,
        Node::Arith(Arith::Mul | Arith::Div | Arith::Rem, ..) => 6,
        Node::Not(_) | Node::Neg(_) => 7,
        Node::Literal(Value::Int(value)) if *value < 0 => 7,
        Node::Literal(Value::Float(value)) if *value < 0.0 => 7,
        _ => TIGHT,
    }
}
