//! Expressions computed in memory, over a record's own fields and the caller.
use std::cell::OnceCell;

use mainstay_expr::{
    CallerValues, Compiled, EvalError, Expr, Node, Outcome, SlotValue, Value, eval, resolve, specialise,
};
use mainstay_plan::{OwnFields, OwnRecords};
use mainstay_schema::Schema;
use smallvec::SmallVec;

use crate::{Request, expressions::caller_values};

/// Computes expressions for one request.
pub(crate) struct Evaluator<'a> {
    schema: &'a Schema,
    request: &'a Request,
    caller: OnceCell<CallerValues>,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(schema: &'a Schema, request: &'a Request) -> Evaluator<'a> {
        Evaluator { schema, request, caller: OnceCell::new() }
    }

    /// The value of an expression of the schema over a record.
    pub(crate) fn value(&self, compiled: &Compiled, record: &OwnFields<'_>) -> Result<Value, EvalError> {
        if compiled.slots.is_empty() {
            return self.eval(&compiled.expr, record, &[]);
        }
        let caller = self.caller.get_or_init(|| caller_values(self.request));
        let slots = resolve(compiled, caller, &[]);
        if let Node::Slot(at) = compiled.expr.node {
            return slots.into_iter().nth(at as usize).map_or(Err(EvalError::Type), slot_value);
        }
        let outcomes: SmallVec<[Outcome; 8]> = slots.iter().map(|slot| slot.outcome).collect();
        let expr = specialise(&compiled.expr, &outcomes, &mut |slot| slot);
        let bound: SmallVec<[Value; 8]> = slots.into_iter().map(|slot| slot.value).collect();
        self.eval(&expr, record, &bound)
    }

    /// Whether a condition holds of a record; an error does not.
    pub(crate) fn holds(&self, compiled: &Compiled, record: &OwnFields<'_>) -> bool {
        self.value(compiled, record) == Ok(Value::Bool(true))
    }

    fn eval(&self, expr: &Expr, record: &OwnFields<'_>, bound: &[Value]) -> Result<Value, EvalError> {
        eval(expr, &OwnRecords { schema: self.schema }, record, bound)
    }
}

/// Whether a condition with bound values holds of a record.
pub(crate) fn condition_holds(schema: &Schema, condition: &Expr, record: &OwnFields<'_>, bound: &[Value]) -> bool {
    eval(condition, &OwnRecords { schema }, record, bound) == Ok(Value::Bool(true))
}

fn slot_value(slot: SlotValue) -> Result<Value, EvalError> {
    match slot.outcome {
        Outcome::Value => Ok(slot.value),
        Outcome::Null => Ok(Value::Null),
        Outcome::True => Ok(Value::Bool(true)),
        Outcome::False => Ok(Value::Bool(false)),
        Outcome::Error => Err(EvalError::Caller),
        // A text that is no key where a key is needed.
        Outcome::NoKey => Err(EvalError::Text),
    }
}
