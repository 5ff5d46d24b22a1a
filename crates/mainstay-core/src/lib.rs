//! The one path: an [`Operation`] becomes a plan, runs, answers. Every surface comes through here; nothing else
//! touches the database, and rules are attached in one place.
//!
//! This crate knows no HTTP, no SQL text and no engine.

mod answer;
mod caller;
mod changes;
mod core;
mod error;
mod errors;
mod evaluate;
mod explain;
mod explanation;
pub mod export;
mod expressions;
mod gate;
pub mod import;
mod limits;
mod once;
mod operation;
mod plan;
mod plans;
mod reads;
mod record;
mod run;
mod write;

pub use mainstay_plan::{Aggregate, Change, ChangeOp, Position, TimePart};

pub use crate::{
    answer::{Answer, Page, Record},
    caller::{AdminPass, Caller, Identity, Request},
    changes::{Feed, FeedFrom, write_change},
    core::{Core, CoreSettings},
    error::{Error, ErrorKind, FieldError},
    explain::{Changing, ClauseSeen, Covered, RuleClause, Tried},
    explanation::{
        Changes, Clause, Explanation, Figures, Held, MissingIndex, Over, RuleExplained, Statement, ValueRead, Verdict,
    },
    limits::Limits,
    once::{Keep, Kept, Once},
    operation::{
        Act, Aimed, Answered, Batch, BatchOperation, Create, Delete, Group, GroupFigure, GroupKey, List, Matching,
        Nested, Operation, ReadOne, Select, Selection, Sort, Target, Update, UpdateMatching,
    },
};
