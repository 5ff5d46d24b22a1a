//! The rules of fields that a write sends: which of their clauses hold, and which do not, for rule tests.
use mainstay_plan::OwnFields;
use mainstay_schema::CollectionId;

use super::{
    clauses::{Made, Subject},
    coverage::ClauseSeen,
    known::KnownRecord,
    rule_clauses::leaves,
};
use crate::{Core, Create, Error, Request, RuleExplained, Verdict, expressions::RuleKind, record::patch::Patch};

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
            let records = self.known_records(request, &mut record, usize::MAX).await?;
            let unique = create.upsert.as_ref().and_then(|unique| records.first()?.named_by(unique));
            if let (Some(target), Some(patch)) = (unique, patch)
                && self.see_change(request, (create.collection, &target), &patch, seen).await?
            {
                continue;
            }
            // What a change does without may be missing from a new record alone.
            if errors.is_empty() {
                self.see_new(request, &records, seen).await?;
            }
        }
        Ok(())
    }

    /// The same of new records, in memory.
    async fn see_new(
        &self,
        request: &Request,
        records: &[KnownRecord],
        seen: &mut Vec<ClauseSeen>,
    ) -> Result<(), Error> {
        for KnownRecord { of, values, ruled, unknown, .. } in records {
            let row = OwnFields { collection: self.schema.collection(*of), values };
            let subject = Subject::New(Made { record: &row, unknown });
            for field in ruled {
                let kind = RuleKind::WriteField(*field);
                let parts = self.take_apart(request, (*of, kind), (subject, None), |expr| (leaves(expr), true))?;
                let explained = self.explain_parts(request, (*of, kind), parts, Some(values), None).await?;
                seen.extend(verdicts(&explained).map(|(number, held)| {
                    let (collection, failed) = (*of, !held);
                    ClauseSeen { collection, kind, number, held, failed }
                }));
            }
        }
        Ok(())
    }
}

/// The clauses that are decided, by their number.
fn verdicts(explained: &RuleExplained) -> impl Iterator<Item = (usize, bool)> + '_ {
    explained.clauses.iter().enumerate().filter_map(|(number, clause)| match clause.outcome {
        Verdict::True => Some((number, true)),
        Verdict::False | Verdict::Error => Some((number, false)),
        Verdict::PerRecord | Verdict::Skipped => None,
    })
}
