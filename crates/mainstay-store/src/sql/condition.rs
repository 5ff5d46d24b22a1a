//! Expressions as conditions: `is_true` and `is_false`, which call each other. Neither ever holds of an error, so that no null
//! of SQL leaks into an answer: what is negated is always written as "is not true".
use mainstay_expr::{Expr, Function, Node};

use crate::{
    StoreError,
    sql::{
        test::Test,
        writer::{Env, Writer, defect},
    },
};

impl Writer<'_> {
    /// Holds where the expression is true.
    pub(crate) fn is_true(&mut self, expr: &Expr, env: &Env) -> Result<Test, StoreError> {
        self.is(expr, true, env)
    }

    /// Holds where the expression is false: not where it is an error.
    pub(crate) fn is_false(&mut self, expr: &Expr, env: &Env) -> Result<Test, StoreError> {
        self.is(expr, false, env)
    }

    /// Holds where the expression has this truth value.
    pub(crate) fn is(&mut self, expr: &Expr, want: bool, env: &Env) -> Result<Test, StoreError> {
        match &expr.node {
            Node::Error => Ok(Test::Never),
            Node::Literal(_) => Ok(Test::constant(expr.as_bool() == Some(want))),
            Node::Not(of) => self.is(of, !want, env),
            Node::And(all) => self.connective(all, want, want, env),
            Node::Or(all) => self.connective(all, want, !want, env),
            Node::Cond(c, a, b) => self.chosen([c, a, b], env, |writer, part| writer.is(part, want, env)),
            Node::Compare(op, a, b) => self.compare(*op, [a, b], want, env),
            Node::In(item, list) => self.membership(item, list, want, env),
            Node::Quantify { kind, var, over, body } => self.quantify(*kind, *var, [over, body], want, env),
            Node::Call(function, args) => self.bool_call(*function, args, want, env),
            Node::Bound(_) | Node::Field { .. } | Node::Var(_) => {
                let value = self.value(expr, env)?;
                Ok(Test::when(self.dialect.is_bool(&value.sql, want)))
            }
            _ => Err(defect("this is no condition in SQL")),
        }
    }

    /// `c ? a : b`, where the condition is asked of the one that is chosen.
    pub(crate) fn chosen(
        &mut self,
        [c, a, b]: [&Expr; 3],
        env: &Env,
        mut ask: impl FnMut(&mut Self, &Expr) -> Result<Test, StoreError>,
    ) -> Result<Test, StoreError> {
        let yes = self.is_true(c, env)?.and(ask(self, a)?);
        let no = self.is_false(c, env)?.and(ask(self, b)?);
        Ok(Test::any([yes, no]))
    }

    /// All of them have this truth value, or one of them.
    fn connective(&mut self, parts: &[Expr], want: bool, all: bool, env: &Env) -> Result<Test, StoreError> {
        let mut tests = Vec::with_capacity(parts.len());
        for part in parts {
            tests.push(self.is(part, want, env)?);
        }
        Ok(if all { Test::all(tests) } else { Test::any(tests) })
    }

    /// A function of null is null, and so neither true nor false.
    fn bool_call(&mut self, function: Function, args: &[Expr], want: bool, env: &Env) -> Result<Test, StoreError> {
        let sql = self.function(function, args, env)?;
        Ok(Test::when(self.dialect.is_bool(&sql, want)))
    }
}
