//! Rules of links explained, of each record that is added or taken out.
use mainstay_expr::Value;
use mainstay_plan::{LinkMode, OwnFields};
use mainstay_schema::{CollectionId, FieldId};

use super::{
    clauses::{Changed, Subject, conclude, split},
    known::unknown,
    writes::EXPLAINED_MAX,
};
use crate::{
    Core, Error, Explanation, Over, Request, RuleExplained, Target, Verdict,
    expressions::{RuleKind, RuleName},
    plan::target::key_text,
    reads::reads_any,
    record::{lists::ListChange, patch::Patch},
};

/// A list of a record that is written.
#[derive(Clone, Copy)]
struct Sent<'a> {
    of: CollectionId,
    list: &'a ListChange,
    /// Where the record stands in the body.
    place: &'a str,
    /// Whether the record is new.
    is_new: bool,
}

/// The record that a rule of a link is asked of, with its address where it is asked as it is stored.
type Holder<'a> = (Subject<'a>, Option<&'a Target>);

impl Core {
    /// The rules of the links of a new record, as far as those are known.
    pub(super) async fn explain_new_links(
        &self,
        request: &Request,
        (of, lists): (CollectionId, &[ListChange]),
        subject: Subject<'_>,
        place: &str,
        explanation: &mut Explanation,
    ) -> Result<(), Error> {
        for list in lists {
            let sent = Sent { of, list, place, is_new: true };
            // A new record has no links that a list takes out.
            let adds = (list.mode != LinkMode::Remove).then_some(RuleKind::AddLink(list.field));
            if let Some(kind) = adds.filter(|kind| kind.of(&self.schema, of).is_some()) {
                self.explain_list_rule(request, (sent, kind), (subject, None), explanation).await?;
            }
        }
        Ok(())
    }

    /// The rules of the links of a record that changes. They are asked once its own fields are written, before and after each
    /// list.
    pub(super) async fn explain_changed_links(
        &self,
        request: &Request,
        of: CollectionId,
        (target, before, after): (&Target, &[Value], &OwnFields<'_>),
        patch: &Patch,
        explanation: &mut Explanation,
    ) -> Result<(), Error> {
        let unknown = unknown(patch);
        let changed = Changed { before, after, over: Over::After, unknown: &unknown };
        let mut written: Vec<FieldId> = patch.set.iter().map(|(field, _)| *field).collect();
        written.extend(self.schema.collection(of).system.version);
        for list in &patch.lists {
            let sent = Sent { of, list, place: "", is_new: false };
            let adds = (list.mode != LinkMode::Remove).then_some(RuleKind::AddLink(list.field));
            let removes = (list.mode != LinkMode::Add).then_some(RuleKind::RemoveLink(list.field));
            for kind in adds.into_iter().chain(removes) {
                let Some(rule) = kind.of(&self.schema, of) else { continue };
                let holder: Holder<'_> = match reads_any(&self.schema, &rule.expr, of, &written) {
                    true => (Subject::Changed(changed), None),
                    false => (Subject::Stored(before), Some(target)),
                };
                self.explain_list_rule(request, (sent, kind), holder, explanation).await?;
            }
            written.push(list.field);
        }
        Ok(())
    }

    /// One rule of a link, of each record that a list names.
    async fn explain_list_rule(
        &self,
        request: &Request,
        (sent, kind): (Sent<'_>, RuleKind),
        (subject, target): Holder<'_>,
        explanation: &mut Explanation,
    ) -> Result<(), Error> {
        let Sent { of, list, place, is_new } = sent;
        let rule = (of, kind);
        // A list that is sent as a whole asks of what differs from the stored one.
        let differs = list.mode == LinkMode::Replace && !is_new;
        let keys = if differs { &[] } else { &list.keys[..] };
        let keys = keys.iter().take(EXPLAINED_MAX).enumerate().filter(|(_, key)| !key.is_null());
        let mut asked = false;
        for (at, key) in keys {
            let Some(text) = key_text(key) else { continue };
            let Some(item) = self.stored_values(request, list.target, &Target::Key(text)).await? else { continue };
            let parts = self.rule_parts(request, rule, subject, Some((key, &item)))?;
            let mut explained = self.explain_parts(request, rule, parts, subject.values(), target).await?;
            self.leave_what_counts(rule, list.field, &mut explained);
            let pointer = format!("{place}/{}/{at}", self.schema.collection(of).field(list.field).name);
            match is_new {
                true => self.add_rule(request, rule, explained, Some(&pointer), explanation),
                // One that is there already is not added again, and its rule refuses nothing.
                false => explanation.rules.push(RuleExplained { of: Some(pointer), ..explained }),
            }
            asked = true;
        }
        if !asked {
            let explained = self.rule_parts(request, rule, Subject::Any, None)?.explained;
            self.add_rule(request, rule, explained, None, explanation);
        }
        Ok(())
    }

    /// What reads the list itself is asked with the new links, too: that it holds before says only half of it.
    fn leave_what_counts(&self, rule: RuleName, list: FieldId, explained: &mut RuleExplained) {
        let Some(compiled) = rule.1.of(&self.schema, rule.0) else { return };
        let (clauses, all) = split(&compiled.expr);
        for (clause, told) in clauses.into_iter().zip(&mut explained.clauses) {
            if told.outcome == Verdict::True && reads_any(&self.schema, clause, rule.0, &[list]) {
                told.outcome = Verdict::PerRecord;
            }
        }
        conclude(explained, all);
    }
}
