//! Text to a checked tree: names get their meaning, parts their types, the caller's parts become slots.
mod adapt;
mod calls;
mod compare;
mod context;
mod describe;
mod functions;
mod logic;
mod names;
mod numbers;
mod params;
mod slots;

use std::sync::Arc;

use self::context::Context;
use crate::{
    limits::Limits,
    parse::parse,
    problem::Problem,
    scope::Scope,
    tree::{Compiled, Expr},
    types::{Span, Type},
};

/// Parses and checks an expression. `want` is the type it must have; [`Type::Null`] accepts any. Literals and the caller's
/// parts adapt to `want` as they do to the other side of a comparison. All problems come at once.
pub fn compile(text: &str, scope: &dyn Scope, want: &Type, limits: &Limits) -> Result<Compiled, Vec<Problem>> {
    let ast = parse(text, limits)?;
    let mut context = Context::new(scope, limits);
    let checked = context.lower(&ast).and_then(|expr| context.result(expr, want));
    let params = context.finish_params();
    let Some(mut expr) = checked.filter(|_| context.problems.is_empty()) else {
        return Err(in_order(context.problems));
    };
    params::set_types(&mut expr, &params);
    let (expr, slots) = slots::extract(&expr, scope, want);
    Ok(Compiled { text: Arc::from(text), expr, slots, params })
}

impl Context<'_> {
    /// The root, as a value of the wanted type.
    fn result(&mut self, expr: Expr, want: &Type) -> Option<Expr> {
        let expr = self.value_of(expr)?;
        if *want == Type::Null {
            return Some(expr);
        }
        let expr = self.adapt(expr, want)?;
        let expr = self.widen(expr, want);
        if self.fits(&expr, want) {
            return Some(expr);
        }
        let message = format!("this is {}, {} is expected", self.describe(&expr.ty), self.describe(want));
        self.refuse("type_mismatch", expr.span, message)
    }
}

fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
    problems.dedup();
    if problems.is_empty() {
        problems.push(Problem::new("syntax", Span::default(), "this does not read as an expression"));
    }
    problems
}

#[cfg(test)]
mod tests;
