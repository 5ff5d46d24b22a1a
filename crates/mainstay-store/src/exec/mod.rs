//! Carries out the steps of a write, in the order that keeps rules, checks and links true. Knows no engine: an engine is a
//! [`Session`].

mod cascade;
mod compute;
mod create;
mod delete;
mod each;
mod failure;
mod find;
mod key;
mod links;
mod load;
pub(crate) mod once;
mod session;
mod statement;
mod steps;
mod update;

use mainstay_expr::Value;

pub(crate) use session::{EachRow, Failure, Inputs, Row, Session};
use statement::Parts;
pub use statement::WriteStatement;
pub(crate) use steps::{Setting, run};

use crate::{StepError, Written};

/// What a step is carried out with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// The values of the step.
    pub(crate) values: &'a [Value],
    /// The time of the write, in microseconds since 1970.
    pub(crate) now: i64,
    /// How many records a delete may reach.
    pub(crate) cascade_max: usize,
}

/// Carries out one statement. On an error everything since [`Session::protect`] must be undone.
fn run_statement(
    session: &mut dyn Session,
    statement: &WriteStatement,
    request: Request<'_>,
) -> Result<Written, StepError> {
    match &statement.parts {
        Parts::Create { plan, sql } => create::run(session, statement, plan, sql, request),
        Parts::Update { plan, sql } => update::run(session, statement, plan, sql, request),
        Parts::Find { plan, sql } => find::run(session, plan, sql, request),
        Parts::Matching { limit, sql } => find::matching(session, sql, *limit, request),
        Parts::Load { width, sql } => load::run(session, statement, sql, *width, request),
        Parts::Note { sql } => load::note(session, sql, request),
        Parts::Delete { plan, sql, cascades } => {
            let task = delete::Task { statement, plan, sql, cascades };
            delete::run(session, &task, request)
        }
    }
}
