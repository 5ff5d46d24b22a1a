//! Which clauses of which rules hold, and which do not, over the records that an operation is about: for rule tests.
use std::borrow::Cow;

use mainstay_expr::{Expr, ITEM, NEW, Node, OLD, SlotValue, THIS, Value, as_condition, wire::write_text};
use mainstay_plan::LinkMode;
use mainstay_schema::{CollectionId, FieldId, FieldKind, Json};

use super::{clauses::outright, obeying::Subjects, rule_clauses::leaves};
use crate::{
    Core, Error, Operation, Request, Target, Update, Verdict,
    expressions::{Expressions, RuleKind, RuleName},
    gate::CallerGate,
    plan::{Origin, Planner, read::ReadAsk, rules::Gate},
    record::{field::Sender, normalize},
};

/// What a clause came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClauseSeen {
    pub(super) collection: CollectionId,
    pub(super) kind: RuleKind,
    pub(super) number: usize,
    /// Whether it held of one of the records.
    pub held: bool,
    /// Whether it did not hold of one of them; an error does not hold.
    pub failed: bool,
}

impl Core {
    /// What the clauses of the rules that an operation asks come to, over the records as they are stored now. The rule of a
    /// create is asked of the new record: [`Core::created_coverage`].
    pub async fn coverage(&self, request: &Request, operation: &Operation<'_>) -> Result<Vec<ClauseSeen>, Error> {
        let mut seen = Vec::new();
        match operation {
            Operation::ReadOne(read) => {
                let kept = self.read_shape(request, &ReadAsk::one(request, read))?;
                for rule in kept.shape.expressions.rules().collect::<Vec<_>>() {
                    let own = rule == (read.collection, RuleKind::Read);
                    let over = if own { Subjects::One(&read.target) } else { Subjects::All };
                    self.see(request, rule, over, &mut seen).await?;
                }
            }
            Operation::List(list) => {
                let kept = self.read_shape(request, &ReadAsk::list(request, list))?;
                for rule in kept.shape.expressions.rules().collect::<Vec<_>>() {
                    self.see(request, rule, Subjects::All, &mut seen).await?;
                }
            }
            Operation::Group(group) => {
                let kept = self.group_shape(request, group)?;
                for rule in kept.shape.expressions.rules().collect::<Vec<_>>() {
                    self.see(request, rule, Subjects::All, &mut seen).await?;
                }
            }
            Operation::Create(create) => {
                let gate = self.gate(request, (create.collection, RuleKind::Create))?;
                if *gate.gate() == Gate::Shut {
                    self.see(request, gate.rule, Subjects::All, &mut seen).await?;
                }
            }
            Operation::Update(update) => {
                let (of, new) = (update.collection, self.sent_values(update.collection, &update.patch));
                self.see(request, (of, RuleKind::Read), Subjects::One(&update.target), &mut seen).await?;
                self.see(request, (of, RuleKind::Update), Subjects::Changed(&update.target, &new), &mut seen).await?;
                self.see_links(request, update, &mut seen).await?;
            }
            Operation::Delete(delete) => {
                for kind in [RuleKind::Read, RuleKind::Delete] {
                    self.see(request, (delete.collection, kind), Subjects::One(&delete.target), &mut seen).await?;
                }
            }
            Operation::UpdateMatching(update) => {
                self.see_matching(request, &update.matching, RuleKind::Update, &mut seen).await?;
            }
            Operation::DeleteMatching(matching) => {
                self.see_matching(request, matching, RuleKind::Delete, &mut seen).await?;
            }
            Operation::Batch(_) => {}
        }
        Ok(seen)
    }

    /// The same for the rule of a create, over a record that the request has made.
    pub async fn created_coverage(
        &self,
        request: &Request,
        collection: CollectionId,
        id: &str,
    ) -> Result<Vec<ClauseSeen>, Error> {
        let mut seen = Vec::new();
        let target = Target::Key(id.to_owned());
        self.see(request, (collection, RuleKind::Create), Subjects::One(&target), &mut seen).await?;
        Ok(seen)
    }

    /// Asks each clause of a rule. Where the caller alone decides against the rule, no record is asked.
    pub(super) async fn see(
        &self,
        request: &Request,
        rule: RuleName,
        over: Subjects<'_>,
        seen: &mut Vec<ClauseSeen>,
    ) -> Result<(), Error> {
        let Some(compiled) = rule.1.of(&self.schema, rule.0).filter(|_| !request.caller.is_admin()) else {
            return Ok(());
        };
        let shut = *CallerGate::gate(&self.gate(request, rule)?) == Gate::Shut;
        for (number, clause) in leaves(compiled).into_iter().enumerate() {
            let (condition, origins, bound) = self.clause_condition(request, rule, clause)?;
            let condition = if let Subjects::Changed(_, new) = over { as_changed(&condition, new) } else { condition };
            let (held, failed) = match outright(&condition) {
                Verdict::True => (true, false),
                Verdict::PerRecord if shut => continue,
                Verdict::PerRecord => {
                    self.split_records(request, rule.0, over, &as_condition(condition), origins, bound).await?
                }
                _ => (false, true),
            };
            seen.push(ClauseSeen { collection: rule.0, kind: rule.1, number, held, failed });
        }
        Ok(())
    }

    /// Asks each clause of the rules of links, of each record that a change sends to be added or taken out. What a clause reads
    /// behind such a record's own links is left out.
    async fn see_links(&self, request: &Request, update: &Update<'_>, seen: &mut Vec<ClauseSeen>) -> Result<(), Error> {
        let of = update.collection;
        let Ok(patch) = self.patch(request, of, &update.patch, Sender::Caller) else { return Ok(()) };
        for list in patch.lists.iter().filter(|_| !request.caller.is_admin()) {
            let kind = match list.mode {
                LinkMode::Remove => RuleKind::RemoveLink(list.field),
                LinkMode::Add | LinkMode::Replace => RuleKind::AddLink(list.field),
            };
            let Some(compiled) = kind.of(&self.schema, of) else { continue };
            for key in &list.keys {
                let mut text = String::new();
                write_text(key, &mut text);
                let Some(item) = self.stored_values(request, list.target, &Target::Key(text)).await? else { continue };
                for (number, clause) in leaves(compiled).into_iter().enumerate() {
                    let (condition, origins, bound) = self.clause_condition(request, (of, kind), clause)?;
                    let condition = with_item(&condition, key, &item);
                    let (held, failed) = match outright(&condition) {
                        _ if condition.any(&mut |part| part.node == Node::Var(ITEM)) => continue,
                        Verdict::True => (true, false),
                        Verdict::PerRecord => {
                            let (over, condition) = (Subjects::One(&update.target), as_condition(condition));
                            self.split_records(request, of, over, &condition, origins, bound).await?
                        }
                        _ => (false, true),
                    };
                    seen.push(ClauseSeen { collection: of, kind, number, held, failed });
                }
            }
        }
        Ok(())
    }

    /// A clause for this caller, with where its values come from, and the values.
    fn clause_condition(
        &self,
        request: &Request,
        rule: RuleName,
        clause: &Expr,
    ) -> Result<(Expr, Vec<Origin>, Vec<SlotValue>), Error> {
        let mut expressions = Expressions::default();
        expressions.need(&self.schema, rule);
        let resolved = expressions.resolve(&self.schema, request, &[])?;
        let Some(number) = expressions.rule(rule) else {
            return Err(Error::internal("a rule that is there has no number"));
        };
        let mut planner = Planner::new(&self.schema, &expressions, &resolved);
        let condition = planner.part(number, clause);
        Ok((condition, planner.origins, resolved.slots))
    }

    /// The values that a patch sends, as far as they are plain ones.
    fn sent_values(&self, of: CollectionId, patch: &Json<'_>) -> Vec<(FieldId, Value)> {
        let of = self.schema.collection(of);
        let Json::Object(members) = patch else { return Vec::new() };
        let value = |(name, json): &(Cow<'_, str>, Json<'_>)| {
            let field = of.field_named(name)?;
            let plain = matches!(field.kind, FieldKind::Scalar(_) | FieldKind::Enum(_));
            let value = normalize::read(&self.schema, of, field, json);
            value.ok().filter(|_| plain).map(|value| (field.id, value))
        };
        members.iter().filter_map(value).collect()
    }
}

/// A clause of the rule of a link with the values of the other record.
fn with_item(clause: &Expr, key: &Value, item: &[Value]) -> Expr {
    let value = match &clause.node {
        Node::Field { of, symbol } if of.node == Node::Var(ITEM) => item.get(symbol.0 as usize).cloned(),
        Node::Key(of) if of.node == Node::Var(ITEM) => Some(key.clone()),
        _ => None,
    };
    match value {
        Some(value) => Expr::literal(value, clause.ty.clone(), clause.span),
        None => clause.map_parts(&mut |part| with_item(part, key, item)),
    }
}

/// A clause over a change as one over the stored record alone.
fn as_changed(clause: &Expr, new: &[(FieldId, Value)]) -> Expr {
    match &clause.node {
        Node::Var(OLD | NEW) => Expr { node: Node::Var(THIS), ..clause.clone() },
        Node::Field { of, symbol } if of.node == Node::Var(NEW) => {
            match new.iter().find(|(field, _)| *field == FieldId::of(*symbol)) {
                Some((_, value)) => Expr::literal(value.clone(), clause.ty.clone(), clause.span),
                None => clause.map_parts(&mut |part| as_changed(part, new)),
            }
        }
        _ => clause.map_parts(&mut |part| as_changed(part, new)),
    }
}
