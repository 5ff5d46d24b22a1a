//! The rules of fields that a write sends: which of their clauses hold, and which do not, for rule tests.
use mainstay_plan::OwnFields;
use mainstay_schema::CollectionId;

use super::{
    clauses::{Made, Subject},
    coverage::{ClauseSeen, Covered},
    coverage_written::New,
    known::KnownRecord,
    rule_clauses::leaves,
};
use crate::{Core, Error, Request, RuleExplained, Verdict, expressions::RuleKind, record::patch::Patch};

impl Core {
    /// The rules of fields that a change asks: of those that are sent, and the reading of those that something is added to.
    pub(super) fn rules_of_fields(&self, of: CollectionId, patch: &Patch) -> Vec<RuleKind> {
        let sent = patch.ruled(self.schema.collection(of)).map(RuleKind::WriteField);
        sent.chain(patch.added.iter().copied().map(RuleKind::ReadField)).collect()
    }

    /// The rule of a create where it shuts, else those of the fields that are sent; of an upsert that finds its record those of
    /// the change. What cannot be read asks none.
    pub(super) async fn see_create(&self, request: &Request, new: New, covered: &mut Covered) -> Result<(), Error> {
        let New { of, records, unique, whole } = new;
        let rule = (of, RuleKind::Create);
        if unique.is_none() {
            self.see_shut(request, rule, &mut covered.seen).await?;
        }
        let shut = self.shuts(request, rule)?;
        for (mut record, patch) in records {
            let records = self.known_records(request, &mut record, usize::MAX).await?;
            let target = unique.as_ref().and_then(|unique| records.first()?.named_by(unique));
            if let Some(target) = target
                && self.stored_values(request, of, &target).await?.is_some()
            {
                self.see_change(request, (of, &target), &patch.unwrap_or_default(), covered).await?;
                continue;
            }
            if unique.is_some() {
                self.see_shut(request, rule, &mut covered.seen).await?;
            }
            // What a change does without may be missing from a new record alone.
            if whole && !shut {
                self.see_new(request, &records, &mut covered.seen).await?;
            }
        }
        Ok(())
    }

    /// The rules of fields that new records hold, in memory.
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
                let rule = (*of, RuleKind::WriteField(*field));
                let parts = self.take_apart(request, rule, (subject, None), |expr| (leaves(expr), true))?;
                let explained = self.explain_parts(request, rule, parts, Some(values), None).await?;
                seen.extend(verdicts(&explained).map(|(number, held)| ClauseSeen::one(rule, number, held)));
            }
        }
        Ok(())
    }
}

/// The clauses that are decided, by their number.
pub(super) fn verdicts(explained: &RuleExplained) -> impl Iterator<Item = (usize, bool)> + '_ {
    explained.clauses.iter().enumerate().filter_map(|(number, clause)| match clause.outcome {
        Verdict::True => Some((number, true)),
        Verdict::False | Verdict::Error => Some((number, false)),
        Verdict::PerRecord | Verdict::Skipped => None,
    })
}
