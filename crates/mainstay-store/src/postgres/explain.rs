//! Plans explained: the lines of `EXPLAIN`, the same in words, and what a run takes.
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mainstay_expr::Value;
use mainstay_schema::Schema;
use serde_json::Value as Json;
use tokio_postgres::{Client, Row, SimpleQueryMessage, types::ToSql};

use super::{
    advise,
    bind::params,
    connection::{Connection, Stopped},
    engine::Engine,
    failure::store_error,
    words::Words,
};
use crate::{
    Explained, Measured, ReadStatement, StatementExplained, StoreError, WriteStatement, advice::Origin, exec::Inputs,
    sql::Sql,
};

/// A node of a plan, with how deep it stands.
pub(super) struct Node<'j> {
    pub(super) depth: usize,
    pub(super) of: &'j Json,
}

/// A read that is explained.
struct Asked {
    sql: Sql,
    origin: Option<(Arc<Schema>, Origin)>,
}

impl Engine {
    /// Explains a read: as it is planned with the values of a request, or for any.
    pub(crate) fn explain(&self, of: &ReadStatement, values: Option<&[Value]>) -> Result<Explained, StoreError> {
        let (asked, values) = (Asked::of(of), values.map(<[Value]>::to_vec));
        self.with_time(async move |connection: &mut Connection| asked.explain(connection, values.as_deref()).await)
    }

    /// Explains a read for any values, when there is time for it; fails at once where too many wait for that.
    pub(crate) fn explain_aside(
        &self,
        of: &ReadStatement,
        then: impl FnOnce(Result<Explained, StoreError>) + Send + 'static,
    ) {
        let asked = Asked::of(of);
        self.aside(async move |connection: &mut Connection| asked.explain(connection, None).await, then);
    }

    /// Explains the statements of a write in the same way.
    pub(crate) fn explain_write_aside(
        &self,
        of: &WriteStatement,
        then: impl FnOnce(Result<Vec<StatementExplained>, StoreError>) + Send + 'static,
    ) {
        let (schema, all) = (of.schema().clone(), of.all().into_iter().cloned().collect::<Vec<_>>());
        let work = async move |connection: &mut Connection| statements(connection.client(), &schema, &all).await;
        self.aside(work, then);
    }

    fn aside<T, W>(&self, work: W, then: impl FnOnce(Result<T, StoreError>) + Send + 'static)
    where
        T: 'static,
        W: AsyncFnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let Some(place) = self.inner.aside.place() else { return then(Err(StoreError::Overloaded)) };
        let inner = self.inner.clone();
        let explain = async move || {
            let turn = inner.aside.turn.lock().await;
            let explained = inner.in_own_time(work).await;
            drop((turn, place));
            then(explained);
        };
        if self.own.spawn(explain).is_err() {
            tracing::debug!("nothing is explained any more: the database is closed");
        }
    }

    /// Runs a read several times and says what it took.
    pub(crate) fn measure(&self, of: &ReadStatement, values: &[Value], times: usize) -> Result<Measured, StoreError> {
        let (sql, values) = (of.sql.page.clone(), values.to_vec());
        let limit_ms = self.inner.settings.statement_ms_max;
        self.with_time(async move |connection: &mut Connection| {
            let outcome = measure(connection, &sql, &values, times).await;
            outcome.map_err(|stopped| stopped.into_store_error(limit_ms))
        })
    }
}

impl Asked {
    fn of(statement: &ReadStatement) -> Asked {
        let origin = statement.origin().map(|(schema, origin)| (schema.clone(), origin.clone()));
        Asked { sql: statement.sql.page.clone(), origin }
    }

    async fn explain(&self, connection: &mut Connection, values: Option<&[Value]>) -> Result<Explained, StoreError> {
        let plan = match values {
            Some(values) => explained(connection, "EXPLAIN (FORMAT JSON)", &self.sql, values).await,
            None => generic(connection.client(), &self.sql).await,
        };
        let plan = plan.map_err(|error| store_error(&error, 0))?;
        let mut explained = Explained { sql: self.sql.text.clone(), plan: lines(&plan), ..Explained::default() };
        if let Some((schema, origin)) = &self.origin {
            let nodes = nodes(&plan);
            let words = Words::read(connection.client(), schema, Some(origin), &nodes).await;
            let words = words.map_err(|error| store_error(&error, 0))?;
            explained.words = words.of(&nodes);
            let records = words.count_of(&schema.collection(origin.collection()).table);
            explained.missing.extend(advise::missing(schema, origin, &nodes, records));
            if !explained.missing.is_empty() {
                explained.words.push(advise::NOT_TRIED.to_owned());
            }
        }
        Ok(explained)
    }
}

/// Explains statements; one that the server cannot plan without values is left out.
pub(super) async fn statements(
    client: &Client,
    schema: &Arc<Schema>,
    all: &[Sql],
) -> Result<Vec<StatementExplained>, StoreError> {
    let mut explained = Vec::with_capacity(all.len());
    for sql in all {
        let Ok(plan) = generic(client, sql).await else { continue };
        let nodes = nodes(&plan);
        let words = Words::read(client, schema, None, &nodes).await.map_err(|error| store_error(&error, 0))?;
        explained.push(StatementExplained { sql: sql.text.clone(), plan: lines(&plan), words: words.of(&nodes) });
    }
    Ok(explained)
}

async fn measure(connection: &mut Connection, sql: &Sql, values: &[Value], times: usize) -> Result<Measured, Stopped> {
    let (mut took, mut measured) = (Vec::with_capacity(times), Measured::default());
    for _ in 0..times.max(1) {
        let (began, mut rows) = (Instant::now(), 0);
        let mut count = |_: &Row| {
            rows += 1;
            Ok(true)
        };
        connection.rows(sql, &Inputs::of(values), &mut count).await?;
        took.push(began.elapsed());
        measured.rows = rows;
    }
    took.sort_unstable();
    measured.median = took.get(took.len() / 2).copied().unwrap_or(Duration::ZERO);
    measured.times = took.len();
    let plan = explained(connection, "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON)", sql, values).await?;
    for node in nodes(&plan) {
        let number = |name: &str| node.of.get(name).and_then(Json::as_f64).unwrap_or(0.0);
        let seen = (number("Actual Rows") + number("Rows Removed by Filter")) * number("Actual Loops").max(1.0);
        measured.steps += seen as u64;
        match node.of.get("Node Type").and_then(Json::as_str) {
            Some("Seq Scan") => measured.scanned += seen as u64,
            Some("Sort" | "Incremental Sort") => measured.sorts += 1,
            _ => {}
        }
    }
    Ok(measured)
}

/// The plan for these values.
async fn explained(
    connection: &mut Connection,
    explain: &str,
    sql: &Sql,
    values: &[Value],
) -> Result<Json, tokio_postgres::Error> {
    // What the parameters are, the statement itself tells: EXPLAIN does not.
    let types = connection.types(&sql.text).await?;
    let inputs = Inputs::of(values);
    let values = params(sql, &inputs);
    let pairs = values.iter().map(|value| value as &(dyn ToSql + Sync)).zip(types.iter().cloned());
    let text = format!("{explain} {}", sql.text);
    let rows = connection.client().query_typed(&text, &pairs.collect::<Vec<_>>()).await?;
    Ok(rows.first().map_or(Json::Null, json_of))
}

/// The plan for any values.
async fn generic(client: &Client, sql: &Sql) -> Result<Json, tokio_postgres::Error> {
    let nulls = vec!["NULL"; sql.binds.len()].join(", ");
    let values = if nulls.is_empty() { nulls } else { format!("({nulls})") };
    let text = format!(
        "BEGIN; SET LOCAL plan_cache_mode = force_generic_plan; PREPARE mainstay_explain AS {}; \
         EXPLAIN (FORMAT JSON) EXECUTE mainstay_explain{values}; DEALLOCATE mainstay_explain; ROLLBACK",
        sql.text
    );
    let answer = client.simple_query(&text).await;
    if answer.is_err() {
        // What is prepared outlives its transaction; where it was that which failed, there is nothing to forget.
        let _ = client.batch_execute("ROLLBACK; DEALLOCATE mainstay_explain").await;
    }
    let row = answer?.into_iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(row.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

fn json_of(row: &Row) -> Json {
    let json = row.try_get::<_, super::row::JsonText>(0).map(|json| json.0);
    json.ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// The nodes of a plan, outermost first.
pub(super) fn nodes(plan: &Json) -> Vec<Node<'_>> {
    let mut found = Vec::new();
    if let Some(top) = plan.get(0).and_then(|plan| plan.get("Plan")) {
        collect(top, 0, &mut found);
    }
    found
}

fn collect<'j>(of: &'j Json, depth: usize, found: &mut Vec<Node<'j>>) {
    found.push(Node { depth, of });
    for inner in of.get("Plans").and_then(Json::as_array).into_iter().flatten() {
        collect(inner, depth + 1, found);
    }
}

/// The lines of a plan, as psql shows them.
fn lines(plan: &Json) -> Vec<String> {
    let mut lines = Vec::new();
    for node in nodes(plan) {
        let text = |name: &str| node.of.get(name).and_then(Json::as_str);
        let mut line = format!("{}{}", "  ".repeat(node.depth), text("Node Type").unwrap_or("?"));
        if let Some(index) = text("Index Name") {
            line.push_str(&format!(" using {index}"));
        }
        if let Some(table) = text("Relation Name") {
            line.push_str(&format!(" on {table}"));
        }
        if let Some(alias) = text("Alias").filter(|alias| Some(*alias) != text("Relation Name")) {
            line.push_str(&format!(" {alias}"));
        }
        lines.push(line);
        for name in ["Index Cond", "Recheck Cond", "Hash Cond", "Merge Cond", "Join Filter", "Filter"] {
            if let Some(condition) = text(name) {
                lines.push(format!("{}{name}: {condition}", "  ".repeat(node.depth + 2)));
            }
        }
    }
    lines
}
