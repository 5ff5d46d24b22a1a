//! Writes as ordered lists of steps in one transaction: every write of a caller, from one record to a batch, is built here and
//! handed to the store here.
//!
//! 1. What was sent is read and checked in memory (`record/`), all of it, before a step is made.
//! 2. [`Steps`] makes the steps in the order of the operations: look-ups, records that must be there first, the record, records
//!    that hang on it. A key that only the transaction tells is named by the step that tells it.
//! 3. [`Core::carry_out`] hands them to the store, which does all or nothing, and says what a failure means to the caller.
//! 4. An [`Outcome`] makes the answer of an operation from what its steps came to: a pure function.

mod create;
mod failure;
mod find;
mod matching;
mod outcome;
mod steps;
mod target;
mod update;
mod upsert;

pub(crate) use create::Answering;
pub(crate) use failure::Failed;
pub(crate) use matching::each;
pub(crate) use outcome::Outcome;
pub(crate) use steps::Steps;
pub(crate) use target::Aim;
pub(crate) use update::Change;
pub(crate) use upsert::{Upserting, by_values};
