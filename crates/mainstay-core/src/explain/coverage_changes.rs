//! The rules of a change: which of their clauses hold, and which do not, of the record as it is and as it becomes, for rule tests.
use mainstay_expr::{Value, reads_change};
use mainstay_plan::OwnFields;
use mainstay_schema::CollectionId;

use super::{
    clauses::{Changed, Subject},
    coverage::{ClauseSeen, Covered},
    coverage_fields::verdicts,
    known::{becoming, unknown},
    obeying::Subjects,
    rule_clauses::leaves,
};
use crate::{
    Core, Error, Over, Request, Target,
    expressions::{RuleKind, RuleName},
    plan::target::by_key,
    record::patch::Patch,
};

/// A record that an operation changes: its rules are asked again of what it has become.
#[derive(Debug)]
pub struct Changing {
    of: CollectionId,
    target: Target,
    kinds: Vec<RuleKind>,
    /// The rules of links, each with the record that comes or goes.
    links: Vec<(RuleKind, Value)>,
}

impl Core {
    /// The rules that a change asks: that of the update, those of its fields and of its links.
    pub(super) async fn see_change(
        &self,
        request: &Request,
        (of, target): (CollectionId, &Target),
        patch: &Patch,
        covered: &mut Covered,
    ) -> Result<(), Error> {
        let patch = self.known_patch(request, patch).await?;
        let collection = self.schema.collection(of);
        let update = Some(RuleKind::Update).filter(|_| patch.asks_update_rule(collection));
        let kinds: Vec<RuleKind> = update.into_iter().chain(self.rules_of_fields(of, &patch)).collect();
        let before = self.stored_values(request, of, target).await?;
        let key = before.as_ref().zip(collection.system.id).and_then(|(values, id)| values.get(id.0 as usize));
        // What an earlier operation of the same request makes is not there yet.
        let target = key.map_or_else(|| target.clone(), by_key);
        let mut links = Vec::new();
        if let Some(before) = &before {
            for kind in &kinds {
                self.see_states(request, (of, *kind), &target, (before, &patch), &mut covered.seen).await?;
            }
            links = self.links_asked(request, (of, &target), &patch.lists).await?;
            match patch.set.is_empty() {
                true => self.see_links(request, (of, &target), &links, &mut covered.seen).await?,
                false => self.see_links_beside(request, of, &links, (before, &patch), &mut covered.seen).await?,
            }
        }
        covered.changing.push(Changing { of, target, kinds, links });
        Ok(())
    }

    /// A rule of the record as it is stored. What reads `old` or `new` is asked of both states, because behind the write nobody
    /// knows what was there; all else is asked of the new state then.
    async fn see_states(
        &self,
        request: &Request,
        rule: RuleName,
        target: &Target,
        (before, patch): (&[Value], &Patch),
        seen: &mut Vec<ClauseSeen>,
    ) -> Result<(), Error> {
        let collection = self.schema.collection(rule.0);
        let after = OwnFields { collection, values: &becoming(collection, before, patch) };
        let unknown = unknown(patch);
        let state = |over| Subject::Changed(Changed { before, after: &after, over, unknown: &unknown });
        self.see_of(request, rule, (Subjects::One(target), state(Over::Before), None), seen).await?;
        let Some(compiled) = self.rule_asked(request, rule) else { return Ok(()) };
        let over_change: Vec<bool> = leaves(&compiled.expr).into_iter().map(reads_change).collect();
        if !over_change.contains(&true) || self.shuts(request, rule)? {
            return Ok(());
        }
        let mut parts = self.take_apart(request, rule, (state(Over::After), None), |expr| (leaves(expr), true))?;
        self.decide_ends(request, rule.0, (before, after.values), &mut parts).await?;
        let explained = self.explain_parts(request, rule, parts, Some(after.values), None).await?;
        let of_change = verdicts(&explained).filter(|(number, _)| over_change.get(*number) == Some(&true));
        seen.extend(of_change.map(|(number, held)| ClauseSeen::one(rule, number, held)));
        Ok(())
    }

    /// What the clauses come to of records that a request has changed. What reads `old` or `new` was asked before.
    pub async fn changed_coverage(&self, request: &Request, changing: &[Changing]) -> Result<Vec<ClauseSeen>, Error> {
        let mut seen = Vec::new();
        for Changing { of, target, kinds, links } in changing {
            for kind in kinds {
                self.see(request, (*of, *kind), Subjects::One(target), &mut seen).await?;
            }
            self.see_links(request, (*of, target), links, &mut seen).await?;
        }
        Ok(seen)
    }
}
