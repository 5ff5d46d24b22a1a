//! A session that notes which statements ran: for writes that are tried and taken back.
use mainstay_expr::Value;

use super::{EachRow, Failure, Inputs, Session};
use crate::{
    Page,
    sql::{InsertSql, ReadSql, Sql},
};

/// The session of a write that is tried. All of it is undone at the end, by whoever tries.
pub(crate) struct Noting<S> {
    /// What carries it out.
    pub(crate) session: S,
    /// The statements that ran, each once.
    pub(crate) ran: Vec<Sql>,
}

impl<S> Noting<S> {
    /// Nothing has run yet.
    pub(crate) fn new(session: S) -> Noting<S> {
        Noting { session, ran: Vec::new() }
    }

    fn note(&mut self, sql: &Sql) {
        if self.ran.iter().all(|known| known.text != sql.text) {
            self.ran.push(sql.clone());
        }
    }
}

impl<S: Session> Session for Noting<S> {
    async fn protect(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    async fn join(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    async fn tear(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    async fn execute(&mut self, sql: &Sql, inputs: &Inputs<'_>) -> Result<(), Failure> {
        self.note(sql);
        self.session.execute(sql, inputs).await
    }

    async fn insert(&mut self, sql: &InsertSql, values: &[Value], width: usize) -> Result<(), Failure> {
        self.note(&sql.each);
        self.session.insert(sql, values, width).await
    }

    async fn query(&mut self, sql: &Sql, inputs: &Inputs<'_>, each: &mut EachRow<'_>) -> Result<(), Failure> {
        self.note(sql);
        self.session.query(sql, inputs, each).await
    }

    async fn read(&mut self, read: &ReadSql, inputs: &Inputs<'_>, into: &mut Vec<u8>) -> Result<Page, Failure> {
        self.note(&read.page);
        self.session.read(read, inputs, into).await
    }
}
