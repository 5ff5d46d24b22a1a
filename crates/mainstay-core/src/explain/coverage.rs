//! Which clauses of which rules hold, and which do not, over the records that an operation is about: for rule tests.
use mainstay_expr::wire::write_text;
use mainstay_plan::{LinkMode, OwnFields};
use mainstay_schema::CollectionId;

use super::{
    clauses::{Changed, Item, Subject},
    known::{changed, unknown},
    obeying::{Asked, Subjects},
    rule_clauses::leaves,
};
use crate::{
    Core, Create, Error, Operation, Over, Request, Target, Update, Verdict,
    expressions::{Expressions, RuleKind, RuleName},
    gate::CallerGate,
    plan::{read::ReadAsk, rules::Gate},
    record::{field::Sender, patch::Patch},
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
                let one = Some((read.collection, &read.target));
                self.see_read(request, &kept.shape.expressions, one, &mut seen).await?;
            }
            Operation::List(list) => {
                let kept = self.read_shape(request, &ReadAsk::list(request, list))?;
                self.see_read(request, &kept.shape.expressions, None, &mut seen).await?;
            }
            Operation::Group(group) => {
                let kept = self.group_shape(request, group)?;
                self.see_read(request, &kept.shape.expressions, None, &mut seen).await?;
            }
            Operation::Create(create) => self.see_create(request, create, &mut seen).await?,
            Operation::Update(update) => self.see_update(request, update, &mut seen).await?,
            Operation::Delete(delete) => {
                for kind in [RuleKind::Read, RuleKind::Delete] {
                    self.see(request, (delete.collection, kind), Subjects::One(&delete.target), &mut seen).await?;
                }
            }
            Operation::UpdateMatching(update) => {
                let (of, matching) = (update.matching.collection, &update.matching);
                let patch = self.patch(request, of, &update.patch, Sender::Caller).unwrap_or_default();
                let rules = [RuleKind::Update].into_iter().chain(self.rules_of_fields(of, &patch));
                self.see_matching(request, matching, rules, &mut seen).await?;
            }
            Operation::DeleteMatching(matching) => {
                self.see_matching(request, matching, [RuleKind::Delete].into_iter(), &mut seen).await?;
            }
            Operation::Batch(_) => {}
        }
        Ok(seen)
    }

    /// The rules of a read: of the record that it names, of all records of other collections.
    async fn see_read(
        &self,
        request: &Request,
        expressions: &Expressions,
        one: Option<(CollectionId, &Target)>,
        seen: &mut Vec<ClauseSeen>,
    ) -> Result<(), Error> {
        for rule in expressions.rules() {
            let own = one.filter(|(of, _)| *of == rule.0 && matches!(rule.1, RuleKind::Read | RuleKind::ReadField(_)));
            let over = own.map_or(Subjects::All, |(_, target)| Subjects::One(target));
            self.see(request, rule, over, seen).await?;
        }
        Ok(())
    }

    /// The rule of a create where it shuts, else those of the fields that are sent.
    async fn see_create(
        &self,
        request: &Request,
        create: &Create<'_>,
        seen: &mut Vec<ClauseSeen>,
    ) -> Result<(), Error> {
        let gate = self.gate(request, (create.collection, RuleKind::Create))?;
        match *gate.gate() {
            Gate::Shut => self.see(request, gate.rule, Subjects::All, seen).await,
            _ => self.see_sent(request, create, seen).await,
        }
    }

    /// The rules of a change of one record.
    async fn see_update(
        &self,
        request: &Request,
        update: &Update<'_>,
        seen: &mut Vec<ClauseSeen>,
    ) -> Result<(), Error> {
        let (of, target) = (update.collection, &update.target);
        self.see(request, (of, RuleKind::Read), Subjects::One(target), seen).await?;
        let patch = self.sent(request, update).unwrap_or_default();
        self.see_change(request, (of, target), &patch, seen).await?;
        self.see_links(request, update, seen).await
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
        self.see_of(request, rule, (over, Subject::Any, None), seen).await
    }

    /// The same of the rule of an update and those of its fields, over the record as it is stored and is about to become. Says
    /// whether there is one.
    pub(super) async fn see_change(
        &self,
        request: &Request,
        (of, target): (CollectionId, &Target),
        patch: &Patch,
        seen: &mut Vec<ClauseSeen>,
    ) -> Result<bool, Error> {
        let Some(before) = self.stored_values(request, of, target).await? else { return Ok(false) };
        let patch = self.known_patch(request, patch).await?;
        let after = changed(&before, &patch);
        let after = OwnFields { collection: self.schema.collection(of), values: &after };
        let unknown = unknown(&patch);
        let subject =
            Subject::Changed(Changed { before: &before, after: &after, over: Over::Before, unknown: &unknown });
        for kind in [RuleKind::Update].into_iter().chain(self.rules_of_fields(of, &patch)) {
            self.see_of(request, (of, kind), (Subjects::One(target), subject, None), seen).await?;
        }
        Ok(true)
    }

    async fn see_of(
        &self,
        request: &Request,
        rule: RuleName,
        (over, subject, item): (Subjects<'_>, Subject<'_>, Option<Item<'_>>),
        seen: &mut Vec<ClauseSeen>,
    ) -> Result<(), Error> {
        if request.caller.is_admin() || rule.1.of(&self.schema, rule.0).is_none() {
            return Ok(());
        }
        let shut = item.is_none() && *CallerGate::gate(&self.gate(request, rule)?) == Gate::Shut;
        let parts = self.take_apart(request, rule, (subject, item), |expr| (leaves(expr), true))?;
        for (number, clause) in parts.explained.clauses.iter().enumerate() {
            let open = parts.open.iter().find(|(at, _)| *at == number);
            let (held, failed) = match (clause.outcome, open) {
                (Verdict::True, _) => (true, false),
                (Verdict::PerRecord, None) => continue,
                (Verdict::PerRecord, _) if shut => continue,
                (Verdict::PerRecord, Some((_, condition))) => {
                    self.split_records(request, Asked { of: rule.0, over, parts: &parts }, condition).await?
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
            for key in list.keys.iter().filter(|_| kind.of(&self.schema, of).is_some()) {
                let mut text = String::new();
                write_text(key, &mut text);
                let Some(item) = self.stored_values(request, list.target, &Target::Key(text)).await? else { continue };
                let asked = (Subjects::One(&update.target), Subject::Any, Some((key, &item[..])));
                self.see_of(request, (of, kind), asked, seen).await?;
            }
        }
        Ok(())
    }
}
