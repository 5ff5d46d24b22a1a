//! Copies again what was written meanwhile: the records that the feed names, as they are by now.
use mainstay_expr::Value;
use mainstay_plan::Position;

use super::{
    MoveError, MoveStep, Side,
    compare::Digest,
    plan::{Keys, Plan},
    prepare::POSITION,
    run::Moving,
};
use crate::StoreError;

/// Keys that are asked for together.
const KEYS: usize = 2_000;

impl Moving<'_> {
    /// One round, in a snapshot of the source: how many records it was about. The target is as the source was then.
    pub(super) fn round(&mut self) -> Result<usize, MoveError> {
        self.source.begin_snapshot()?;
        let outcome = self.catch_up();
        // Nothing is written in a snapshot.
        let ended = self.source.roll_back();
        let count = outcome?;
        ended?;
        Ok(count)
    }

    /// Rounds, until few records are left.
    pub(super) fn follow(&mut self) -> Result<(), MoveError> {
        for _ in 0..self.settings.rounds_max.max(1) {
            if self.round()? <= self.settings.few {
                break;
            }
        }
        Ok(())
    }

    /// The same inside of a transaction of the source.
    pub(super) fn catch_up(&mut self) -> Result<usize, MoveError> {
        let after = self.position()?;
        let (touched, end) = self.source.touched(after)?;
        let keys = self.plan.keys(touched)?;
        let count = keys.values().map(Vec::len).sum();
        if count == 0 && end == after {
            return Ok(0);
        }
        self.target.begin()?;
        let replaced = replace((&mut *self.source, &mut *self.target), &self.plan, &keys)
            .and_then(|()| self.target.note(POSITION, &end.to_string()));
        if replaced.is_err() {
            // The first failure is the one to tell.
            let _ = self.target.roll_back();
        }
        replaced?;
        self.target.commit()?;
        (self.tell)(MoveStep::Follows(count));
        Ok(count)
    }

    /// Up to where the target has what the feed told.
    fn position(&mut self) -> Result<Position, MoveError> {
        let noted = self.target.noted(POSITION)?;
        let position = noted.as_deref().and_then(|text| text.parse().ok());
        position.ok_or_else(|| StoreError::Engine("the target does not say how far it is".to_owned()).into())
    }
}

/// Takes records out of the target and writes them as they are in the source: all of them out first, so that uniques that
/// were swapped are in nobody's way.
fn replace((source, target): (&mut dyn Side, &mut dyn Side), plan: &Plan, keys: &Keys) -> Result<(), StoreError> {
    let lists = |keys: &[Value]| keys.chunks(KEYS).map(|some| Value::List(some.into())).collect::<Vec<_>>();
    for (at, keys) in keys {
        for list in lists(keys) {
            for table in &plan.parts[*at].tables {
                let delete = table.delete_keys(target.dialect());
                target.execute(&delete, std::slice::from_ref(&list))?;
            }
        }
    }
    for (at, keys) in keys {
        for list in lists(keys) {
            for table in &plan.parts[*at].tables {
                let rows = source.of_keys(table, &list)?;
                target.fill(table, &rows)?;
                let (mut wanted, mut written) = (Digest::default(), Digest::default());
                wanted.add(table, &rows);
                written.add(table, &target.of_keys(table, &list)?);
                if wanted != written {
                    return Err(StoreError::Engine(format!("rows of table \"{}\" came out differently", table.name)));
                }
            }
        }
    }
    Ok(())
}
