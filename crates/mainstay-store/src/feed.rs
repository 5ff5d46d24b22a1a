//! Reading the change feed.
use std::sync::Arc;

use mainstay_plan::{Change, Position};

mod class;
mod members;

pub(crate) use class::Class;
pub(crate) use members::restore;

/// Which changes are asked for.
#[derive(Clone, Debug, Default)]
pub struct ChangesAsked {
    /// Those behind this position; `None`: from the first on that is kept.
    pub after: Option<Position>,
    /// Those of one collection, by its address; `None`: of all.
    pub collection: Option<Arc<str>>,
    /// So many at most.
    pub limit: usize,
    /// No more once they have so many bytes.
    pub bytes: usize,
}

/// Some changes.
#[derive(Clone, Debug, Default)]
pub struct ChangesPage {
    /// The changes, in the order of their commits.
    pub changes: Vec<Change>,
    /// Where to go on: behind the last that was looked at.
    pub end: Position,
    /// Whether there may be more at once.
    pub more: bool,
}

/// How long the changes of a collection are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The collection, by its address.
    pub collection: Arc<str>,
    /// For how many seconds.
    pub keep_s: u64,
}
