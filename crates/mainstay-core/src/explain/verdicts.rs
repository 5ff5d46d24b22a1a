//! What the clauses of a rule come to for one stored record: the database is asked, clause by clause.
use mainstay_expr::{Expr, Value};
use mainstay_plan::OwnFields;
use mainstay_schema::{CollectionId, Json, JsonLimits};

use super::{
    clauses::{Changed, RuleParts, Subject},
    known::{becoming, unknown},
    obeying::{Asked, Subjects},
};
use crate::{
    AdminPass, Caller, Core, Error, Over, ReadOne, Request, RuleExplained, Target, Verdict, expressions::RuleName,
    record::patch::Patch,
};

impl Core {
    /// A rule over a stored record; without one, as far as the caller decides.
    pub(crate) async fn explain_rule(
        &self,
        request: &Request,
        rule: RuleName,
        target: Option<&Target>,
    ) -> Result<RuleExplained, Error> {
        let stored = match target {
            Some(target) => self.stored_values(request, rule.0, target).await?,
            None => None,
        };
        let subject = stored.as_deref().map_or(Subject::Any, Subject::Stored);
        let parts = self.rule_parts(request, rule, subject, None)?;
        self.explain_parts(request, rule, parts, stored.as_deref(), target).await
    }

    /// What the clauses that are open come to: of a stored record the database says it; of one in memory, what its links lead to.
    pub(super) async fn explain_parts(
        &self,
        request: &Request,
        rule: RuleName,
        mut parts: RuleParts,
        record: Option<&[Value]>,
        target: Option<&Target>,
    ) -> Result<RuleExplained, Error> {
        let Some(record) = record else { return Ok(parts.explained) };
        self.tell_followed(request, rule.0, record, &mut parts).await?;
        for (at, condition) in std::mem::take(&mut parts.open) {
            let verdict = match target {
                Some(target) => Some(self.verdict(rule.0, target, &parts, condition).await?),
                None => self.linked_verdict(request, (rule.0, record), &condition, &parts).await?,
            };
            if let Some(verdict) = verdict {
                parts.explained.clauses[at].outcome = verdict;
            }
        }
        parts.conclude();
        Ok(parts.explained)
    }

    /// A rule over one state of a record that changes.
    pub(super) async fn explain_changed(
        &self,
        request: &Request,
        rule: RuleName,
        target: &Target,
        changed: Changed<'_>,
    ) -> Result<RuleExplained, Error> {
        let subject = Subject::Changed(changed);
        let parts = self.rule_parts(request, rule, subject, None)?;
        let target = Some(target).filter(|_| changed.over == Over::Before);
        self.explain_parts(request, rule, parts, subject.values(), target).await
    }

    /// A rule over a record as a change finds it, and as it would leave it. A clause that reads what only the write knows is not
    /// decided.
    pub(super) async fn explain_states(
        &self,
        request: &Request,
        rule: RuleName,
        target: &Target,
        (before, patch): (&[Value], &Patch),
    ) -> Result<Vec<RuleExplained>, Error> {
        let collection = self.schema.collection(rule.0);
        let after = OwnFields { collection, values: &becoming(collection, before, patch) };
        let unknown = unknown(patch);
        let mut states = Vec::new();
        for over in [Over::Before, Over::After] {
            let changed = Changed { before, after: &after, over, unknown: &unknown };
            let mut explained = self.explain_changed(request, rule, target, changed).await?;
            explained.over = Some(over);
            states.push(explained);
        }
        Ok(states)
    }

    /// The values of a record, whoever asks; `None` where there is none.
    pub(super) async fn stored_values(
        &self,
        request: &Request,
        of: CollectionId,
        target: &Target,
    ) -> Result<Option<Vec<Value>>, Error> {
        let admin = Caller::Admin(AdminPass::for_command("a refusal is explained"));
        let request = Request { caller: admin, once: None, ..request.clone() };
        let read = ReadOne { collection: of, target: target.clone(), params: Vec::new(), selection: None };
        let Ok(record) = self.read_one(&request, &read).await else { return Ok(None) };
        let json =
            Json::parse(&record.json, JsonLimits::default()).map_err(|error| Error::internal(error.to_string()))?;
        let collection = self.schema.collection(of);
        let value = |field: &mainstay_schema::Field| {
            let Some(json) = json.get(&field.name) else { return Value::Null };
            if collection.system.id == Some(field.id) {
                return collection.key.read(json).unwrap_or(Value::Null);
            }
            self.schema.read_value(&field.kind, None, json).unwrap_or(Value::Null)
        };
        Ok(Some(collection.fields.iter().map(value).collect()))
    }

    /// Whether a condition holds of the stored record.
    async fn verdict(
        &self,
        of: CollectionId,
        target: &Target,
        parts: &RuleParts,
        condition: Expr,
    ) -> Result<Verdict, Error> {
        let obeying = self.obeying(Asked { of, over: Subjects::One(target), parts }, condition).await?;
        // A clause that has no SQL stays undecided.
        Ok(match obeying {
            None => Verdict::PerRecord,
            Some(0) => Verdict::False,
            Some(_) => Verdict::True,
        })
    }
}
