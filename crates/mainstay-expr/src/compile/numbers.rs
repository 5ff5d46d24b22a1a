//! Arithmetic on numbers and times, and text joined by `+`.
use super::{context::Context, params::is_untyped};
use crate::{
    parse::Ast,
    tree::{Arith, Expr, Node},
    types::{Span, Type},
    value::Value,
    wire::{self, DECIMAL_DIGITS_MAX},
};

impl Context<'_> {
    /// `a + b` and the like.
    pub(super) fn arithmetic(&mut self, op: Arith, [a, b]: &[Ast; 2], span: Span) -> Option<Expr> {
        let (a, b) = (self.lower_value(a), self.lower_value(b));
        let (a, b) = self.operands(op, a?, b?)?;
        if a.is_null() || b.is_null() {
            return self.refuse("type_mismatch", span, format!("{:?} does not apply to null", op.as_str()));
        }
        let Some(ty) = result(op, &a.ty, &b.ty) else {
            let (a_name, b_name) = (self.describe_expr(&a), self.describe_expr(&b));
            let message = format!("{:?} does not apply to {a_name} and {b_name}", op.as_str());
            return self.refuse_with("type_mismatch", span, message, hint(op, &a.ty, &b.ty));
        };
        if matches!(ty, Type::Decimal(scale) if scale > DECIMAL_DIGITS_MAX) {
            let message = format!("the product has more than {DECIMAL_DIGITS_MAX} digits behind the point");
            return self.refuse("type_mismatch", span, message);
        }
        Some(Expr::composite(Node::Arith(op, Box::new(a), Box::new(b)), ty, span))
    }

    /// `-a`.
    pub(super) fn negate(&mut self, of: &Ast, span: Span) -> Option<Expr> {
        let of = self.lower_value(of)?;
        if !matches!(of.ty, Type::Int | Type::Float | Type::Decimal(_)) {
            let message = format!("\"-\" does not apply to {}", self.describe_expr(&of));
            return self.refuse("type_mismatch", span, message);
        }
        let ty = of.ty.clone();
        Some(Expr::composite(Node::Neg(Box::new(of)), ty, span))
    }

    /// Both sides with literals and `p.` values adapted, and decimals of a sum at one scale.
    fn operands(&mut self, op: Arith, a: Expr, b: Expr) -> Option<(Expr, Expr)> {
        let decimals = matches!(a.ty, Type::Decimal(_)) || matches!(b.ty, Type::Decimal(_));
        if decimals {
            let (a, b) = (self.decimal_literal(a)?, self.decimal_literal(b)?);
            if op == Arith::Mul {
                let (a, b) = (self.adapt_param(a, &Type::Int)?, self.adapt_param(b, &Type::Int)?);
                return Some((a, b));
            }
            let (a, b) = (self.adapt_param(a, &b.ty.clone())?, b);
            let b = self.adapt_param(b, &a.ty)?;
            let b = self.widen_literal_or_product(b, &a.ty)?;
            let a = self.widen_literal_or_product(a, &b.ty)?;
            return Some((a, b));
        }
        let meets_time = |ty: &Type| matches!(ty, Type::Timestamp);
        if is_untyped(&b) && meets_time(&a.ty) || is_untyped(&a) && meets_time(&b.ty) {
            return Some((self.adapt_param(a, &Type::Duration)?, self.adapt_param(b, &Type::Duration)?));
        }
        if a.ty == Type::Float || b.ty == Type::Float || is_untyped(&a) || is_untyped(&b) {
            let b = self.adapt(b, &a.ty)?;
            let a = self.adapt(a, &b.ty)?;
            return Some((a, b));
        }
        Some((a, b))
    }

    /// A literal number as the decimal that was written; all else as it is.
    fn decimal_literal(&mut self, expr: Expr) -> Option<Expr> {
        let text = match &expr.node {
            Node::Literal(Value::Int(value)) => value.to_string(),
            Node::Literal(Value::Float(value)) => self.digits(*value, expr.span)?,
            _ => return Some(expr),
        };
        let digits = text.split_once('.').map_or(0, |(_, digits)| digits.len());
        let scale = u8::try_from(digits).unwrap_or(u8::MAX);
        match wire::parse_decimal(&text, scale) {
            Ok(value) => Some(Expr::literal(Value::Decimal(value), Type::Decimal(scale), expr.span)),
            // A whole number is exact as it is.
            Err(_) if expr.ty == Type::Int => Some(expr),
            Err(message) => self.refuse("invalid_literal", expr.span, message),
        }
    }

    fn adapt_param(&mut self, expr: Expr, ty: &Type) -> Option<Expr> {
        if is_untyped(&expr) { self.adapt(expr, ty) } else { Some(expr) }
    }

    fn widen_literal_or_product(&mut self, expr: Expr, ty: &Type) -> Option<Expr> {
        match (&expr.node, &expr.ty, ty) {
            (Node::Literal(Value::Decimal(value)), Type::Decimal(from), Type::Decimal(to)) if from < to => {
                match wire::rescale(*value, *to) {
                    Some(value) => Some(Expr::literal(Value::Decimal(value), ty.clone(), expr.span)),
                    None => self.refuse("invalid_literal", expr.span, "the number has too many digits"),
                }
            }
            _ => Some(self.widen(expr, ty)),
        }
    }
}

fn result(op: Arith, a: &Type, b: &Type) -> Option<Type> {
    use Arith::{Add, Div, Mul, Rem, Sub};
    match (op, a, b) {
        (_, Type::Int, Type::Int) => Some(Type::Int),
        (Add | Sub | Mul | Div, Type::Float, Type::Float) => Some(Type::Float),
        (Add | Sub, Type::Decimal(a), Type::Decimal(b)) if a == b => Some(Type::Decimal(*a)),
        (Mul, Type::Decimal(a), Type::Decimal(b)) => Some(Type::Decimal(a.saturating_add(*b))),
        (Mul, Type::Decimal(scale), Type::Int) | (Mul, Type::Int, Type::Decimal(scale)) => Some(Type::Decimal(*scale)),
        (Add, Type::String, Type::String) => Some(Type::String),
        (Add | Sub, Type::Timestamp, Type::Duration) | (Add, Type::Duration, Type::Timestamp) => Some(Type::Timestamp),
        (Sub, Type::Timestamp, Type::Timestamp) | (Add | Sub, Type::Duration, Type::Duration) => Some(Type::Duration),
        (Div | Rem, _, _) | (Add | Sub | Mul, _, _) => None,
    }
}

fn hint(op: Arith, a: &Type, b: &Type) -> Option<String> {
    let hint = match (a, b) {
        (Type::Int, Type::Float) | (Type::Float, Type::Int) => "make the Int a Float: double(x)",
        (Type::Decimal(_), _) | (_, Type::Decimal(_)) if matches!(op, Arith::Div | Arith::Rem) => {
            "a quotient of decimals has no exact digits; multiply instead, or use double(x)"
        }
        (Type::String, _) | (_, Type::String) if op == Arith::Add => "make the other a text: string(x)",
        (Type::Timestamp, Type::Int) | (Type::Int, Type::Timestamp) => "say of what: duration('24h')",
        _ => return None,
    };
    Some(hint.to_owned())
}
