//! Rules asked before anything else is done: whether they hold for this caller outright, or depend on the record.
use std::sync::Arc;

use mainstay_expr::Value;
use mainstay_plan::OwnFields;
use mainstay_schema::Schema;

use crate::{
    Core, Error, Request,
    evaluate::condition_holds,
    expressions::{Class, Expressions, RuleName},
    plan::{
        Given, Origin, Planner,
        rules::{Gate, refused},
    },
};

/// One rule as a shape.
#[derive(Debug)]
pub(crate) struct GateShape {
    rule: RuleName,
    expressions: Expressions,
}

/// What a rule comes to for one variant of callers.
#[derive(Debug)]
pub(crate) struct PreparedGate {
    pub(crate) gate: Gate,
    origins: Vec<Origin>,
}

/// What a rule comes to for one caller.
#[derive(Clone, Debug)]
pub(crate) struct CallerGate {
    pub(crate) rule: RuleName,
    pub(crate) class: Class,
    prepared: Arc<PreparedGate>,
    bound: Vec<Value>,
}

impl Core {
    /// What a rule comes to for this caller.
    pub(crate) fn gate(&self, request: &Request, rule: RuleName) -> Result<CallerGate, Error> {
        let schema = &self.schema;
        let kept = self.gates.shape(
            &rule,
            |shape| shape.rule == rule,
            || {
                let mut expressions = Expressions::default();
                expressions.need(schema, rule);
                Ok(GateShape { rule, expressions })
            },
        )?;
        let resolved = kept.shape.expressions.resolve(schema, request, &[])?;
        let prepared = kept.plan(resolved.variant(&[]), |shape| {
            let mut planner = Planner::new(schema, &shape.expressions, &resolved);
            let gate = planner.gate(rule);
            Ok(PreparedGate { gate, origins: planner.origins })
        })?;
        let bound = Given { slots: &resolved.slots, ..Given::default() }.bind(&prepared.origins);
        Ok(CallerGate { rule, class: resolved.class, prepared, bound })
    }
}

impl CallerGate {
    pub(crate) fn gate(&self) -> &Gate {
        &self.prepared.gate
    }

    /// Fails where the rule holds for no record.
    pub(crate) fn require(&self, schema: &Schema) -> Result<(), Error> {
        match self.gate() {
            Gate::Shut => Err(self.refused(schema)),
            _ => Ok(()),
        }
    }

    /// Whether the rule holds of a record in memory.
    pub(crate) fn holds(&self, schema: &Schema, record: &OwnFields<'_>) -> bool {
        match self.gate() {
            Gate::Open => true,
            Gate::Shut => false,
            Gate::When(condition) => condition_holds(schema, condition, record, &self.bound),
        }
    }

    /// Says that the rule refuses.
    pub(crate) fn refused(&self, schema: &Schema) -> Error {
        refused(schema, self.class, self.rule)
    }
}
