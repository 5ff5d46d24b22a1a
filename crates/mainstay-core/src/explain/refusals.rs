//! Refusals that say which clause refused, for development.
use mainstay_plan::OwnFields;
use mainstay_schema::{Collection, CollectionId, Json};

use super::{
    clauses::{Made, Subject},
    rule_clauses::{KINDS, field_kinds},
    tried::is_at,
};
use crate::{
    Clause, Core, Error, ErrorKind, Explanation, Over, Request, RuleExplained, Target, Verdict,
    expressions::{RuleKind, RuleName},
    gate::CallerGate,
    record::patch::Patch,
    write::{Failed, Outcome},
};

impl Core {
    /// Adds to a refusal what the caller, and a new record, decide of the rule.
    pub(crate) fn explain_gate(
        &self,
        request: &Request,
        gate: &CallerGate,
        record: Option<Made<'_>>,
        error: Error,
    ) -> Error {
        if !self.settings.explain_refusals {
            return error;
        }
        let subject = record.map_or(Subject::Any, Subject::New);
        match self.rule_parts(request, gate.rule, subject, None) {
            Ok(parts) => with_clauses(error, &parts.explained),
            Err(_) => error,
        }
    }

    /// The same for whatever rule a refusal names that is not explained yet: what the caller alone decides of it.
    pub(crate) fn explain_by_name(&self, request: &Request, error: Error) -> Error {
        let Some(rule) = self.rule_named(&error).filter(|_| is_refusal(&error)) else { return error };
        match self.rule_parts(request, rule, Subject::Any, None) {
            Ok(parts) if !tells_of(&error, &parts.explained) => with_clauses(error, &parts.explained),
            _ => error,
        }
    }

    /// The same for a record that was not made; of what an operation makes or changes besides, what the caller alone decides.
    pub(crate) async fn explain_not_made(&self, request: &Request, outcomes: &[Outcome], failed: Failed) -> Error {
        let Failed { step, error, .. } = failed;
        let Some(rule) = self.rule_named(&error).filter(|_| is_refusal(&error)) else { return error };
        let made = outcomes.iter().find_map(|outcome| match outcome {
            Outcome::Created { of, ready, .. } if outcome.step() == step && *of == rule.0 => Some(ready),
            _ => None,
        });
        let collection = self.schema.collection(rule.0);
        let row = made.map(|ready| (OwnFields { collection, values: &ready.values }, &ready.unknown));
        let subject = row.as_ref().map_or(Subject::Any, |(record, unknown)| Subject::New(Made { record, unknown }));
        match self.explain_made(request, rule, subject).await {
            Ok(explained) => with_clauses(error, &explained),
            Err(_) => error,
        }
    }

    /// The same for one of several operations, or for an upsert, by what is told of each of them.
    pub(crate) async fn explain_refusal_among(
        &self,
        request: &Request,
        asked: impl Future<Output = Result<Explanation, Error>>,
        outcomes: &[Outcome],
        failed: Failed,
    ) -> Error {
        let error = &failed.error;
        if self.settings.explain_refusals
            && is_refusal(error)
            && let Ok(Explanation { rules, .. }) = asked.await
        {
            let place = error.place_told();
            let refuses = |rule: &&_| is_of(error, rule) && rule.outcome == Verdict::False && is_at(rule, place);
            if let Some(rule) = rules.iter().find(refuses) {
                return with_clauses(failed.error, rule);
            }
        }
        self.explain_not_made(request, outcomes, failed).await
    }

    /// The same for a change: over the record as it is stored, and as it would become.
    pub(crate) async fn explain_change_refusal(
        &self,
        request: &Request,
        of: CollectionId,
        (target, patch): (&Target, &Json<'_>),
        error: Error,
    ) -> Error {
        // Adding to a number asks the rule that reads it, too.
        let asked = |kind: RuleKind| matches!(kind, RuleKind::WriteField(_) | RuleKind::ReadField(_));
        let of_field = |rule: &RuleName| rule.0 == of && asked(rule.1);
        let rule = self.rule_named(&error).filter(of_field).unwrap_or((of, RuleKind::Update));
        if self.settings.explain_refusals
            && is_refusal(&error)
            && !request.caller.is_admin()
            && let Some(patch) = self.patch_sent(request, of, patch)
            && let Ok(Some(state)) = self.state_refusing(request, rule, (target, &patch), &error).await
        {
            return with_clauses(error, &state);
        }
        self.explain_stored_refusal(request, rule, target, error).await
    }

    /// In which state of a record a rule refuses its change: as the change finds it, or as it would leave it, as far as that is
    /// known before the write.
    pub(super) async fn state_refusing(
        &self,
        request: &Request,
        rule: RuleName,
        (target, patch): (&Target, &Patch),
        error: &Error,
    ) -> Result<Option<RuleExplained>, Error> {
        let Some(before) = self.stored_values(request, rule.0, target).await? else { return Ok(None) };
        let patch = self.known_patch(request, patch).await?;
        let states = self.explain_states(request, rule, target, (&before, &patch)).await?;
        // The rule of a link is asked once, behind the record's own fields.
        let is_of_link = matches!(rule.1, RuleKind::AddLink(_) | RuleKind::RemoveLink(_));
        let mut states = states.into_iter().filter(|state| !is_of_link || state.over == Some(Over::After));
        let refusing = states.find(|state| is_of(error, state) && state.outcome == Verdict::False);
        Ok(refusing.map(|state| RuleExplained { over: state.over.filter(|_| !is_of_link), ..state }))
    }

    /// The rule that an error names, where refusals are explained.
    fn rule_named(&self, error: &Error) -> Option<RuleName> {
        self.rule_called(error.rule.as_deref().filter(|_| self.settings.explain_refusals)?)
    }

    /// The rule of a name: `Skill.update`.
    pub(super) fn rule_called(&self, name: &str) -> Option<RuleName> {
        let kinds =
            |of: &Collection| KINDS.into_iter().chain(of.fields.iter().flat_map(field_kinds)).collect::<Vec<_>>();
        let named = |of: &Collection| kinds(of).into_iter().find(|kind| kind.name(&self.schema, of.id) == name);
        self.schema.collections.iter().find_map(|of| named(of).map(|kind| (of.id, kind)))
    }

    /// Adds to a refusal that the stored record decided, or to a record that is not found, what the stored record decides.
    pub(crate) async fn explain_stored_refusal(
        &self,
        request: &Request,
        rule: RuleName,
        target: &Target,
        error: Error,
    ) -> Error {
        let rule = match error.kind {
            _ if !self.settings.explain_refusals || request.caller.is_admin() => return error,
            ErrorKind::NotFound => (rule.0, RuleKind::Read),
            _ if is_refusal(&error) => rule,
            _ => return error,
        };
        match self.explain_rule(request, rule, Some(target)).await {
            Ok(explained) if !is_of(&error, &explained) => error,
            Ok(explained) if is_refusal(&error) && explained.outcome == Verdict::True => {
                error.with_hint(format!("{} holds of the record as it is, but not as it would become", explained.name))
            }
            Ok(explained) if is_refusal(&error) || explained.outcome == Verdict::False => {
                with_clauses(error, &explained)
            }
            _ => error,
        }
    }
}

/// Whether a rule refuses: it is no other error.
pub(super) fn is_refusal(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Unauthenticated | ErrorKind::Forbidden)
}

/// Whether the error's hint tells of the rule already.
fn tells_of(error: &Error, explained: &RuleExplained) -> bool {
    error.hint.as_ref().is_some_and(|hint| hint.starts_with(&explained.name))
}

/// Whether the rule is the one that the error names; a record that is not found names none.
fn is_of(error: &Error, explained: &RuleExplained) -> bool {
    error.rule.as_ref().is_none_or(|rule| *rule == explained.name)
}

/// The error with the clauses that refuse, in its hint.
fn with_clauses(mut error: Error, explained: &RuleExplained) -> Error {
    error.rule = Some(explained.name.clone());
    if explained.text.is_none() {
        return error.with_hint(format!("{} is not there: add it to @rules, or send an admin's token", explained.name));
    }
    let are = |verdicts: &[Verdict]| -> Vec<&Clause> {
        explained.clauses.iter().filter(|clause| verdicts.contains(&clause.outcome)).collect()
    };
    let (refusing, open) = (are(&[Verdict::False, Verdict::Error]), are(&[Verdict::PerRecord]));
    let each = |clauses: &[&Clause], word: Option<&str>| {
        clauses.iter().map(|clause| told(clause, word)).collect::<Vec<_>>().join("; ")
    };
    // What looks further than the record was decided by the database, and refused.
    let told = match (&refusing[..], &open[..]) {
        ([], []) => return error,
        ([], [_]) => each(&open, Some("does not hold")),
        ([], _) => format!("not all of these hold: {}", each(&open, None)),
        _ => each(&refusing, Some("is false")),
    };
    let over = if explained.over == Some(Over::After) { ", of the record as it would become" } else { "" };
    error.with_hint(format!("{}{over}: {told}", explained.name))
}

/// A clause in words: `owner == auth.id is false, where owner is "anna" and auth.id is "bob"`.
fn told(clause: &Clause, word: Option<&str>) -> String {
    let mut told = format!("`{}`", clause.text);
    if let Some(word) = word {
        told.push(' ');
        told.push_str(if clause.outcome == Verdict::Error { "is an error" } else { word });
    }
    let values: Vec<String> = clause.values.iter().map(|read| format!("{} is {}", read.name, read.value)).collect();
    if !values.is_empty() {
        told.push_str(", where ");
        told.push_str(&values.join(" and "));
    }
    told
}
