//! Rules: what they come to for a caller, and the refusals.
use std::sync::Arc;

use mainstay_expr::{Expr, Guard, Outcome, as_condition, specialise};
use mainstay_schema::{CollectionId, Schema};
use smallvec::SmallVec;

use super::{Origin, Planner, always, constant, never};
use crate::{
    Error, ErrorKind,
    expressions::{Class, RuleKind, RuleName},
};

/// What a rule comes to for a caller.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Gate {
    /// It holds for every record.
    Open,
    /// It holds for no record.
    Shut,
    /// It depends on the record.
    When(Expr),
}

impl Gate {
    /// The same as a condition.
    pub(crate) fn condition(self) -> Expr {
        match self {
            Gate::Open => constant(true),
            Gate::Shut => constant(false),
            Gate::When(condition) => condition,
        }
    }
}

impl From<Expr> for Gate {
    fn from(condition: Expr) -> Gate {
        if always(&condition) {
            Gate::Open
        } else if never(&condition) {
            Gate::Shut
        } else {
            Gate::When(condition)
        }
    }
}

impl Planner<'_> {
    /// What a rule comes to; admins are not asked.
    pub(crate) fn gate(&mut self, rule: RuleName) -> Gate {
        if self.resolved.class == Class::Admin {
            return Gate::Open;
        }
        match self.expressions.rule(rule) {
            None => Gate::Shut,
            Some(number) => Gate::from(self.specialised(number)),
        }
    }

    /// The condition of a rule that the operation itself needs: where it shuts, the operation is refused.
    pub(crate) fn require(&mut self, rule: RuleName) -> Result<Expr, Error> {
        match self.gate(rule) {
            Gate::Shut => Err(refused(self.schema, self.resolved.class, rule)),
            gate => Ok(gate.condition()),
        }
    }

    /// What must hold of the records of a collection for this caller to see them. What is forbidden outright is refused by name.
    pub(crate) fn visible(&mut self, collection: CollectionId) -> Result<Expr, Error> {
        match self.gate((collection, RuleKind::Read)) {
            Gate::Shut => Err(out_of_reach(self.schema, self.resolved.class, collection)),
            gate => Ok(gate.condition()),
        }
    }

    /// The same as the guard of a link that leads there.
    pub(crate) fn guard(&mut self, collection: CollectionId) -> Result<Guard, Error> {
        let condition = self.visible(collection)?;
        Ok(if always(&condition) { None } else { Some(Arc::new(condition)) })
    }

    /// An expression for this caller, as a condition.
    pub(crate) fn specialised(&mut self, number: usize) -> Expr {
        let expressions = self.expressions;
        as_condition(self.part(number, &expressions.compiled(number).expr))
    }

    /// A part of an expression for this caller.
    pub(crate) fn part(&mut self, number: usize, part: &Expr) -> Expr {
        let slots = self.expressions.slots_of(number);
        let outcomes: SmallVec<[Outcome; 8]> =
            self.resolved.slots[slots.clone()].iter().map(|slot| slot.outcome).collect();
        let mut bind = |slot: u16| self.bind(Origin::Slot(slots.start as u16 + slot));
        specialise(part, &outcomes, &mut bind)
    }
}

/// Says that a rule refuses.
pub(crate) fn refused(schema: &Schema, class: Class, rule: RuleName) -> Error {
    let (collection, kind) = rule;
    let (name, word) = (&schema.collection(collection).name, kind.word());
    let message = match kind.of(schema, collection) {
        Some(_) => format!("the rule \"{word}\" of \"{name}\" refuses"),
        None => format!("\"{name}\" has no rule \"{word}\", so that only admins may"),
    };
    let mut error = refusal(class, message);
    error.rule = Some(format!("{name}.{word}"));
    error
}

/// Says that a caller may not look into a collection that an operation goes through.
fn out_of_reach(schema: &Schema, class: Class, collection: CollectionId) -> Error {
    let name = &schema.collection(collection).name;
    let mut error = refusal(class, format!("this goes through \"{name}\", which the caller may not read"));
    error.rule = Some(format!("{name}.read"));
    error
}

/// 401 for whom we do not know, 403 for whom we do.
pub(crate) fn refusal(class: Class, message: String) -> Error {
    match class {
        Class::Anonymous => Error::new(ErrorKind::Unauthenticated, message).with_hint("sign in: send a bearer token"),
        Class::User | Class::Admin => Error::new(ErrorKind::Forbidden, message),
    }
}
