//! Refusals that say which clause refused, for development.
use mainstay_plan::OwnFields;
use mainstay_schema::CollectionId;

use super::clauses::Subject;
use crate::{
    Clause, Core, Error, ErrorKind, Request, RuleExplained, Target, Verdict,
    expressions::{RuleKind, RuleName},
    gate::CallerGate,
};

impl Core {
    /// Adds to a refusal what the caller, and a new record, decide of the rule.
    pub(crate) fn explain_gate(
        &self,
        request: &Request,
        gate: &CallerGate,
        record: Option<&OwnFields<'_>>,
        error: Error,
    ) -> Error {
        if !self.settings.explain_refusals {
            return error;
        }
        let subject = record.map_or(Subject::Any, Subject::New);
        match self.rule_parts(request, gate.rule, subject) {
            Ok(parts) => with_clauses(error, &parts.explained),
            Err(_) => error,
        }
    }

    /// The same for an operation that never came to a record.
    pub(crate) fn explain_outright(&self, request: &Request, rule: RuleName, error: Error) -> Error {
        if !self.settings.explain_refusals || !is_refusal(&error) {
            return error;
        }
        match self.rule_parts(request, rule, Subject::Any) {
            Ok(parts) if error.rule.as_deref() == Some(&parts.explained.name) => with_clauses(error, &parts.explained),
            _ => error,
        }
    }

    /// The same for the rule of a link: its clauses, as far as the caller alone decides them.
    pub(crate) fn explain_link_refusal(&self, request: &Request, of: CollectionId, error: Error) -> Error {
        let fields = self.schema.collection(of).fields.iter().map(|field| field.id);
        let mut kinds = fields.flat_map(|field| [RuleKind::AddLink(field), RuleKind::RemoveLink(field)]);
        let named = kinds.find(|kind| error.rule.as_ref() == Some(&kind.name(&self.schema, of)));
        match named.filter(|_| self.settings.explain_refusals) {
            Some(kind) => self.explain_outright(request, (of, kind), error),
            None => error,
        }
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
            Ok(explained) if explained.outcome == Verdict::False => with_clauses(error, &explained),
            Ok(explained) if is_refusal(&error) => {
                error.with_hint(format!("{} holds of the record as it is, but not as it would become", explained.name))
            }
            _ => error,
        }
    }
}

fn is_refusal(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Unauthenticated | ErrorKind::Forbidden)
}

/// Whether the rule is the one that the error names; a record that is not found names none.
fn is_of(error: &Error, explained: &RuleExplained) -> bool {
    error.rule.as_ref().is_none_or(|rule| *rule == explained.name)
}

/// The error with the clauses that refuse, in its hint.
fn with_clauses(mut error: Error, explained: &RuleExplained) -> Error {
    error.rule = Some(explained.name.clone());
    let are = |verdicts: &[Verdict]| -> Vec<String> {
        explained.clauses.iter().filter(|clause| verdicts.contains(&clause.outcome)).map(told).collect()
    };
    let mut told = are(&[Verdict::False, Verdict::Error]);
    if told.is_empty() {
        // What looks further than the record was decided by the database, and refused.
        told = are(&[Verdict::PerRecord]);
    }
    if explained.text.is_none() {
        error.hint = Some(format!("{} is not there: add it to @rules, or send an admin's token", explained.name));
    } else if !told.is_empty() {
        error.hint = Some(format!("{}: {}", explained.name, told.join("; ")));
    }
    error
}

/// A clause in words: `owner == auth.id is false, with owner "anna" and auth.id "bob"`.
fn told(clause: &Clause) -> String {
    let outcome = match clause.outcome {
        Verdict::Error => "is an error",
        Verdict::PerRecord => "does not hold",
        _ => "is false",
    };
    let values: Vec<String> = clause.values.iter().map(|read| format!("{} is {}", read.name, read.value)).collect();
    match values.is_empty() {
        true => format!("`{}` {outcome}", clause.text),
        false => format!("`{}` {outcome}, where {}", clause.text, values.join(" and ")),
    }
}
