//! The rules of links: which of their clauses hold, and which do not, of each record that comes or goes, for rule tests.
use mainstay_expr::Value;
use mainstay_plan::{LinkMode, Nested, Output, OutputValue, OwnFields};
use mainstay_schema::{CollectionId, FieldId};

use super::{
    clauses::{Changed, Subject},
    coverage::ClauseSeen,
    coverage_fields::verdicts,
    known::{becoming, unknown},
    obeying::{Found, Subjects},
    rule_clauses::leaves,
};
use crate::{
    Core, Error, Over, Request, Target,
    expressions::{Expressions, RuleKind},
    plan::{Given, Planner, target::TargetShape, target::by_key, target::target_values},
    record::{lists::ListChange, patch::Patch},
};

impl Core {
    /// The rules that changes of lists ask of a stored record: of what comes to be linked, and of what is linked no more.
    pub(super) async fn links_asked(
        &self,
        request: &Request,
        (of, target): (CollectionId, &Target),
        lists: &[ListChange],
    ) -> Result<Vec<(RuleKind, Value)>, Error> {
        let mut asked = Vec::new();
        for ListChange { field, mode, keys, .. } in lists {
            let (add, remove) = (RuleKind::AddLink(*field), RuleKind::RemoveLink(*field));
            let linked = self.linked(request, (of, target), *field).await?;
            let mut ask = |kind: RuleKind, keys: &mut dyn Iterator<Item = &Value>| {
                if kind.of(&self.schema, of).is_some() {
                    asked.extend(keys.map(|key| (kind, key.clone())));
                }
            };
            if *mode != LinkMode::Remove {
                ask(add, &mut keys.iter().filter(|key| !key.is_null() && !linked.contains(key)));
            }
            match mode {
                LinkMode::Add => {}
                LinkMode::Remove => ask(remove, &mut keys.iter().filter(|key| linked.contains(key))),
                LinkMode::Replace => ask(remove, &mut linked.iter().filter(|key| !keys.contains(key))),
            }
        }
        Ok(asked)
    }

    /// Asks each clause of rules of links. What a clause reads behind the other record's own links is left out.
    pub(super) async fn see_links(
        &self,
        request: &Request,
        (of, target): (CollectionId, &Target),
        links: &[(RuleKind, Value)],
        seen: &mut Vec<ClauseSeen>,
    ) -> Result<(), Error> {
        for (kind, key) in links {
            let Some(other) = kind.target(&self.schema, of) else { continue };
            let Some(item) = self.stored_values(request, other, &by_key(key)).await? else { continue };
            let asked = (Subjects::One(target), Subject::Any, Some((key, &item[..])));
            self.see_of(request, (of, *kind), asked, seen).await?;
        }
        Ok(())
    }

    /// The same where the change sets fields of the record too: as they become, they are what the rules read. What is behind links
    /// is asked when the write is done.
    pub(super) async fn see_links_beside(
        &self,
        request: &Request,
        of: CollectionId,
        links: &[(RuleKind, Value)],
        (before, patch): (&[Value], &Patch),
        seen: &mut Vec<ClauseSeen>,
    ) -> Result<(), Error> {
        let (collection, unknown) = (self.schema.collection(of), unknown(patch));
        let after = OwnFields { collection, values: &becoming(collection, before, patch) };
        let subject = Subject::Changed(Changed { before, after: &after, over: Over::After, unknown: &unknown });
        for (kind, key) in links.iter().filter(|_| !request.caller.is_admin()) {
            let Some(other) = kind.target(&self.schema, of) else { continue };
            let Some(item) = self.stored_values(request, other, &by_key(key)).await? else { continue };
            let asked = (subject, Some((key, &item[..])));
            let parts = self.take_apart(request, (of, *kind), asked, |expr| (leaves(expr), true))?;
            let decided = verdicts(&parts.explained);
            seen.extend(decided.map(|(number, held)| ClauseSeen::one((of, *kind), number, held)));
        }
        Ok(())
    }

    /// The same of a record that the request has made: all of its links were added.
    pub(super) async fn see_new_links(
        &self,
        request: &Request,
        (of, target): (CollectionId, &Target),
        seen: &mut Vec<ClauseSeen>,
    ) -> Result<(), Error> {
        let ruled = self.schema.collection(of).fields.iter().filter(|field| field.rules.add.is_some());
        for field in ruled.map(|field| field.id) {
            let linked = self.linked(request, (of, target), field).await?;
            let links: Vec<_> = linked.into_iter().map(|key| (RuleKind::AddLink(field), key)).collect();
            self.see_links(request, (of, target), &links, seen).await?;
        }
        Ok(())
    }

    /// The keys of the records that a list links to now, of those that the caller may read: others stay as they are.
    async fn linked(
        &self,
        request: &Request,
        (of, target): (CollectionId, &Target),
        field: FieldId,
    ) -> Result<Vec<Value>, Error> {
        let Some(other) = self.schema.collection(of).field(field).target() else { return Ok(Vec::new()) };
        let mut expressions = Expressions::default();
        expressions.need(&self.schema, (other, RuleKind::Read));
        let resolved = expressions.resolve(&self.schema, request, &[])?;
        let mut planner = Planner::new(&self.schema, &expressions, &resolved);
        let visible = planner.gate((other, RuleKind::Read)).condition();
        let (order, limit, select) = (Vec::new(), None, Vec::new());
        let nested = Nested { field, target: other, condition: visible, order, limit, select };
        let keys = Output { name: "keys".into(), value: OutputValue::Keys(Box::new(nested)) };
        let find = planner.find(of, &TargetShape::of(target))?;
        let values = target_values(&self.schema, of, target)?;
        let given = Given { slots: &resolved.slots, target: &values, ..Given::default() };
        let found = Found { of, condition: find, bound: given.bind(&planner.origins) };
        self.keys_answered(found, keys, other).await
    }
}
