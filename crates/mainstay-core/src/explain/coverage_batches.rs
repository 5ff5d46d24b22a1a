//! What earlier operations of a batch change: what a later one finds is not what is stored before the batch, for rule tests.
use mainstay_expr::{Expr, Node, reads_change, reads_record};
use mainstay_schema::CollectionId;

use super::{
    coverage::ClauseSeen,
    coverage_written::{New, Written},
    rule_clauses::leaves,
};
use crate::{Core, Target};

/// The collections that operations write, and the records that they name.
#[derive(Default)]
pub(super) struct Touched {
    collections: Vec<CollectionId>,
    targets: Vec<(CollectionId, Target)>,
}

impl Touched {
    /// Adds what an operation writes.
    pub(super) fn add(&mut self, written: Written) {
        match written {
            Written::New(New { records, .. }) => {
                let collections = &mut self.collections;
                records
                    .into_iter()
                    .for_each(|(mut record, _)| record.each(&mut |one| collections.push(one.collection)));
            }
            Written::Changed { of, target, .. } | Written::Gone { of, target } => {
                self.collections.push(of);
                self.targets.push((of, target));
            }
        }
    }

    /// Whether the record that an operation changes or ends may be one of them: it may be named in another way.
    fn holds(&self, written: &Written) -> bool {
        let (Written::Changed { of: own, target, .. } | Written::Gone { of: own, target }) = written else {
            return false;
        };
        let by_key = |target: &Target| matches!(target, Target::Key(_));
        let same =
            |(of, other): &(CollectionId, Target)| of == own && (other == target || !by_key(other) || !by_key(target));
        self.targets.iter().any(same)
    }
}

impl Core {
    /// Takes away what was seen of clauses that read what earlier operations write.
    pub(super) fn without_touched(
        &self,
        touched: &Touched,
        written: &Written,
        seen: Vec<ClauseSeen>,
    ) -> Vec<ClauseSeen> {
        if touched.collections.is_empty() {
            return seen;
        }
        let own = touched.holds(written);
        let leads = |leaf: &Expr| {
            leaf.any(&mut |part| match &part.node {
                Node::Link { target, .. } | Node::Links { target, .. } => {
                    touched.collections.iter().any(|of| of.record() == *target)
                }
                _ => false,
            })
        };
        let reads = |seen: &ClauseSeen| {
            let compiled = seen.kind.of(&self.schema, seen.collection)?;
            let leaf = *leaves(&compiled.expr).get(seen.number)?;
            Some(leads(leaf) || own && (reads_record(leaf) || reads_change(leaf)))
        };
        seen.into_iter().filter(|seen| reads(seen) != Some(true)).collect()
    }
}
