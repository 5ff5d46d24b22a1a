//! Moves a project's data from one database into another one, while its servers go on.
//!
//! 1. What is copied at whatever time behind the position that the target notes is either as it was, or named by the feed behind
//!    that position. So tables are copied in portions, without one long snapshot, and what the feed names is copied again.
//! 2. Writers are paused by a transaction of the source: whoever dies in it gives the source back as it was.
//! 3. The target says that it is not filled from before its first table until the source is sealed; nobody else opens it so long.
//! 4. The source is sealed, in the transaction of the pause, only when nothing is left to do but to take that note away.
use std::{sync::Arc, time::Duration};

use mainstay_schema::Schema;

use crate::{Location, MigrateError, OpenError, Settings, Store, StoreError};

mod apart;
mod compare;
mod copy;
mod follow;
mod kept;
mod pause;
mod plan;
mod prepare;
mod run;
mod side;

pub(crate) use side::{Changed, EachValues, Side, Touched};

/// What is said of a database that a move has not filled to its end.
pub(crate) const UNFINISHED: &str =
    "a move has not filled it to its end: the same mainstay move again goes on where it was";

/// How a move goes about.
#[derive(Clone, Debug)]
pub struct MoveSettings {
    /// Whether what an unfinished move has copied is thrown away.
    pub restart: bool,
    /// So few records that were written meanwhile are left to the pause.
    pub few: usize,
    /// How long it is waited for a moment in which nobody writes, in milliseconds.
    pub wait_ms_max: u64,
    /// So many changes are looked at together, about: their keys fit into memory.
    pub changes: u64,
}

impl Default for MoveSettings {
    fn default() -> MoveSettings {
        MoveSettings { restart: false, few: 500, wait_ms_max: 10_000, changes: 200_000 }
    }
}

/// How far a move is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveStep<'a> {
    /// So many records are there to be copied.
    Begins {
        /// Records of all collections.
        records: u64,
        /// Whether an earlier move had begun it.
        resumed: bool,
        /// Collections without changes in the feed, which are compared while writers are paused.
        apart: &'a [String],
    },
    /// More records are copied.
    Copied(u64),
    /// Records that were written meanwhile are copied again.
    Follows(usize),
    /// Indexes and references are made.
    Indexes,
    /// Both sides are compared.
    Compares,
    /// Writers are paused.
    Pauses,
}

/// What a move did.
#[derive(Clone, Debug, Default)]
pub struct Moved {
    /// The collections, as they are in both databases.
    pub collections: Vec<MovedCollection>,
    /// For how long writers were paused; `None`: an earlier move had come so far.
    pub paused: Option<Duration>,
    /// Records that were copied by this run.
    pub copied: u64,
    /// How long it took to copy them.
    pub copying: Duration,
    /// How long all of it took.
    pub took: Duration,
}

/// What was found of a collection in both databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedCollection {
    /// Its name.
    pub name: String,
    /// How many records.
    pub records: u64,
    /// The sum over all of its records and their links, the same on both sides.
    pub checksum: String,
}

/// Why a move did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The source or the target cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The target has something else in it.
    #[error("the target is not empty: {0}")]
    Used(String),
    /// Both are the same.
    #[error("the target is the database that the project has")]
    Same,
    /// A move from elsewhere has begun to fill the target.
    #[error("a move from another database has begun to fill the target")]
    Elsewhere,
    /// Another move fills the target now.
    #[error("another move fills the target now")]
    Held,
    /// The schema is another one than when the move began.
    #[error("the schema has changed since the move began")]
    OtherSchema,
    /// The source was moved before.
    #[error("this database has moved already")]
    Sealed,
    /// What was written meanwhile is in the feed no more.
    #[error("changes that were made meanwhile are kept no more")]
    ChangesGone,
    /// Somebody always wrote.
    #[error("writers could not be paused within {0} ms")]
    NoPause(u64),
    /// The two databases differ.
    #[error(
        "\"{collection}\" differs: {source_records} records and checksum {source_sum} here, {target_records} and {target_sum} in the target"
    )]
    Differs {
        /// The collection.
        collection: String,
        /// Its records in the source.
        source_records: u64,
        /// Their sum.
        source_sum: String,
        /// Its records in the target.
        target_records: u64,
        /// Their sum.
        target_sum: String,
    },
    /// The target is not what was made there.
    #[error("in the target, {0}")]
    Unfit(String),
    /// The tables cannot be made.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// One of the two failed.
    #[error("{0}")]
    Store(StoreError),
}

impl From<StoreError> for MoveError {
    fn from(error: StoreError) -> MoveError {
        match error {
            StoreError::ChangesGone => MoveError::ChangesGone,
            error => MoveError::Store(error),
        }
    }
}

impl Store {
    /// Opens the database that a move is to fill: an empty one, or one that a move has begun to fill. Blocks until it is looked at.
    pub fn open_target(settings: Settings) -> Result<Store, MoveError> {
        let settings = Settings { moving: true, read_only: false, ..settings };
        prepare::look_at(&settings)?;
        Ok(Store::open(settings)?)
    }

    /// Moves everything into the target, which [`Store::open_target`] opened; then this database takes no writes any more. Blocks
    /// until it is done. On a failure it goes on taking writes, and the next move of the same goes on where this one ended.
    pub fn move_to(
        &self,
        target: &Store,
        schema: &Arc<Schema>,
        settings: &MoveSettings,
        tell: &mut (dyn FnMut(MoveStep<'_>) + Send),
    ) -> Result<Moved, MoveError> {
        run::Moving::new((self.engine().side()?, target.engine().side()?), target, schema, settings, tell).run()
    }

    /// Whether the database was moved, and takes no writes any more. Blocks until it has answered.
    pub fn has_moved(&self) -> Result<bool, MoveError> {
        Ok(self.engine().side()?.noted(prepare::MOVED)?.is_some())
    }

    /// Lets a database that was moved take writes again. Blocks until it is on disk.
    pub fn reopen(&self) -> Result<(), MoveError> {
        let mut side = self.engine().side()?;
        side.begin()?;
        side.unseal()?;
        side.forget(prepare::MOVED)?;
        Ok(side.commit()?)
    }
}

/// Whether there is something at a place already.
fn is_there(at: &Location) -> bool {
    match at {
        Location::File(path) => path.exists(),
        Location::Postgres(_) => true,
    }
}
