//! Writes explained, without writing: rules over the record as it is stored, and as it would be.
use mainstay_plan::OwnFields;
use mainstay_schema::{Check, CollectionId};

use super::{
    clauses::{Made, Subject},
    known::{KnownRecord, becoming, unknown},
    refusals::is_refusal,
    written::Touched,
};
use crate::{
    Core, Create, Delete, Error, Explanation, FieldError, Request, RuleExplained, Target, Update, Verdict,
    errors::invalid_record,
    expressions::{Class, RuleKind, RuleName},
    gate::CallerGate,
    plan::rules::refused,
    record::{
        checks::touched,
        field::Sender,
        new::{NewRecord, Purpose},
        patch::{Patch, Patches},
        reading::Reading,
    },
    run::change,
    write::{Aim, Answering},
};

/// New records, each with the change that it is where it is there, and what is wrong with any.
type Records = (Vec<(NewRecord, Option<Patch>)>, Vec<FieldError>);

/// Records of one write that are explained at most.
pub(super) const EXPLAINED_MAX: usize = 20;

impl Core {
    pub(crate) async fn explain_create(&self, request: &Request, create: &Create<'_>) -> Result<Explanation, Error> {
        let mut explanation = Explanation::default();
        let rule = (create.collection, RuleKind::Create);
        let gate = self.gate(request, rule)?;
        let refusal = match &create.upsert {
            None => gate.require(&self.schema).err(),
            // What it does not find it creates: it is refused at once where it may do neither.
            Some(unique) => self.may_upsert(request, create.collection, unique).err(),
        };
        let read = match refusal {
            Some(refusal) => Err(refusal),
            None => self.records_explained(request, create, EXPLAINED_MAX),
        };
        match read {
            Ok(read) => self.explain_records(request, create, (&gate, read), &mut explanation).await?,
            Err(refusal) if is_refusal(&refusal) => self.explain_unread(request, rule, &refusal, &mut explanation)?,
            Err(error) => return Err(error),
        }
        Ok(explanation)
    }

    async fn explain_records(
        &self,
        request: &Request,
        create: &Create<'_>,
        (gate, (records, errors)): (&CallerGate, Records),
        explanation: &mut Explanation,
    ) -> Result<(), Error> {
        let mut touched = Touched::default();
        for (at, (mut record, patch)) in records.into_iter().enumerate() {
            let upserted = create.upsert.as_deref().map(|unique| (unique, patch));
            let (mut explained, is_new) = self.explain_sent(request, &mut record, upserted, &mut touched).await?;
            for rule in explained.rules.iter_mut().filter(|rule| create.many && rule.of.is_none()) {
                rule.of = Some(record.place.clone());
            }
            explanation.rules.extend(explained.rules);
            explanation.refused = explanation.refused.take().or(explained.refused);
            if at == 0 && is_new && errors.is_empty() && record.late.is_empty() && record.before.is_empty() {
                record.after.clear();
                let answering = Answering::Record(&create.answered);
                if let Ok((_, task)) = self.ready(request, gate, record, answering) {
                    explanation.statements.extend(task.statement.sql().into_iter().map(of_sql));
                }
            }
        }
        if !errors.is_empty() {
            let wrong = with_fields(&invalid_record(&self.schema, create.collection, errors));
            explanation.refused.get_or_insert(wrong);
        }
        Ok(())
    }

    /// A create that is refused before its records are read: its own rule, and that of a record inside of another one where that
    /// is the one that refuses.
    pub(super) fn explain_unread(
        &self,
        request: &Request,
        rule: RuleName,
        refusal: &Error,
        explanation: &mut Explanation,
    ) -> Result<(), Error> {
        explanation.refused = Some(refusal.message.clone());
        explanation.rules.push(self.rule_parts(request, rule, Subject::Any, None)?.explained);
        let inside = refusal.rule.as_deref().and_then(|name| self.rule_called(name)).filter(|inside| *inside != rule);
        if let Some(inside) = inside {
            let explained = self.rule_parts(request, inside, Subject::Any, None)?.explained;
            explanation.rules.push(RuleExplained { of: refusal.place.clone(), ..explained });
        }
        Ok(())
    }

    /// The first records of a create, each with the change that it is where an upsert finds one; and what is wrong with any.
    pub(super) fn records_explained(
        &self,
        request: &Request,
        create: &Create<'_>,
        max: usize,
    ) -> Result<Records, Error> {
        let reading = Reading::new(self, request, Sender::Caller, false);
        reading.count(create.records.len())?;
        let collection = self.schema.collection(create.collection);
        let (mut records, mut errors) = (Vec::new(), Vec::new());
        let purpose = if create.upsert.is_some() { Purpose::Upsert } else { Purpose::Create };
        for (at, json) in create.records.iter().enumerate() {
            let place = if create.many { format!("/{at}") } else { String::new() };
            let record = self.reader(&reading, create.collection, purpose).read(json, place, &mut errors)?;
            if at < max {
                let given = create.upsert.as_deref().unwrap_or_default();
                let patches = Patches { reading: &reading, collection, given };
                let patch = create.upsert.as_ref().and_then(|_| patches.unchecked(json, "").ok());
                records.push((record, patch));
            }
        }
        Ok((records, errors))
    }

    /// The rules that new records are asked.
    pub(super) async fn explain_new(
        &self,
        request: &Request,
        records: Vec<KnownRecord>,
        explanation: &mut Explanation,
    ) -> Result<(), Error> {
        for record in records {
            let KnownRecord { of, place, values, lists, ruled, unknown } = record;
            let row = OwnFields { collection: self.schema.collection(of), values: &values };
            let subject = Subject::New(Made { record: &row, unknown: &unknown });
            let fields = ruled.into_iter().map(RuleKind::WriteField);
            for kind in [RuleKind::Create].into_iter().chain(fields) {
                let explained = self.explain_made(request, (of, kind), subject).await?;
                self.add_rule(
                    request,
                    (of, kind),
                    explained,
                    Some(&place).filter(|place| !place.is_empty()),
                    explanation,
                );
            }
            self.explain_new_links(request, (of, &lists), subject, &place, explanation).await?;
            let of = Some(&*place).filter(|place| !place.is_empty());
            explanation.rules.extend(self.failing_checks(request, &row, &unknown, of, |_| true));
        }
        Ok(())
    }

    pub(super) async fn explain_update(&self, request: &Request, update: &Update<'_>) -> Result<Explanation, Error> {
        let mut explanation = Explanation::default();
        let patch = self.patch(request, update.collection, &update.patch, Sender::Caller);
        let sent = self.patch_sent(request, update.collection, &update.patch);
        self.explain_change(request, update.collection, &update.target, sent.as_ref(), &mut explanation).await?;
        let aim = Aim::of(&self.schema, update.collection, &update.target)?;
        match patch {
            Err(error) => {
                explanation.refused.get_or_insert_with(|| with_fields(&error));
            }
            Ok(patch) if patch.late.is_empty() && !patch.is_empty() => {
                if let Ok((_, task)) = self.update_task(request, &change(update, aim, patch, Sender::Caller)) {
                    explanation.statements.extend(task.statement.sql().into_iter().map(of_sql));
                }
            }
            Ok(_) => {}
        }
        Ok(explanation)
    }

    pub(super) async fn explain_delete(&self, request: &Request, delete: &Delete) -> Result<Explanation, Error> {
        let mut explanation = Explanation::default();
        self.explain_stored(request, (delete.collection, RuleKind::Delete), &delete.target, &mut explanation).await?;
        let aim = Aim::of(&self.schema, delete.collection, &delete.target)?;
        if let Ok(task) = self.delete_task(request, delete.collection, &aim, delete.version) {
            explanation.statements.extend(task.statement.sql().into_iter().map(of_sql));
        }
        Ok(explanation)
    }

    /// The read rule and the rule of the write over the stored record.
    pub(super) async fn explain_stored(
        &self,
        request: &Request,
        rule: RuleName,
        target: &Target,
        explanation: &mut Explanation,
    ) -> Result<(), Error> {
        for name in [(rule.0, RuleKind::Read), rule] {
            let explained = self.explain_rule(request, name, Some(target)).await?;
            self.add_rule(request, name, explained, None, explanation);
        }
        Ok(())
    }

    /// The rules of a change over the record as it was, and as it becomes; the checks that will not hold.
    pub(super) async fn explain_change(
        &self,
        request: &Request,
        of: CollectionId,
        target: &Target,
        patch: Option<&Patch>,
        explanation: &mut Explanation,
    ) -> Result<(), Error> {
        let update = (of, RuleKind::Update);
        let stored = self.stored_values(request, of, target).await?;
        let (Some(before), Some(patch)) = (stored, patch) else {
            self.explain_stored(request, update, target, explanation).await?;
            // Who may not send a field is refused whether the record is there or not.
            for kind in patch.map(|patch| self.rules_of_fields(of, patch)).unwrap_or_default() {
                let explained = self.explain_rule(request, (of, kind), None).await?;
                self.add_rule(request, (of, kind), explained, None, explanation);
            }
            return Ok(());
        };
        let patch = &self.known_patch(request, patch).await?;
        let collection = self.schema.collection(of);
        let row = OwnFields { collection, values: &becoming(collection, &before, patch) };
        let read = self.explain_rule(request, (of, RuleKind::Read), Some(target)).await?;
        self.add_rule(request, (of, RuleKind::Read), read, None, explanation);
        self.explain_changed_links(request, of, (target, &before, &row), patch, explanation).await?;
        let update = Some(RuleKind::Update).filter(|_| patch.asks_update_rule(collection));
        for kind in update.into_iter().chain(self.rules_of_fields(of, patch)) {
            for explained in self.explain_states(request, (of, kind), target, (&before, patch)).await? {
                self.add_rule(request, (of, kind), explained, None, explanation);
            }
        }
        let asked = |check: &Check| touched(check, |field| patch.sets(field));
        explanation.rules.extend(self.failing_checks(request, &row, &unknown(patch), None, asked));
        Ok(())
    }

    /// Adds a rule; one that refuses is the refusal, if it is the first.
    pub(super) fn add_rule(
        &self,
        request: &Request,
        name: RuleName,
        mut explained: RuleExplained,
        of: Option<&String>,
        explanation: &mut Explanation,
    ) {
        explained.of = of.cloned();
        // A field that has no rule of its own is not asked.
        if name.1.field().is_some() && explained.text.is_none() {
            return;
        }
        if explained.outcome == Verdict::False && explanation.refused.is_none() {
            explanation.refused = Some(refused(&self.schema, Class::of(&request.caller), name).message);
        }
        explanation.rules.push(explained);
    }
}

pub(super) fn of_sql(sql: String) -> crate::Statement {
    crate::Statement { sql, ..crate::Statement::default() }
}

/// What an error says, with the fields that are wrong.
pub(super) fn with_fields(error: &Error) -> String {
    let told = |field: &FieldError| format!("{} {}", field.pointer, field.message).trim_start().to_owned();
    let said = |field: &&FieldError| !error.message.starts_with(&field.message);
    let fields: Vec<String> = error.fields.iter().filter(said).map(told).collect();
    if fields.is_empty() { error.message.clone() } else { format!("{}: {}", error.message, fields.join("; ")) }
}
