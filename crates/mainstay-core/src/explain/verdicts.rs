//! What the clauses of a rule come to for one stored record: the database is asked, clause by clause.
use mainstay_expr::{Expr, Value};
use mainstay_schema::{CollectionId, Json, JsonLimits};

use super::{
    clauses::{Changed, RuleParts, Subject},
    obeying::Subjects,
};
use crate::{
    AdminPass, Caller, Core, Error, Over, ReadOne, Request, RuleExplained, Target, Verdict, expressions::RuleName,
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
        let (Some(target), Some(values)) = (target, stored) else {
            return Ok(self.rule_parts(request, rule, Subject::Any)?.explained);
        };
        let mut parts = self.rule_parts(request, rule, Subject::Stored(&values))?;
        self.tell_followed(request, rule.0, &values, &mut parts).await?;
        for (at, condition) in std::mem::take(&mut parts.open) {
            parts.explained.clauses[at].outcome = self.verdict(rule.0, target, &parts, condition).await?;
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
        if changed.over == Over::After {
            return self.explain_made(request, rule, Subject::Changed(changed)).await;
        }
        let mut parts = self.rule_parts(request, rule, Subject::Changed(changed))?;
        self.tell_followed(request, rule.0, changed.before, &mut parts).await?;
        for (at, condition) in std::mem::take(&mut parts.open) {
            parts.explained.clauses[at].outcome = self.verdict(rule.0, target, &parts, condition).await?;
        }
        parts.conclude();
        Ok(parts.explained)
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
        let obeying = self.obeying(of, Subjects::One(target), condition, &parts.origins, &parts.slots).await?;
        // A clause that has no SQL stays undecided.
        Ok(match obeying {
            None => Verdict::PerRecord,
            Some(0) => Verdict::False,
            Some(_) => Verdict::True,
        })
    }
}
