//! The writer's connection as the executor sees it.
use std::time::Duration;

use mainstay_expr::Value;
use rusqlite::Connection;

use super::{bind::bind, connection::Watched, deadline::Deadline, failure::failure, nested::Nested, page};
use crate::{
    Page, StoreError,
    exec::{EachRow, Failure, Inputs, Session},
    sql::{InsertSql, ReadSql, Sql},
};

/// How one request is kept apart from the others of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// It is alone, and no transaction is open: one statement is a transaction of its own.
    Alone,
    /// It is alone in a transaction.
    Transaction,
    /// It is one of several in a transaction; nothing of it has to be undone yet.
    Shared,
    /// It is one of several, behind a savepoint.
    Savepoint,
}

/// One request on the writer's connection.
pub(super) struct WriteSession<'c> {
    connection: &'c Connection,
    deadline: &'c Deadline,
    nested: &'c Nested,
    guard: Guard,
    limits: TimeLimits,
}

/// How long one request may keep the writer, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeLimits {
    /// All of its steps.
    pub(super) all_ms: u64,
    /// What it reads for its answer.
    pub(super) answer_ms: u64,
}

impl<'c> WriteSession<'c> {
    /// A request that begins now.
    pub(super) fn new(watched: &'c Watched, guard: Guard, limits: TimeLimits) -> WriteSession<'c> {
        watched.deadline.set(Duration::from_millis(limits.all_ms));
        WriteSession {
            connection: &watched.connection,
            deadline: &watched.deadline,
            nested: &watched.nested,
            guard,
            limits,
        }
    }

    /// Keeps what the request did: of a request that is alone, on disk.
    pub(super) fn keep(&mut self) -> Result<(), StoreError> {
        match self.guard {
            Guard::Transaction => self.command("COMMIT"),
            Guard::Savepoint => self.command("RELEASE request"),
            Guard::Alone | Guard::Shared => Ok(()),
        }
    }

    /// Undoes what the request did. Nothing is left to undo where SQLite has ended the transaction.
    pub(super) fn undo(&mut self) -> Result<(), StoreError> {
        if self.connection.is_autocommit() {
            return Ok(());
        }
        match self.guard {
            Guard::Transaction => self.command("ROLLBACK"),
            Guard::Savepoint => {
                self.command("ROLLBACK TO request")?;
                self.command("RELEASE request")
            }
            Guard::Alone | Guard::Shared => Ok(()),
        }
    }

    fn command(&self, sql: &str) -> Result<(), StoreError> {
        page::command(self.connection, sql, self.limits.all_ms)
    }

    fn failed(&self) -> impl Fn(rusqlite::Error) -> Failure + use<> {
        let limit_ms = self.limits.all_ms;
        move |error| failure(error, limit_ms)
    }
}

impl Session for WriteSession<'_> {
    async fn protect(&mut self) -> Result<(), Failure> {
        match self.guard {
            Guard::Alone => {
                self.command("BEGIN IMMEDIATE")?;
                self.guard = Guard::Transaction;
            }
            Guard::Shared => {
                self.command("SAVEPOINT request")?;
                self.guard = Guard::Savepoint;
            }
            Guard::Transaction | Guard::Savepoint => {}
        }
        Ok(())
    }

    async fn join(&mut self) -> Result<(), Failure> {
        if self.guard == Guard::Alone {
            self.command("BEGIN IMMEDIATE")?;
            self.guard = Guard::Transaction;
        }
        Ok(())
    }

    async fn tear(&mut self) -> Result<(), Failure> {
        if self.guard == Guard::Shared && !self.connection.is_autocommit() {
            self.command("ROLLBACK")?;
        }
        Ok(())
    }

    async fn execute(&mut self, sql: &Sql, inputs: &Inputs<'_>) -> Result<(), Failure> {
        self.query(sql, inputs, &mut |_| Ok(true)).await
    }

    async fn insert(&mut self, sql: &InsertSql, values: &[Value], width: usize) -> Result<(), Failure> {
        let sql = &sql.each;
        let failed = self.failed();
        let mut statement = self.connection.prepare_cached(&sql.text).map_err(&failed)?;
        for values in values.chunks(width) {
            bind(&mut statement, sql, &Inputs::of(values)).map_err(&failed)?;
            statement.raw_execute().map_err(&failed)?;
        }
        Ok(())
    }

    async fn query(&mut self, sql: &Sql, inputs: &Inputs<'_>, each: &mut EachRow<'_>) -> Result<(), Failure> {
        let failed = self.failed();
        let mut statement = self.connection.prepare_cached(&sql.text).map_err(&failed)?;
        bind(&mut statement, sql, inputs).map_err(&failed)?;
        let mut rows = statement.raw_query();
        // A statement that writes has done so only when it has come to its end, so its rows are all taken.
        while let Some(row) = rows.next().map_err(&failed)? {
            if !each(row)? {
                break;
            }
        }
        Ok(())
    }

    async fn read(&mut self, read: &ReadSql, inputs: &Inputs<'_>, into: &mut Vec<u8>) -> Result<Page, Failure> {
        let limit_ms = self.limits.answer_ms.min(self.limits.all_ms);
        let limit = Duration::from_millis(limit_ms);
        Ok(self.deadline.within(limit, || page::read(self.connection, self.nested, read, inputs, into, limit_ms))?)
    }
}
