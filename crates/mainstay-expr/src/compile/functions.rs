//! The functions: their arguments and results.
use super::{context::Context, slots::is_caller_only};
use crate::{
    eval::check_pattern,
    parse::Ast,
    tree::{Expr, Function, Node, TimePart},
    types::{Span, Type},
    value::Value,
    wire,
};

impl Context<'_> {
    /// A call with its receiver, if any, as the first of `parts`.
    pub(super) fn function(&mut self, function: Function, method: bool, parts: &[&Ast], span: Span) -> Option<Expr> {
        let name = function.as_str();
        let wanted = if function.is_binary() { 2 } else { 1 };
        let placed = method || !function.is_method() || function == Function::Matches;
        if parts.len() != wanted || !placed || (method && !function.is_method() && function != Function::Size) {
            return self.refuse("wrong_arguments", span, format!("expected {}", function.usage()));
        }
        let lowered: Vec<Option<Expr>> = parts.iter().map(|part| self.lower(part)).collect();
        let mut args: Vec<Expr> = lowered.into_iter().collect::<Option<_>>()?;
        if function == Function::Size && matches!(args[0].ty, Type::Records(_)) {
            return Some(Expr::composite(Node::Call(function, args), Type::Int, span));
        }
        let takes_text = function.is_binary() || function.is_text();
        for arg in &mut args {
            let value = self.value_of(arg.clone())?;
            *arg = if takes_text { self.adapt(value, &Type::String)? } else { value };
        }
        if let Some(wrong) = args.iter().find(|arg| !function.takes(&arg.ty)) {
            let message = format!("\"{name}()\" does not apply to {}", self.describe_expr(wrong));
            let hint = match (function, &wrong.ty) {
                (Function::Contains, Type::List(_)) => Some("write x in list".to_owned()),
                _ => None,
            };
            return self.refuse_with("type_mismatch", wrong.span, message, hint);
        }
        self.finish(function, args, span)
    }

    /// Literal patterns and times are checked, and times are parsed.
    fn finish(&mut self, function: Function, args: Vec<Expr>, span: Span) -> Option<Expr> {
        match (function, &args[args.len() - 1].node) {
            (Function::Matches, Node::Literal(Value::Text(pattern))) => {
                if let Err(reason) = check_pattern(pattern) {
                    let message = format!("{pattern:?} is no pattern: {reason}");
                    return self.refuse("invalid_pattern", args[1].span, message);
                }
            }
            (Function::Timestamp | Function::Duration, Node::Literal(Value::Text(text))) => {
                let ty = function.result();
                return match wire::parse_text(&ty, text) {
                    Ok(value) => Some(Expr::literal(value, ty, span)),
                    Err(message) => self.refuse("invalid_literal", args[0].span, message),
                };
            }
            (Function::Timestamp | Function::Duration, _) if !is_caller_only(&args[0]) => {
                let message = format!("\"{}()\" takes a text in quotes or a part of the caller", function.as_str());
                return self.refuse("wrong_arguments", args[0].span, message);
            }
            _ => {}
        }
        let ty = function.result();
        Some(Expr::composite(Node::Call(function, args), ty, span))
    }
}

impl Function {
    fn is_binary(self) -> bool {
        matches!(self, Function::Contains | Function::StartsWith | Function::EndsWith | Function::Matches)
    }

    fn is_text(self) -> bool {
        matches!(
            self,
            Function::LowerAscii | Function::UpperAscii | Function::Trim | Function::Timestamp | Function::Duration
        )
    }

    fn usage(self) -> String {
        let name = self.as_str();
        match (self.is_method(), self.is_binary()) {
            (true, true) => format!("a.{name}(b)"),
            (true, false) => format!("a.{name}()"),
            (false, _) => format!("{name}(a)"),
        }
    }

    /// Whether the type may be an argument.
    fn takes(self, ty: &Type) -> bool {
        match self {
            Function::Size => matches!(ty, Type::String | Type::Bytes | Type::List(_)),
            Function::ToString => matches!(
                ty,
                Type::Bool
                    | Type::Int
                    | Type::Float
                    | Type::Decimal(_)
                    | Type::String
                    | Type::Uuid
                    | Type::Enum(_)
                    | Type::Timestamp
                    | Type::Date
                    | Type::Time
                    | Type::Duration
                    | Type::Bytes
                    | Type::Key(_)
            ),
            Function::ToInt | Function::ToFloat => {
                matches!(ty, Type::Int | Type::Float | Type::Decimal(_) | Type::String)
            }
            Function::Part(part) => takes_part(part, ty),
            _ => *ty == Type::String,
        }
    }

    fn result(self) -> Type {
        match self {
            Function::Size | Function::ToInt | Function::Part(_) => Type::Int,
            Function::Contains | Function::StartsWith | Function::EndsWith | Function::Matches => Type::Bool,
            Function::LowerAscii | Function::UpperAscii | Function::Trim | Function::ToString => Type::String,
            Function::Timestamp => Type::Timestamp,
            Function::Duration => Type::Duration,
            Function::ToFloat => Type::Float,
        }
    }
}

/// Whether values of the type have the part.
fn takes_part(part: TimePart, ty: &Type) -> bool {
    match part {
        TimePart::Hours | TimePart::Minutes | TimePart::Seconds => {
            matches!(ty, Type::Timestamp | Type::Time | Type::Duration)
        }
        TimePart::Milliseconds => matches!(ty, Type::Timestamp | Type::Time),
        _ => matches!(ty, Type::Timestamp | Type::Date),
    }
}
