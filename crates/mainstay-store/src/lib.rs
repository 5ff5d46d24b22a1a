//! Plans to SQL, rows to JSON bytes, writes to disk. Nothing outside this crate knows which engine runs.
//!
//! `sql/` writes statements for a [`sql::Dialect`]; `sqlite/` is the embedded engine. The store gets conditions and never asks who is calling.

mod advice;
mod answer;
mod calls;
mod cells;
mod clock;
mod drift;
mod engine;
mod error;
mod exec;
mod feed;
mod lists;
mod member;
mod migrate;
mod moving;
mod nodes;
mod once;
mod postgres;
mod read;
mod settings;
mod slow;
pub mod sql;
mod sqlite;
mod step;
mod store;
mod words;

pub use advice::IndexWanted;
pub use answer::{Batch, Explained, Measured, Page, Rehearsed, StatementExplained, Touched, Written};
pub use error::{OpenError, StepError, StoreError, WriteError};
pub use exec::WriteStatement;
pub use feed::{ChangesAsked, ChangesPage, Retention};
pub use member::{Fitness, Member, MemberSettings, Standing};
pub use migrate::{Drift, MigrateError, Offence, Offender, Severity};
pub use moving::{MoveError, MoveSettings, MoveStep, Moved, MovedCollection};
pub use nodes::{BEHIND_MAX, Beat, Node, NodeSeen, Pulse};
pub use once::{KeepAnswer, Kept, Once};
pub use postgres::PostgresDialect;
pub use read::ReadStatement;
pub use settings::{FeedSettings, Location, Pgbouncer, Place, PostgresSettings, Settings, SqliteSettings};
pub use sql::OBJECT_MEMBERS_MAX;
pub use sqlite::SqliteDialect;
pub use step::{Author, Each, LateValue, ReadTask, Source, Step, Task, Upsert, Write};
pub use store::{Committed, ImportsHeld, Store};
