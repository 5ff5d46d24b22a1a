//! Writes explained, without writing: rules over the record as it is stored, or as it would be.
use mainstay_plan::OwnFields;
use mainstay_schema::CollectionId;

use super::clauses::Subject;
use crate::{
    Core, Create, Delete, Error, ErrorKind, Explanation, Request, Target, Update, Verdict,
    expressions::Class,
    expressions::{RuleKind, RuleName},
    plan::rules::refused,
    record::field::Sender,
    run::change,
    write::{Aim, Answering},
};

impl Core {
    pub(super) fn explain_create(&self, request: &Request, create: &Create<'_>) -> Result<Explanation, Error> {
        let rule = (create.collection, RuleKind::Create);
        let mut explanation = Explanation::default();
        let gate = self.gate(request, rule)?;
        if let Err(refusal) = gate.require(&self.schema) {
            explanation.refused = Some(refusal.message);
            explanation.rules.push(self.rule_parts(request, rule, Subject::Any)?.explained);
            return Ok(explanation);
        }
        let records = match self.new_records(request, create, Sender::Caller) {
            Ok(records) => records,
            Err(error) => {
                explanation.refused = Some(with_fields(&error));
                explanation.rules.push(self.rule_parts(request, rule, Subject::Any)?.explained);
                return Ok(explanation);
            }
        };
        let collection = self.schema.collection(create.collection);
        for record in records.into_iter().take(1) {
            only_ids(record.late.is_empty() && record.before.is_empty() && record.after.is_empty())?;
            let row = OwnFields { collection, values: &record.values };
            let explained = self.rule_parts(request, rule, Subject::New(&row))?.explained;
            if explained.outcome == Verdict::False {
                explanation.refused = Some(gate.refused(&self.schema).message);
            }
            explanation.rules.push(explained);
            let answering = Answering::Record(create.selection.as_ref());
            if let Ok((_, task)) = self.ready(request, &gate, record, answering) {
                explanation.sql = task.statement.sql();
            }
        }
        Ok(explanation)
    }

    pub(super) async fn explain_update(&self, request: &Request, update: &Update<'_>) -> Result<Explanation, Error> {
        let rule = (update.collection, RuleKind::Update);
        let mut explanation = self.explain_stored(request, rule, &update.target).await?;
        let aim = Aim::of(&self.schema, update.collection, &update.target)?;
        let patch = match self.patch(request, update.collection, &update.patch, Sender::Caller) {
            Ok(patch) => patch,
            Err(error) => {
                explanation.refused.get_or_insert_with(|| with_fields(&error));
                return Ok(explanation);
            }
        };
        only_ids(patch.late.is_empty())?;
        if !patch.is_empty()
            && let Ok((_, task)) = self.update_task(request, &change(update, aim, patch, Sender::Caller))
        {
            explanation.sql = task.statement.sql();
        }
        Ok(explanation)
    }

    pub(super) async fn explain_delete(&self, request: &Request, delete: &Delete) -> Result<Explanation, Error> {
        let mut explanation =
            self.explain_stored(request, (delete.collection, RuleKind::Delete), &delete.target).await?;
        let aim = Aim::of(&self.schema, delete.collection, &delete.target)?;
        if let Ok(task) = self.delete_task(request, delete.collection, &aim, delete.version) {
            explanation.sql = task.statement.sql();
        }
        Ok(explanation)
    }

    /// The read rule and the rule of the write over the stored record.
    async fn explain_stored(&self, request: &Request, rule: RuleName, target: &Target) -> Result<Explanation, Error> {
        let mut explanation = Explanation::default();
        let of: CollectionId = rule.0;
        for name in [(of, RuleKind::Read), rule] {
            let explained = self.explain_rule(request, name, Some(target)).await?;
            if explained.outcome == Verdict::False && explanation.refused.is_none() {
                explanation.refused = Some(refused(&self.schema, Class::of(&request.caller), name).message);
            }
            explanation.rules.push(explained);
        }
        Ok(explanation)
    }
}

/// Fails where a write links to records that only the write itself would find or make.
pub(super) fn only_ids(known: bool) -> Result<(), Error> {
    if known {
        return Ok(());
    }
    let message = "a write is explained as far as its links are ids: looking up or creating other records is left out";
    Err(Error::new(ErrorKind::InvalidArgument, message).with_hint("send the ids of records that are there"))
}

/// What an error says, with the fields that are wrong.
pub(super) fn with_fields(error: &Error) -> String {
    let fields: Vec<String> = error.fields.iter().map(|field| format!("{} {}", field.pointer, field.message)).collect();
    if fields.is_empty() { error.message.clone() } else { format!("{}: {}", error.message, fields.join("; ")) }
}
