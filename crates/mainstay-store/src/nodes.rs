//! The nodes of a database: who is there, and who is elected.
use std::time::{Duration, Instant};

use mainstay_plan::Position;
use parking_lot::Mutex;

use crate::Fitness;

/// Changes that a node is told to be behind, at most: past it they are not counted.
pub const BEHIND_MAX: u64 = 10_000;

/// One node, as it tells the others of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its own, for as long as its process runs.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The version of the program.
    pub version: String,
    /// The fingerprint of the schema that it serves.
    pub schema: String,
}

/// What one sign of life says, and asks for.
#[derive(Clone, Debug)]
pub struct Beat {
    /// Who it is of.
    pub node: Node,
    /// What the tables were for its schema when it looked last.
    pub fitness: Fitness,
    /// After so long without a sign a node is gone, and whoever was elected is no more.
    pub gone_after: Duration,
    /// How long answers of writes with an idempotency key are kept; older ones go.
    pub kept: Duration,
}

/// What the database says to a sign of life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Whether this node is elected now.
    pub elected: bool,
    /// Changes with the schema that the database remembers.
    pub schema: Option<i64>,
    /// Nodes that gave no sign for too long, and were taken out.
    pub gone: Vec<String>,
}

/// A node, as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSeen {
    /// Who it is.
    pub node: Node,
    /// Since when, in microseconds since 1970.
    pub started_micros: i64,
    /// How long ago it gave its last sign.
    pub seen: Duration,
    /// Whether it is elected.
    pub elected: bool,
    /// What the tables were for its schema, as it said then.
    pub fitness: Fitness,
    /// Where the change feed ended then: it tells whoever asks it of everything up to there.
    pub position: Option<Position>,
    /// Changes that have come since, up to [`BEHIND_MAX`].
    pub behind: Option<u64>,
}

/// Until when this process may do what only one node does.
///
/// It was elected for a time that the database counts from the moment it was asked, and it counts the same time from before it
/// asked: so it ends here before it ends there, whatever the clocks of the two say.
#[derive(Debug, Default)]
pub(crate) struct Election {
    until: Mutex<Option<Instant>>,
}

impl Election {
    /// Whether it is elected now.
    pub(crate) fn holds(&self) -> bool {
        self.until.lock().is_some_and(|until| Instant::now() < until)
    }

    /// What came of asking at a moment.
    pub(crate) fn told(&self, elected: bool, asked: Instant, lasts: Duration) {
        *self.until.lock() = elected.then(|| asked + lasts);
    }
}
