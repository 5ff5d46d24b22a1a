//! Which clauses of which rules hold, and which do not, over the records that an operation is about: for rule tests.
use mainstay_expr::{Compiled, reads_change};
use mainstay_schema::CollectionId;

use super::{
    clauses::{Item, Subject},
    coverage_batches::Touched,
    coverage_changes::Changing,
    coverage_written::Written,
    obeying::{Asked, Subjects},
    rule_clauses::leaves,
};
use crate::{
    Core, Error, Matching, Operation, Request, Target, UpdateMatching, Verdict,
    expressions::{Expressions, RuleKind, RuleName},
    gate::CallerGate,
    plan::{read::ReadAsk, rules::Gate},
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

impl ClauseSeen {
    /// Of one record.
    pub(super) fn one((collection, kind): RuleName, number: usize, held: bool) -> ClauseSeen {
        ClauseSeen { collection, kind, number, held, failed: !held }
    }
}

/// What the rules of an operation come to before it, and what is asked again behind it.
#[derive(Debug, Default)]
pub struct Covered {
    /// What the clauses come to.
    pub seen: Vec<ClauseSeen>,
    /// The records that the operation changes: for [`Core::changed_coverage`].
    pub changing: Vec<Changing>,
    /// Whether it may make records.
    pub makes: bool,
}

impl Core {
    /// What the clauses of the rules that an operation asks come to, over the records as they are stored now, and as far as it is
    /// known over what they become. The rule of a create is asked of the new record: [`Core::created_coverage`].
    pub async fn coverage(&self, request: &Request, operation: &Operation<'_>) -> Result<Covered, Error> {
        let mut covered = Covered::default();
        match operation {
            Operation::ReadOne(read) => {
                let kept = self.read_shape(request, &ReadAsk::one(request, read))?;
                let one = Some((read.collection, &read.target));
                self.see_read(request, &kept.shape.expressions, one, &mut covered.seen).await?;
            }
            Operation::List(list) => {
                let kept = self.read_shape(request, &ReadAsk::list(request, list))?;
                self.see_read(request, &kept.shape.expressions, None, &mut covered.seen).await?;
            }
            Operation::Group(group) => {
                let kept = self.group_shape(request, group)?;
                self.see_read(request, &kept.shape.expressions, None, &mut covered.seen).await?;
            }
            Operation::UpdateMatching(update) => self.see_update_matching(request, update, &mut covered).await?,
            Operation::DeleteMatching(matching) => self.see_delete_matching(request, matching, &mut covered).await?,
            Operation::Create(_) | Operation::Update(_) | Operation::Delete(_) | Operation::Batch(_) => {
                let mut touched = Touched::default();
                for written in self.written(request, operation) {
                    covered.makes |= matches!(written, Written::New(_));
                    let mut one = Covered::default();
                    self.see_written(request, written.clone(), &mut one).await?;
                    covered.seen.extend(self.without_touched(&touched, &written, one.seen));
                    covered.changing.append(&mut one.changing);
                    touched.add(written);
                }
            }
        }
        Ok(covered)
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

    async fn see_written(&self, request: &Request, written: Written, covered: &mut Covered) -> Result<(), Error> {
        match written {
            Written::New(new) => self.see_create(request, new, covered).await,
            Written::Changed { of, target, patch } => {
                self.see(request, (of, RuleKind::Read), Subjects::One(&target), &mut covered.seen).await?;
                self.see_change(request, (of, &target), &patch, covered).await
            }
            Written::Gone { of, target } => {
                for kind in [RuleKind::Read, RuleKind::Delete] {
                    self.see(request, (of, kind), Subjects::One(&target), &mut covered.seen).await?;
                }
                Ok(())
            }
        }
    }

    /// Of a change of all that match: the rules that find the records, of all; those of the change, of those that match.
    async fn see_update_matching(
        &self,
        request: &Request,
        update: &UpdateMatching<'_>,
        covered: &mut Covered,
    ) -> Result<(), Error> {
        let of = update.matching.collection;
        let matching = self.see_matching(request, &update.matching, &mut covered.seen).await?;
        let patch = self.patch_sent(request, of, &update.patch).unwrap_or_default();
        let update = Some(RuleKind::Update).filter(|_| patch.asks_update_rule(self.schema.collection(of)));
        for kind in update.into_iter().chain(self.rules_of_fields(of, &patch)) {
            self.see_shut(request, (of, kind), &mut covered.seen).await?;
        }
        for target in matching {
            self.see_change(request, (of, &target), &patch, covered).await?;
        }
        Ok(())
    }

    async fn see_delete_matching(
        &self,
        request: &Request,
        matching: &Matching,
        covered: &mut Covered,
    ) -> Result<(), Error> {
        let rule = (matching.collection, RuleKind::Delete);
        let targets = self.see_matching(request, matching, &mut covered.seen).await?;
        self.see_shut(request, rule, &mut covered.seen).await?;
        for target in targets {
            self.see(request, rule, Subjects::One(&target), &mut covered.seen).await?;
        }
        Ok(())
    }

    /// The rules that find the records that match, of all; gives those that do.
    async fn see_matching(
        &self,
        request: &Request,
        matching: &Matching,
        seen: &mut Vec<ClauseSeen>,
    ) -> Result<Vec<Target>, Error> {
        let kept = self.read_shape(request, &ReadAsk::matching(request, matching, &self.keys))?;
        self.see_read(request, &kept.shape.expressions, None, seen).await?;
        self.matching_now(request, matching).await
    }

    /// The same for the rule of a create, and those of its links, over a record that the request has made.
    pub async fn created_coverage(
        &self,
        request: &Request,
        collection: CollectionId,
        id: &str,
    ) -> Result<Vec<ClauseSeen>, Error> {
        let mut seen = Vec::new();
        let target = Target::Key(id.to_owned());
        self.see(request, (collection, RuleKind::Create), Subjects::One(&target), &mut seen).await?;
        if !self.shuts(request, (collection, RuleKind::Create))? {
            self.see_new_links(request, (collection, &target), &mut seen).await?;
        }
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

    /// What the caller alone decides of a rule, where that shuts it.
    pub(super) async fn see_shut(
        &self,
        request: &Request,
        rule: RuleName,
        seen: &mut Vec<ClauseSeen>,
    ) -> Result<(), Error> {
        match self.shuts(request, rule)? {
            true => self.see(request, rule, Subjects::All, seen).await,
            false => Ok(()),
        }
    }

    /// Whether the caller alone decides against a rule.
    pub(super) fn shuts(&self, request: &Request, rule: RuleName) -> Result<bool, Error> {
        Ok(*CallerGate::gate(&self.gate(request, rule)?) == Gate::Shut)
    }

    /// Asks each clause of a rule, of the stored records; what reads the change that is not known is left out.
    pub(super) async fn see_of(
        &self,
        request: &Request,
        rule: RuleName,
        (over, subject, item): (Subjects<'_>, Subject<'_>, Option<Item<'_>>),
        seen: &mut Vec<ClauseSeen>,
    ) -> Result<(), Error> {
        let Some(compiled) = self.rule_asked(request, rule) else { return Ok(()) };
        let shut = item.is_none() && self.shuts(request, rule)?;
        let parts = self.take_apart(request, rule, (subject, item), |expr| (leaves(expr), true))?;
        let (asked, mut there) = (Asked { of: rule.0, over, parts: &parts }, None);
        for ((number, clause), leaf) in parts.explained.clauses.iter().enumerate().zip(leaves(&compiled.expr)) {
            let open = parts.open.iter().find(|(at, _)| *at == number);
            let (held, failed) = match (clause.outcome, open) {
                (Verdict::True, _) => (true, false),
                (Verdict::PerRecord, None) => continue,
                (Verdict::PerRecord, _) if shut => continue,
                (Verdict::PerRecord, _) if reads_change(leaf) && !matches!(subject, Subject::Changed(_)) => continue,
                (Verdict::PerRecord, Some((_, condition))) => {
                    match self.split_records(request, asked, condition, &mut there).await? {
                        Some(split) => split,
                        None => continue,
                    }
                }
                _ => (false, true),
            };
            seen.push(ClauseSeen { collection: rule.0, kind: rule.1, number, held, failed });
        }
        Ok(())
    }

    /// A rule that is there, and that the caller is asked.
    pub(super) fn rule_asked(&self, request: &Request, rule: RuleName) -> Option<&Compiled> {
        rule.1.of(&self.schema, rule.0).filter(|_| !request.caller.is_admin()).map(|compiled| &**compiled)
    }
}
