//! Collections that the feed does not tell of: compared, and copied anew where they differ, in the transaction of the target that brings
//! the others there. References lead from the ones to the others, so that all are as they were at one moment.
use super::{
    Side,
    compare::{Compared, digests},
    copy,
    plan::Part,
    run::Moving,
};
use crate::{StoreError, sql::MovedTable};

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Apart {
    /// None: nothing holds rows to each other yet.
    None,
    /// Those that others refer to, or that refer to others.
    Linked,
    /// All: uniques are made next, or nothing comes behind it.
    All,
}

impl Apart {
    fn has(self, part: &Part) -> bool {
        !part.fed && (self == Apart::All || self == Apart::Linked && part.linked)
    }
}

impl Moving<'_> {
    /// Makes them in the target as they are in the source, inside of a transaction of both: what they come to.
    pub(super) fn bring_apart(&mut self, which: Apart) -> Result<Vec<Compared>, StoreError> {
        let parts: Vec<&Part> = self.plan.parts.iter().filter(|part| which.has(part)).collect();
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        let compared = digests((&mut *self.source, &mut *self.target), &parts)?;
        let (same, others): (Vec<_>, Vec<_>) =
            compared.into_iter().zip(parts).partition(|(compared, _)| compared.is_same());
        let others: Vec<&Part> = others.into_iter().map(|(_, part)| part).collect();
        let tables: Vec<&MovedTable> = others.iter().flat_map(|part| &part.tables).collect();
        copy_anew((&mut *self.source, &mut *self.target), &tables)?;
        let copied = digests((&mut *self.source, &mut *self.target), &others)?;
        Ok(same.into_iter().map(|(compared, _)| compared).chain(copied).collect())
    }
}

/// Copies tables anew, inside of a transaction of the target.
pub(super) fn copy_anew(
    (source, target): (&mut dyn Side, &mut dyn Side),
    tables: &[&MovedTable],
) -> Result<(), StoreError> {
    for table in tables {
        let clear = table.clear(target.dialect());
        target.execute(&clear, &[])?;
    }
    for table in tables {
        let mut filled = Ok(());
        copy::read(source, table, None, &mut |values| {
            filled = target.fill(table, &values);
            filled.is_ok()
        })?;
        filled?;
    }
    Ok(())
}
