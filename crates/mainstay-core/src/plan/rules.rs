//! Rules: what they come to for a caller, and the refusals.
use std::sync::Arc;

use mainstay_expr::{Expr, FieldReading, Guard, Outcome, as_condition, specialise, with_fields};
use mainstay_plan::{FieldRule, LinkMode};
use mainstay_schema::{Collection, CollectionId, FieldId, FieldKind, Schema};
use smallvec::SmallVec;

use super::{Origin, Planner, all, always, constant, never};
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

    /// What must hold of the records that a link leads to for this caller to see them there. The other side of a link tells what that
    /// link holds, so that its rule is asked too.
    pub(crate) fn behind(&mut self, of: CollectionId, link: FieldId) -> Result<Expr, Error> {
        let declared = self.schema.collection(of).field(link);
        let Some(target) = declared.target() else { return Err(Error::internal("what is followed is no link")) };
        let visible = self.visible(target)?;
        match declared.kind {
            FieldKind::Inverse { target, field } => Ok(all([visible, self.named_field(target, field)?])),
            _ => Ok(visible),
        }
    }

    /// The same as the guard of the link.
    pub(crate) fn guard(&mut self, of: CollectionId, link: FieldId) -> Result<Guard, Error> {
        let condition = self.behind(of, link)?;
        Ok(if always(&condition) { None } else { Some(Arc::new(condition)) })
    }

    /// What the reading of a field comes to.
    pub(crate) fn field_gate(&mut self, of: CollectionId, field: FieldId) -> Gate {
        let declared = self.schema.collection(of).field(field);
        match (&declared.rules.read, self.resolved.class) {
            (_, Class::Admin) => Gate::Open,
            _ if declared.hidden => Gate::Shut,
            (None, _) => Gate::Open,
            (Some(_), _) => self.gate((of, RuleKind::ReadField(field))),
        }
    }

    /// The same of a field that the caller names: where it shuts, the operation is refused.
    pub(crate) fn named_field(&mut self, of: CollectionId, field: FieldId) -> Result<Expr, Error> {
        match self.field_gate(of, field) {
            Gate::Shut => Err(refused(self.schema, self.resolved.class, (of, RuleKind::ReadField(field)))),
            gate => Ok(gate.condition()),
        }
    }

    /// What a field is computed from, for this caller. It sees everything, as rules do.
    pub(crate) fn computed(&mut self, of: CollectionId, field: FieldId) -> Option<Expr> {
        let number = self.expressions.computed(of, field)?;
        let expressions = self.expressions;
        Some(self.part(number, &expressions.compiled(number).expr))
    }

    /// A caller's expression with the rules of the fields that it reads: where one does not hold, reading is an error. Fields that
    /// are computed are replaced by what they are computed from.
    pub(crate) fn with_field_rules(&mut self, expr: &Expr) -> Expr {
        with_fields(expr, &mut |record, symbol| {
            let collection = self.schema.collection_of(record)?;
            let field = FieldId::of(symbol);
            match (self.field_gate(collection.id, field), self.computed(collection.id, field)) {
                (Gate::Open, None) => None,
                (Gate::Open, instead) => Some(FieldReading { when: None, instead }),
                (gate, instead) => Some(FieldReading { when: Some(gate.condition()), instead }),
            }
        })
    }

    /// Fails where an expression reads a field that the caller may read of no record.
    pub(crate) fn require_fields(&mut self, expr: &Expr) -> Result<(), Error> {
        let mut refused = Ok(());
        with_fields(expr, &mut |record, symbol| {
            let collection = self.schema.collection_of(record)?;
            if refused.is_ok() {
                refused = self.named_field(collection.id, FieldId::of(symbol)).map(|_| ());
            }
            None
        });
        refused
    }

    /// What must hold of a record for these fields to be sent.
    pub(crate) fn field_rules(&mut self, of: CollectionId, fields: &[FieldId]) -> Vec<FieldRule> {
        let rule = |field: &FieldId| {
            let rule = self.gate((of, RuleKind::WriteField(*field))).condition();
            FieldRule { field: *field, reads: false, rule }
        };
        fields.iter().map(rule).filter(|asked| !always(&asked.rule)).collect()
    }

    /// What must hold of a record for something to be added to these fields: whether a sum is out of range tells the number.
    pub(crate) fn sum_rules(&mut self, of: CollectionId, fields: &[FieldId]) -> Vec<FieldRule> {
        let rule =
            |field: &FieldId| FieldRule { field: *field, reads: true, rule: self.field_gate(of, *field).condition() };
        fields.iter().map(rule).filter(|asked| !always(&asked.rule)).collect()
    }

    /// What must hold of a record and of the other one for a link between them to come and to go; `None` where the link has no
    /// rule of its own, or it always holds.
    pub(crate) fn link_rules(&mut self, of: CollectionId, field: FieldId) -> [Option<Expr>; 2] {
        [RuleKind::AddLink(field), RuleKind::RemoveLink(field)].map(|kind| {
            kind.of(self.schema, of)?;
            Some(self.gate((of, kind)).condition()).filter(|rule| !always(rule))
        })
    }

    /// An expression for this caller, as a condition.
    pub(crate) fn specialised(&mut self, number: usize) -> Expr {
        let expressions = self.expressions;
        as_condition(self.part(number, &expressions.compiled(number).expr))
    }

    /// What the server computes for fields, for this caller.
    pub(crate) fn values(&mut self, computed: &[(FieldId, usize)]) -> Vec<(FieldId, Expr)> {
        let expressions = self.expressions;
        let mut value =
            |(field, number): &(FieldId, usize)| (*field, self.part(*number, &expressions.compiled(*number).expr));
        computed.iter().map(&mut value).collect()
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
        Some(_) if kind.field().is_some() => {
            let field = kind.field().map_or("", |field| schema.collection(collection).field(field).name.as_str());
            format!("the rule \"{word}\" of \"{field}\" of \"{name}\" refuses")
        }
        Some(_) => format!("the rule \"{word}\" of \"{name}\" refuses"),
        None => format!("\"{name}\" has no rule \"{word}\", so that only admins may"),
    };
    let mut error = refusal(class, message);
    error.rule = Some(kind.name(schema, collection));
    error
}

/// Whether a change of a list of links is for the rules of the link to decide, and not for the update rule of its record.
pub(crate) fn link_decides(of: &Collection, field: FieldId, mode: LinkMode) -> bool {
    let rules = &of.field(field).rules;
    match mode {
        LinkMode::Add => rules.add.is_some(),
        LinkMode::Remove => rules.remove.is_some(),
        LinkMode::Replace => rules.add.is_some() && rules.remove.is_some(),
    }
}

/// Whether a patch may need no update rule: some list of links has rules of its own.
pub(crate) fn links_may_decide(of: &Collection) -> bool {
    of.fields.iter().any(|field| field.rules.add.is_some() || field.rules.remove.is_some())
}

/// Says that a caller may not send a field, which stands there in the body.
pub(crate) fn refused_field(schema: &Schema, class: Class, rule: RuleName, place: &str) -> Error {
    let mut error = refused(schema, class, rule);
    let name = rule.1.field().map_or("", |field| schema.collection(rule.0).field(field).name.as_str());
    error.fields = vec![crate::FieldError {
        pointer: format!("{place}/{name}"),
        code: "rule".to_owned(),
        message: error.message.clone(),
        hint: None,
    }];
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
