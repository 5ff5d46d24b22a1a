//! `exists`, `all` and `exists_one` over links and lists.
use super::{EvalError, Evaluated, Evaluation, Item, Records};
use crate::{
    tree::{Expr, Quantifier, VarId},
    types::Type,
    value::Value,
};

impl<R: Records> Evaluation<'_, R> {
    /// One element that decides absorbs the errors of the others; over nothing, `all` is true and `exists` false.
    pub(super) fn quantify(&mut self, kind: Quantifier, var: VarId, over: &Expr, body: &Expr) -> Evaluated {
        if kind == Quantifier::ExistsOne {
            return self.exists_one(var, over, body);
        }
        let decides = kind == Quantifier::Exists;
        let mut failure = None;
        for item in self.items(over)? {
            self.vars.push((var, item));
            let truth = self.truth(body);
            self.vars.pop();
            match truth {
                Ok(value) if value == decides => return Ok(Value::Bool(decides)),
                Ok(_) => {}
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(Value::Bool(!decides)), Err)
    }

    /// No error is absorbed: whether it is one is not known before the last element.
    fn exists_one(&mut self, var: VarId, over: &Expr, body: &Expr) -> Evaluated {
        let mut found = 0;
        for item in self.items(over)? {
            self.vars.push((var, item));
            let truth = self.truth(body);
            self.vars.pop();
            found += usize::from(truth?);
        }
        Ok(Value::Bool(found == 1))
    }

    pub(super) fn items(&mut self, over: &Expr) -> Result<Vec<Item<R::Row>>, EvalError> {
        if matches!(over.ty, Type::Records(_)) {
            return Ok(self.rows(over)?.into_iter().map(Item::Row).collect());
        }
        match self.value(over)? {
            Value::List(values) => Ok(values.iter().cloned().map(Item::Value).collect()),
            Value::Null => Err(EvalError::Null),
            _ => Err(EvalError::Type),
        }
    }
}
