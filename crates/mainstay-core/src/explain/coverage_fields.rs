//! The rules of fields that a write sends: which of their clauses hold, and which do not, for rule tests.
use mainstay_expr::Value;
use mainstay_plan::OwnFields;
use mainstay_schema::{CollectionId, FieldId};

use super::{clauses::Subject, coverage::ClauseSeen, rule_clauses::leaves, writes::named_by};
use crate::{
    Core, Create, Error, Request, Verdict,
    expressions::{RuleKind, RuleName},
    record::{new::NewRecord, patch::Patch},
};

/// A new record with fields that have rules: its values, what of them only the write knows, and the fields.
type Sent = (CollectionId, Vec<Value>, Vec<FieldId>, Vec<FieldId>);

impl Core {
    /// The rules of fields that a change asks: of those that are sent, and the reading of those that something is added to.
    pub(super) fn rules_of_fields(&self, of: CollectionId, patch: &Patch) -> Vec<RuleKind> {
        let sent = patch.ruled(self.schema.collection(of)).map(RuleKind::WriteField);
        sent.chain(patch.added.iter().copied().map(RuleKind::ReadField)).collect()
    }

    /// Asks each clause of the rules of fields, of the new records in which those are sent; of an upsert that finds its record
    /// those of the change. What cannot be read asks none.
    pub(super) async fn see_sent(
        &self,
        request: &Request,
        create: &Create<'_>,
        seen: &mut Vec<ClauseSeen>,
    ) -> Result<(), Error> {
        let Ok((records, errors)) = self.records_explained(request, create, usize::MAX) else { return Ok(()) };
        for (mut record, patch) in records {
            if let (Some(unique), Some(patch)) = (&create.upsert, patch.filter(|_| record.late.is_empty())) {
                let target = named_by(unique, &record);
                if self.see_change(request, (create.collection, &target), &patch, seen).await? {
                    continue;
                }
            }
            // What a change does without may be missing from a new record alone.
            if !errors.is_empty() {
                continue;
            }
            for (of, values, late, ruled) in sent(&mut record) {
                let row = OwnFields { collection: self.schema.collection(of), values: &values };
                let subject = if late.is_empty() { Subject::New(&row) } else { Subject::Any };
                for field in ruled {
                    self.see_new(request, (of, RuleKind::WriteField(field)), subject, seen).await?;
                }
            }
        }
        Ok(())
    }

    /// Asks each clause of a rule of a new record, in memory.
    async fn see_new(
        &self,
        request: &Request,
        rule: RuleName,
        subject: Subject<'_>,
        seen: &mut Vec<ClauseSeen>,
    ) -> Result<(), Error> {
        let parts = self.take_apart(request, rule, (subject, None), |expr| (leaves(expr), true))?;
        let explained = self.explain_parts(request, rule, parts, subject.values(), None).await?;
        for (number, clause) in explained.clauses.iter().enumerate() {
            let held = match clause.outcome {
                Verdict::True => true,
                Verdict::False | Verdict::Error => false,
                Verdict::PerRecord | Verdict::Skipped => continue,
            };
            seen.push(ClauseSeen { collection: rule.0, kind: rule.1, number, held, failed: !held });
        }
        Ok(())
    }
}

fn sent(record: &mut NewRecord) -> Vec<Sent> {
    let mut all = Vec::new();
    record.each(&mut |record| {
        if !record.ruled.is_empty() {
            let late = record.unknown().collect();
            all.push((record.collection, record.values.clone(), late, record.ruled.clone()));
        }
    });
    all
}
