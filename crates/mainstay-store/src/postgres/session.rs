//! A connection as the executor sees it.
use mainstay_expr::Value;
use tokio_postgres::Row as DatabaseRow;

use super::{
    connection::{Connection, Stopped},
    dialect::counts_nested,
    page,
};
use crate::{
    Page, StoreError,
    exec::{EachRow, Failure, Inputs, Session},
    sql::{InsertSql, ReadSql, Sql},
};

/// Rows from which on they are copied: a COPY takes two round trips.
const COPIED_MIN: usize = 4;
/// What a transaction that writes is. The change feed's order rests on it, too (`feed.rs`).
const SERIALIZABLE: &str = "SERIALIZABLE, READ WRITE";

/// What a request's statements are part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// There is one statement, which is a transaction of its own.
    Single,
    /// That statement has run.
    Spent,
    /// A transaction.
    Transaction,
}

/// What is to become of a request that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It has failed.
    Final,
    /// It is run again in a transaction: it has more than one statement.
    InTransaction,
    /// It is run again: others got in its way.
    Again,
}

/// One request on a connection.
pub(super) struct WriteSession<'c> {
    connection: &'c mut Connection,
    guard: Guard,
    fate: Fate,
    limit_ms: u64,
    answer_bytes_max: usize,
}

impl<'c> WriteSession<'c> {
    /// A request that begins now.
    pub(super) fn new(
        connection: &'c mut Connection,
        guard: Guard,
        (limit_ms, answer_bytes_max): (u64, usize),
    ) -> WriteSession<'c> {
        if guard == Guard::Transaction {
            connection.begin(SERIALIZABLE);
        }
        WriteSession { connection, guard, fate: Fate::Final, limit_ms, answer_bytes_max }
    }

    /// What is to become of the request, once it has failed.
    pub(super) fn fate(&self) -> Fate {
        self.fate
    }

    /// Keeps what the request did: it is on disk.
    pub(super) async fn keep(&mut self) -> Result<(), Failure> {
        if self.guard != Guard::Transaction {
            return Ok(());
        }
        if self.connection.is_abandoned() {
            return Err(StoreError::Engine("a transaction was left in the middle of an answer".to_owned()).into());
        }
        let outcome = self.connection.end("COMMIT").await;
        outcome.map_err(|error| self.failed(error.into()))
    }

    /// Undoes what the request did.
    pub(super) async fn undo(&mut self) {
        if self.guard != Guard::Transaction {
            return;
        }
        if self.connection.end("ROLLBACK").await.is_err() {
            // The server undoes it when the connection ends.
            tracing::debug!("a transaction has ended with its connection");
        }
    }

    fn failed(&mut self, stopped: Stopped) -> Failure {
        if stopped.is_conflict() || stopped.is_crowded() {
            self.fate = Fate::Again;
        }
        if stopped.only_reads() {
            // Where the database has a new primary, the next connection may find it.
            self.connection.retire();
        }
        stopped.into_failure(self.limit_ms)
    }

    /// Whether another statement may run.
    fn next(&mut self) -> Result<(), Failure> {
        match self.guard {
            Guard::Single => self.guard = Guard::Spent,
            Guard::Spent => return Err(self.wants_transaction()),
            Guard::Transaction => {}
        }
        Ok(())
    }

    fn wants_transaction(&mut self) -> Failure {
        self.fate = Fate::InTransaction;
        StoreError::Engine("a request of one statement has another one".to_owned()).into()
    }
}

impl Session for WriteSession<'_> {
    async fn protect(&mut self) -> Result<(), Failure> {
        match self.guard {
            Guard::Single | Guard::Spent => Err(self.wants_transaction()),
            Guard::Transaction => Ok(()),
        }
    }

    async fn join(&mut self) -> Result<(), Failure> {
        self.protect().await
    }

    async fn tear(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    async fn execute(&mut self, sql: &Sql, inputs: &Inputs<'_>) -> Result<(), Failure> {
        self.query(sql, inputs, &mut |_| Ok(true)).await
    }

    async fn insert(&mut self, sql: &InsertSql, values: &[Value], width: usize) -> Result<(), Failure> {
        if let Some(into) = &sql.into
            && values.len() >= width * COPIED_MIN
            && width == sql.each.binds.len()
            && self.connection.can_copy()
        {
            self.next()?;
            let outcome = self.connection.copy((into, &sql.each), values, width).await;
            return outcome.map_err(|stopped| self.failed(stopped));
        }
        for values in values.chunks(width) {
            self.execute(&sql.each, &Inputs::of(values)).await?;
        }
        Ok(())
    }

    async fn query(&mut self, sql: &Sql, inputs: &Inputs<'_>, each: &mut EachRow<'_>) -> Result<(), Failure> {
        self.next()?;
        let mut take = |row: &DatabaseRow| each(row);
        let outcome = self.connection.rows(sql, inputs, &mut take).await;
        outcome.map_err(|stopped| self.failed(stopped))
    }

    async fn read(&mut self, read: &ReadSql, inputs: &Inputs<'_>, into: &mut Vec<u8>) -> Result<Page, Failure> {
        self.next()?;
        let in_transaction = self.guard == Guard::Transaction;
        if in_transaction && counts_nested(&read.page) {
            self.connection.count_nested_anew();
        }
        let outcome = page::read(self.connection, read, inputs, into, (self.answer_bytes_max, in_transaction)).await;
        outcome.map_err(|stopped| self.failed(stopped))
    }
}
