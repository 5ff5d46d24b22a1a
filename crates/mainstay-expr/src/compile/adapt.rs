//! How a written value takes the type of what it meets: literals are parsed, `p.` values typed, numbers widened.
use super::{context::Context, describe::did_you_mean, params::is_untyped, slots::is_caller_only};
use crate::{
    tree::{Arith, Expr, Node},
    types::{Span, Type},
    value::{Decimal, Value},
    wire,
};

impl Context<'_> {
    /// The expression with its literals and untyped `p.` values turned into `ty`. What is neither comes back as it is.
    pub(super) fn adapt(&mut self, expr: Expr, ty: &Type) -> Option<Expr> {
        let is_known = *ty != Type::Null && *ty != Type::List(Box::new(Type::Null));
        if is_untyped(&expr) && is_known {
            return self.type_param(expr, ty);
        }
        match (&expr.node, ty) {
            (_, Type::Null) => Some(expr),
            (Node::Literal(Value::Null), _) => Some(Expr { ty: ty.clone(), ..expr }),
            (Node::Literal(value), _) => {
                let value = value.clone();
                self.adapt_literal(expr, &value, ty)
            }
            (Node::List(items), Type::List(of)) => {
                let items = items.clone();
                let adapted: Vec<Option<Expr>> = items.into_iter().map(|item| self.adapt(item, of)).collect();
                let items: Vec<Expr> = adapted.into_iter().collect::<Option<_>>()?;
                let took = items.iter().all(|item| item.ty == **of);
                let result = if took { ty.clone() } else { expr.ty };
                Some(Expr::composite(Node::List(items), result, expr.span))
            }
            (Node::Cond(c, a, b), _) => {
                let (c, a, b) = (c.clone(), (**a).clone(), (**b).clone());
                let (a, b) = (self.adapt(a, ty), self.adapt(b, ty));
                let (a, b) = (a?, b?);
                let result = if a.ty == b.ty { a.ty.clone() } else { expr.ty };
                Some(Expr::composite(Node::Cond(c, Box::new(a), Box::new(b)), result, expr.span))
            }
            _ => Some(expr),
        }
    }

    fn adapt_literal(&mut self, expr: Expr, value: &Value, ty: &Type) -> Option<Expr> {
        let span = expr.span;
        match (value, ty) {
            (Value::Text(text), Type::Enum(of)) => match self.scope.enum_value(*of, text) {
                Ok(()) => Some(Expr { ty: ty.clone(), ..expr }),
                Err(near) => {
                    let message = format!("{text:?} is no value of {}", self.scope.enum_name(*of));
                    self.refuse_with("unknown_enum_value", span, message, did_you_mean(near))
                }
            },
            (Value::Text(text), Type::Key(of)) => {
                let key = self.scope.key(*of);
                let parsed = wire::parse_text(&key, text);
                self.parsed(parsed, ty, span)
            }
            (Value::Text(text), Type::Uuid | Type::Timestamp | Type::Date | Type::Time | Type::Decimal(_)) => {
                let parsed = wire::parse_text(ty, text);
                self.parsed(parsed, ty, span)
            }
            (Value::Int(_), Type::Key(of)) if self.scope.key(*of) == Type::Int => Some(Expr { ty: ty.clone(), ..expr }),
            // One that no Float is exactly stays what it is; the comparison of the two is exact.
            (Value::Int(int), Type::Float) if is_exact_float(*int) => {
                Some(Expr::literal(Value::Float(*int as f64), ty.clone(), span))
            }
            (Value::Int(int), Type::Decimal(scale)) => {
                let parsed = wire::parse_decimal(&int.to_string(), *scale).map(Value::Decimal);
                self.parsed(parsed, ty, span)
            }
            (Value::Float(float), Type::Decimal(scale)) => {
                let parsed = wire::parse_decimal(&self.digits(*float, span)?, *scale).map(Value::Decimal);
                self.parsed(parsed, ty, span)
            }
            _ => Some(expr),
        }
    }

    fn parsed(&mut self, parsed: Result<Value, String>, ty: &Type, span: Span) -> Option<Expr> {
        match parsed {
            Ok(value) => Some(Expr::literal(value, ty.clone(), span)),
            Err(message) => self.refuse("invalid_literal", span, message),
        }
    }

    /// A whole number or a decimal with fewer digits behind the point as a decimal of this type; all else as it is.
    pub(super) fn widen(&mut self, expr: Expr, ty: &Type) -> Expr {
        let (from, to) = match (&expr.ty, ty) {
            (Type::Int, Type::Decimal(to)) => (0, *to),
            (Type::Decimal(from), Type::Decimal(to)) if from < to => (*from, *to),
            _ => return expr,
        };
        let scale = to - from;
        let Some(units) = 10_i64.checked_pow(u32::from(scale)) else { return expr };
        let span = expr.span;
        // Times one, written with so many digits: products have the digits of both.
        let one = Expr::literal(Value::Decimal(Decimal { units, scale }), Type::Decimal(scale), span);
        Expr::composite(Node::Arith(Arith::Mul, Box::new(expr), Box::new(one)), ty.clone(), span)
    }

    /// Whether an adapted expression may stand where a value of this type is wanted, or be equal to one.
    pub(super) fn fits(&self, expr: &Expr, ty: &Type) -> bool {
        if expr.ty == *ty || expr.is_null() {
            return true;
        }
        match (ty, &expr.ty) {
            (Type::Key(of), from) => self.fits_key(expr, from, &self.scope.key(*of)),
            (Type::Uuid, from) => self.fits_key(expr, from, &Type::Uuid),
            (Type::Enum(_), Type::String) | (Type::String, Type::Enum(_)) => false,
            (Type::List(_), Type::List(of)) if **of == Type::Null => true,
            _ => false,
        }
    }

    /// Whether the expression, of type `from`, is a caller's part that becomes a key of this type.
    fn fits_key(&self, expr: &Expr, from: &Type, key: &Type) -> bool {
        (*from == Type::String || from == key) && is_caller_only(expr)
    }
}

fn is_exact_float(int: i64) -> bool {
    (int as f64) as i64 == int && int != i64::MAX
}
