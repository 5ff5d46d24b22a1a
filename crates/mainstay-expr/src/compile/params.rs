//! The `p.` values: typed by their use.
use std::sync::Arc;

use super::context::Context;
use crate::{
    tree::{Caller, Expr, Node, Param},
    types::{Span, Type},
};

impl Context<'_> {
    /// `p.NAME`, without a type until a use gives it one.
    pub(super) fn param(&mut self, name: &str, span: Span) -> Option<Expr> {
        let known = self.params.iter().position(|(known, ..)| &**known == name);
        let number = known.unwrap_or_else(|| {
            self.params.push((Arc::from(name), None, span));
            self.params.len() - 1
        });
        let number = u16::try_from(number).ok()?;
        Some(super::names::caller(Caller::Param(number), Type::Null, span))
    }

    /// Gives an untyped `p.` value the type of its use; every use must give the same.
    pub(super) fn type_param(&mut self, expr: Expr, ty: &Type) -> Option<Expr> {
        let Node::Caller(Caller::Param(number)) = expr.node else { return Some(expr) };
        let ty = match ty {
            Type::Key(of) => self.scope.key(*of),
            Type::List(of) => match **of {
                Type::Key(of) => Type::List(Box::new(self.scope.key(of))),
                _ => ty.clone(),
            },
            _ => ty.clone(),
        };
        let (name, known, _) = &mut self.params[usize::from(number)];
        let name = name.clone();
        match known {
            Some(known) if *known != ty => {
                let (first, second) = (known.clone(), ty);
                let message =
                    format!("\"p.{name}\" is used as {} and as {}", self.describe(&first), self.describe(&second));
                self.refuse("type_mismatch", expr.span, message)
            }
            _ => {
                *known = Some(ty.clone());
                Some(Expr { ty, ..expr })
            }
        }
    }

    /// The `p.` values with their types; one without is a problem.
    pub(super) fn finish_params(&mut self) -> Vec<Param> {
        let mut typed = Vec::with_capacity(self.params.len());
        for (name, ty, span) in std::mem::take(&mut self.params) {
            match ty {
                Some(ty) => typed.push(Param { name, ty }),
                None if self.problems.is_empty() => {
                    let hint = "compare it with a field".to_owned();
                    let message = format!("the type of \"p.{name}\" does not follow from its use");
                    self.refuse_with::<()>("unknown_type", span, message, Some(hint));
                }
                None => {}
            }
        }
        typed
    }
}

/// Whether this is a `p.` value that has no type yet.
pub(super) fn is_untyped(expr: &Expr) -> bool {
    matches!(expr.node, Node::Caller(Caller::Param(_))) && expr.ty == Type::Null
}

/// Writes the found types into the tree, where a use came before the type was known.
pub(super) fn set_types(expr: &mut Expr, params: &[Param]) {
    if params.is_empty() {
        return;
    }
    *expr = typed(expr, params);
}

fn typed(expr: &Expr, params: &[Param]) -> Expr {
    match &expr.node {
        Node::Caller(Caller::Param(number)) => {
            let ty = params.get(usize::from(*number)).map_or(Type::Null, |param| param.ty.clone());
            Expr { ty, ..expr.clone() }
        }
        _ => expr.map_parts(&mut |part| typed(part, params)),
    }
}
