//! What is said to the server, and what it answers.
use std::{future::poll_fn, pin::pin, sync::Arc};

use futures_core::Stream;
use mainstay_expr::Value;
use tokio_postgres::{Client, Row, RowStream, Statement, types::Type};

use super::{
    bind::{Param, params},
    connection::{Connector, Stopped},
    copy::{self, copy},
    dialect::count_anew,
    statements::Statements,
};
use crate::{
    exec::{Failure, Inputs},
    sql::Sql,
};

/// Statements whose parameters' types are known, where none is kept prepared.
const TYPES_MAX: usize = 4_096;

/// Takes one row; says whether it wants the next.
pub(super) type Take<'a> = dyn FnMut(&Row) -> Result<bool, Failure> + Send + 'a;

/// The client of a connection, and what it remembers.
pub(super) struct Line {
    pub(super) client: Client,
    pub(super) statements: Statements,
    /// What is sent in front of the next statement, in the same round trip.
    pub(super) before: Option<String>,
    /// Whether the next statement counts nested records from the beginning; only inside of a transaction, which may end without it.
    pub(super) counts_anew: bool,
    /// Whether a transaction is open.
    pub(super) in_transaction: bool,
    pub(super) connector: Arc<Connector>,
}

impl Line {
    pub(super) fn new(client: Client, connector: Arc<Connector>) -> Line {
        let statements = Statements::new(connector.settings().statements_max);
        Line { client, statements, before: None, counts_anew: false, in_transaction: false, connector }
    }

    /// Runs a statement, and hands out its rows until nobody wants them.
    pub(super) async fn rows(&mut self, sql: &Sql, inputs: &Inputs<'_>, each: &mut Take<'_>) -> Result<(), Stopped> {
        hand_out(self.start(sql, inputs).await?, each).await
    }

    /// Runs two statements in one snapshot, all in one round trip, and hands out their rows.
    pub(super) async fn rows_of_both(
        &mut self,
        kind: &str,
        inputs: &Inputs<'_>,
        [(first, take_first), (second, take_second)]: [(&Sql, &mut Take<'_>); 2],
    ) -> Result<(), Stopped> {
        let client = &self.client;
        let statements =
            [self.statements.get(client, &first.text).await?, self.statements.get(client, &second.text).await?];
        let run = async |of: &Statement, sql: &Sql, take: &mut Take<'_>| {
            hand_out(client.query_raw(of, params(sql, inputs)).await?, take).await
        };
        let begin = format!("BEGIN ISOLATION LEVEL {kind}");
        let (begun, first, second, ended) = tokio::join!(
            biased;
            client.batch_execute(&begin),
            run(&statements[0], first, take_first),
            run(&statements[1], second, take_second),
            client.batch_execute("ROLLBACK"),
        );
        begun?;
        ended?;
        first.and(second)
    }

    async fn start(&mut self, sql: &Sql, inputs: &Inputs<'_>) -> Result<RowStream, tokio_postgres::Error> {
        if self.connector.is_pooled_outside() {
            return self.start_unprepared(sql, inputs).await;
        }
        let statement = self.statements.get(&self.client, &sql.text).await?;
        let values = params(sql, inputs);
        match self.take_before() {
            None => self.client.query_raw(&statement, values).await,
            Some(before) => {
                let before = self.client.batch_execute(&before);
                let (before, stream) = tokio::join!(biased; before, self.client.query_raw(&statement, values));
                before?;
                stream
            }
        }
    }

    /// Runs a statement so that nothing of it stays in the session.
    async fn start_unprepared(&mut self, sql: &Sql, inputs: &Inputs<'_>) -> Result<RowStream, tokio_postgres::Error> {
        let types = self.types(&sql.text).await?;
        let values = params(sql, inputs).into_iter().zip(types.iter().cloned()).collect::<Vec<(Param<'_>, Type)>>();
        match self.take_before() {
            None => self.client.query_typed_raw(&sql.text, values).await,
            Some(before) => {
                let before = self.client.batch_execute(&before);
                let (before, stream) = tokio::join!(biased; before, self.client.query_typed_raw(&sql.text, values));
                before?;
                stream
            }
        }
    }

    /// What is sent in front of a statement.
    fn take_before(&mut self) -> Option<String> {
        let counts_anew = std::mem::take(&mut self.counts_anew);
        // A transaction that begins has counted nothing.
        self.before.take().or_else(|| (counts_anew && self.in_transaction).then(count_anew))
    }

    /// Copies rows into a table and its columns.
    pub(super) async fn copy(
        &mut self,
        (into, each): (&str, &Sql),
        values: &[Value],
        width: usize,
    ) -> Result<(), Stopped> {
        if let Some(before) = self.before.take() {
            self.client.batch_execute(&before).await?;
        }
        // What the server would read as parameters is what it reads here: the columns' own types.
        let marks: Vec<String> = (1..=width).map(|number| format!("${number}")).collect();
        let insert = format!("INSERT INTO {into} VALUES ({})", marks.join(", "));
        let insert = self.statements.get(&self.client, &insert).await?;
        let statement = self.statements.get(&self.client, &format!("COPY {into} {}", copy::FROM)).await?;
        let sink = self.client.copy_in(&statement).await?;
        let rows = values.chunks_exact(width);
        copy(sink, insert.params(), rows.map(|row| params(each, &Inputs::of(row)).into_iter())).await
    }

    /// The types of a statement's parameters, which the server tells once.
    pub(super) async fn types(&mut self, text: &str) -> Result<Arc<[Type]>, tokio_postgres::Error> {
        if let Some(types) = self.connector.types.lock().get(text) {
            return Ok(types.clone());
        }
        // One transaction is one session: what is prepared there is forgotten there.
        let is_alone = self.before.is_some() || !self.in_transaction;
        if is_alone {
            self.client.batch_execute("BEGIN").await?;
        }
        let prepared = self.client.prepare(text).await;
        let types = prepared.map(|statement| Arc::<[Type]>::from(statement.params()));
        if is_alone {
            self.client.batch_execute("ROLLBACK").await?;
        }
        let types = types?;
        let mut known = self.connector.types.lock();
        if known.len() >= TYPES_MAX {
            known.clear();
        }
        known.insert(text.into(), types.clone());
        Ok(types)
    }
}

/// Hands out rows until nobody wants them.
async fn hand_out(rows: RowStream, each: &mut Take<'_>) -> Result<(), Stopped> {
    let mut rows = pin!(rows);
    let mut wants = true;
    // To the end: what a statement writes is done only then.
    while let Some(row) = poll_fn(|context| rows.as_mut().poll_next(context)).await {
        let row = row?;
        if wants {
            wants = each(&row).map_err(Stopped::Taker)?;
        }
    }
    Ok(())
}
