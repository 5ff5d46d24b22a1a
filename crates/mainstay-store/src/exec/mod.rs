//! Carries out the steps of a write, in the order that keeps rules, checks and links true. Knows no engine: an engine is a
//! [`Session`].

mod becomes;
mod cascade;
mod compute;
mod create;
mod delete;
mod each;
mod failure;
mod feed;
mod find;
mod key;
mod links;
mod load;
mod noting;
pub(crate) mod once;
mod session;
mod statement;
mod steps;
mod update;
mod work;

use mainstay_expr::Value;

pub(crate) use failure::store_error;
pub(crate) use feed::Feed;
pub(crate) use noting::Noting;
pub(crate) use session::{EachRow, Failure, Inputs, Row, Session};
use statement::Parts;
pub use statement::WriteStatement;
pub(crate) use steps::Setting;
use steps::run;
pub(crate) use work::{Done, Outcome, Work, carry_out, steps as carry_out_steps};

use crate::{StepError, Written};

/// What a step is carried out with.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    /// The values of the step.
    pub(crate) values: &'a [Value],
    /// The time of the write, in microseconds since 1970.
    pub(crate) now: i64,
    /// How many records a delete may reach.
    pub(crate) cascade_max: usize,
    /// What the change feed is told.
    pub(crate) feed: &'a Feed<'a>,
}

/// Carries out one statement. On an error everything since [`Session::protect`] must be undone.
async fn run_statement<S: Session>(
    session: &mut S,
    statement: &WriteStatement,
    request: Request<'_>,
) -> Result<Written, StepError> {
    match &statement.parts {
        Parts::Create { plan, sql } => create::run(session, statement, plan, sql, request).await,
        Parts::Update { plan, sql } => update::run(session, statement, plan, sql, request).await,
        Parts::Find { plan, sql } => find::run(session, plan, sql, request).await,
        Parts::Matching { limit, sql } => find::matching(session, sql, *limit, request).await,
        Parts::Load { width, sql, fed } => {
            let task = load::Task { statement, sql, width: *width, fed: fed.as_ref() };
            load::run(session, &task, request).await
        }
        Parts::Note { sql, finds } => load::note(session, sql, *finds, request).await,
        Parts::Delete { plan, sql, cascades } => {
            let task = delete::Task { statement, plan, sql, cascades };
            delete::run(session, &task, request).await
        }
    }
}
