//! What a write has done before it asks a rule: what it made and changed itself is not explained from what is stored.
use mainstay_expr::{Expr, ITEM, NEW, Node, Symbol, THIS, Value};
use mainstay_schema::{CollectionId, FieldId, FieldKind, OnDelete, Schema};

use super::clauses::{Subject, conclude, split};
use crate::{Core, Error, Explanation, Over, Request, Target, Verdict};

/// The collections that a write has touched so far.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// Where it made records.
    pub(super) made: Vec<CollectionId>,
    /// Where it changed or deleted some, with the key where it is known which; `None`: any of them.
    changed: Vec<(CollectionId, Option<Value>)>,
    /// By which unique upserts named some of them.
    named: Vec<(CollectionId, Target)>,
}

impl Touched {
    /// Notes a record that is changed.
    pub(super) fn change(&mut self, of: CollectionId, key: Option<Value>) {
        self.changed.push((of, key));
    }

    /// Notes a record that is deleted, with whatever goes with it or lets go of it.
    pub(super) fn end(&mut self, schema: &Schema, of: CollectionId, key: Option<Value>) {
        self.change(of, key);
        let mut reached = vec![of];
        let mut next = 0;
        while let Some(target) = reached.get(next).copied() {
            let lets_go = |kind: &FieldKind| match kind {
                FieldKind::ToOne { target: to, on_delete } => *to == target && *on_delete != OnDelete::Restrict,
                _ => false,
            };
            let by = schema.collections.iter().filter(|by| by.fields.iter().any(|field| lets_go(&field.kind)));
            let new: Vec<CollectionId> = by.map(|by| by.id).filter(|by| !reached.contains(by)).collect();
            self.changed.extend(new.iter().map(|by| (*by, None)));
            reached.extend(new);
            next += 1;
        }
    }

    /// Whether it is one record at most.
    pub(super) fn is_one(&self) -> bool {
        self.made.len() + self.changed.len() <= 1
    }

    /// Notes the name of a record that an upsert makes or changes.
    pub(super) fn name(&mut self, of: CollectionId, target: Target) {
        self.named.push((of, target));
    }

    /// Whether it may have given its name to another record: one that is not known to have one of its own.
    pub(super) fn may_have_named(&self, of: CollectionId, target: &Target) -> bool {
        let fields = |target: &Target| match target {
            Target::Unique { fields, .. } => fields.clone(),
            Target::Key(_) => Vec::new(),
        };
        let alike = |(by, other): &&(CollectionId, Target)| *by == of && fields(other) == fields(target);
        let made = self.made.iter().filter(|by| **by == of).count();
        let touched = made + self.changed.iter().filter(|(by, _)| *by == of).count();
        let mut named = self.named.iter().filter(alike);
        named.clone().count() < touched || named.any(|(_, other)| other == target)
    }

    /// Whether a record of a key may be another one by now.
    pub(super) fn has_changed(&self, of: CollectionId, key: Option<&Value>) -> bool {
        let same = |changed: &Option<Value>| changed.is_none() || key.is_none() || changed.as_ref() == key;
        self.changed.iter().any(|(by, changed)| *by == of && same(changed))
    }

    /// Whether what a clause finds behind links may be another thing by now. A record that is made is missing before: what holds
    /// without it holds with it, and only a link that is written leads to it.
    fn reaches(&self, clause: &Expr, holds: bool, leads_to_new: impl Fn(&Expr, Symbol) -> bool) -> bool {
        let made = |target: u32| self.made.iter().any(|of| of.0 == target);
        let changed = |target: u32| self.changed.iter().any(|(of, _)| of.0 == target);
        clause.any(&mut |part| match &part.node {
            Node::Links { target, .. } => made(target.0) || changed(target.0),
            Node::Link { of, symbol, target, .. } => {
                changed(target.0) || !holds && made(target.0) && leads_to_new(of, *symbol)
            }
            _ => false,
        })
    }
}

/// The record whose rules are explained, as far as what a write did before it may have a part in that.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// Whether it may be another one by now.
    pub(super) has_changed: bool,
    /// The fields that are written; `None`: all, it is new.
    pub(super) written: Option<&'a [FieldId]>,
}

impl Asked<'_> {
    /// A new record.
    pub(super) const NEW: Asked<'static> = Asked { has_changed: false, written: None };

    /// Whether a link may lead to a record that the write made before: one of a state of the record that the write leaves.
    fn leads_to_new(self, over: Option<Over>, of: &Expr, link: Symbol) -> bool {
        let is_written = || self.written.is_none_or(|written| written.contains(&FieldId::of(link)));
        match of.node {
            Node::Var(THIS) => over != Some(Over::Before) && is_written(),
            Node::Var(NEW) => is_written(),
            Node::Var(ITEM) => true,
            // What is found behind it leads on: it was found in the same way.
            _ => false,
        }
    }
}

impl Core {
    /// Leaves the clauses to the write that what it did before may decide otherwise; all that read a record where that is one of
    /// those.
    pub(super) fn leave_to_write(
        &self,
        request: &Request,
        touched: &Touched,
        asked: Asked<'_>,
        explanation: &mut Explanation,
    ) -> Result<(), Error> {
        let mut left = false;
        for explained in &mut explanation.rules {
            let Some(rule) = self.rule_called(&explained.name) else { continue };
            let Some(compiled) = rule.1.of(&self.schema, rule.0) else { continue };
            let alone = self.rule_parts(request, rule, Subject::Any, None)?.explained;
            let (clauses, all) = split(&compiled.expr);
            let leads_to_new = |of: &Expr, link| asked.leads_to_new(explained.over, of, link);
            let told = clauses.into_iter().zip(alone.clauses).zip(&mut explained.clauses);
            for ((clause, alone), told) in told.filter(|((_, alone), _)| alone.outcome == Verdict::PerRecord) {
                if asked.has_changed || touched.reaches(clause, told.outcome == Verdict::True, leads_to_new) {
                    *told = alone;
                    left = true;
                }
            }
            conclude(explained, all);
        }
        if asked.has_changed {
            explanation.rules.retain(|rule| !rule.name.ends_with(" @check"));
        }
        if left && !explanation.rules.iter().any(|rule| rule.outcome == Verdict::False) {
            explanation.refused = None;
        }
        Ok(())
    }
}
