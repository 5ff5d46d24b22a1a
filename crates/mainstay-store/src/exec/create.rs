//! A new record: links, insert, to-many links, the rule over the outcome, the answer.
use mainstay_expr::Value;
use mainstay_plan::Create;
use mainstay_schema::Collection;

use super::{Inputs, Request, Row, Session, WriteStatement, failure, feed, links};
use crate::{
    StepError, StoreError, Written,
    sql::{CreateSql, Inserted, ReadSql, Returning, Sql},
};

pub(super) async fn run<S: Session>(
    session: &mut S,
    statement: &WriteStatement,
    plan: &Create,
    sql: &CreateSql,
    request: Request<'_>,
) -> Result<Written, StepError> {
    let inputs = Inputs { now: request.now, ..Inputs::of(request.values) };
    links::check(session, &sql.links, &inputs).await?;
    let computed = match &sql.compute {
        Some(compute) => {
            let place = |field| plan.columns.iter().position(|column| *column == field);
            Some(super::compute::run(session, statement, compute, &inputs, place).await?)
        }
        None => None,
    };
    let inputs = Inputs { values: computed.as_deref().unwrap_or(inputs.values), ..inputs };
    super::update::checks(statement, &plan.checks, || record(statement.of(), plan, inputs.values))?;
    let fed = sql.fed.as_ref().filter(|_| request.feed.is_on());
    let noting = sql.noting.as_ref().zip(fed).filter(|_| request.feed.is_empty());
    if fed.is_some() && noting.is_none() {
        session.join().await?;
    }
    if !sql.changes.is_empty() || sql.after.is_some() || sql.answer.is_some() || !sql.fields.is_empty() {
        session.protect().await?;
    }
    let change = match noting {
        Some((_, fed)) => request.feed.values(feed::loaded(statement, fed, inputs.values), request.now)?,
        None => Vec::new(),
    };
    let insert = noting.map_or(&sql.insert, |(sql, _)| sql);
    let written = written(session, insert, &sql.inserted, &Inputs { fed: &change, ..inputs })
        .await
        .map_err(|failure| failure::of_write(failure, statement.of(), &plan.links))?;
    let inputs = Inputs { key: &written.key, ..inputs };
    links::change(session, &sql.changes, &inputs).await?;
    if let Some(rule) = &sql.after
        && !links::holds(session, rule, &inputs).await?
    {
        return Err(StepError::RefusedAfter);
    }
    links::fields(session, &sql.fields, &inputs, true).await?;
    if let Some(fed) = fed.filter(|_| noting.is_none()) {
        let lists = feed::lists(session, &fed.lists, &inputs).await?;
        let made = (&written.key, written.version);
        request.feed.note(feed::created(statement, fed, inputs.values, made, &lists));
    }
    match &sql.answer {
        Some(read) => Ok(Written { created: true, ..answer(session, read, &inputs, written.version).await? }),
        None => Ok(Written { created: true, ..written }),
    }
}

/// Runs the insert: what it gives back, or what it was given.
async fn written<S: Session>(
    session: &mut S,
    insert: &Sql,
    inserted: &Inserted,
    inputs: &Inputs<'_>,
) -> Result<Written, super::Failure> {
    match inserted {
        Inserted::Given { key, version } => {
            session.execute(insert, inputs).await?;
            let value = |place: usize| inputs.values.get(place).unwrap_or(&Value::Null);
            let version = version.and_then(|version| match value(version) {
                Value::Int(version) => Some(*version),
                _ => None,
            });
            Ok(Written { key: value(*key).clone(), version, record: None, created: true })
        }
        Inserted::Returned(returning) => {
            let written = write(session, insert, returning, inputs).await?;
            let nothing = || StoreError::Engine("an insert gave no record back".to_owned());
            Ok(written.ok_or_else(nothing)?)
        }
    }
}

/// The record as it is written.
fn record(collection: &Collection, plan: &Create, values: &[Value]) -> Vec<Value> {
    let mut record = vec![Value::Null; collection.fields.len()];
    for (field, value) in plan.columns.iter().zip(values) {
        record[field.0 as usize] = value.clone();
    }
    record
}

/// Runs a statement that gives back the row that it wrote; `None`: it wrote none.
pub(super) async fn write<S: Session>(
    session: &mut S,
    sql: &Sql,
    returning: &Returning,
    inputs: &Inputs<'_>,
) -> Result<Option<Written>, super::Failure> {
    let mut written = None;
    let mut take = |row: &dyn Row| {
        let mut record = None;
        if !returning.columns.is_empty() && row.holds(returning.visible)? {
            let mut json = Vec::with_capacity(RECORD_BYTES);
            row.write(&returning.columns, &mut json)?;
            record = Some(json);
        }
        let version = returning.version.map(|column| row.int(column)).transpose()?.flatten();
        written = Some(Written { key: row.value(returning.key)?, version, record, created: false });
        Ok(true)
    };
    session.query(sql, inputs, &mut take).await?;
    Ok(written)
}

/// Room for a record of common size.
pub(super) const RECORD_BYTES: usize = 512;

/// Reads the record that was written, where it may be read; else key and version are the answer.
pub(super) async fn answer<S: Session>(
    session: &mut S,
    read: &ReadSql,
    inputs: &Inputs<'_>,
    version: Option<i64>,
) -> Result<Written, StepError> {
    let page = session.read(read, inputs, &mut Vec::with_capacity(RECORD_BYTES)).await?;
    let key: Value = inputs.key.clone();
    match page.rows {
        0 => Ok(Written { key, version, record: None, created: false }),
        _ => Ok(Written { key, version: page.version.or(version), record: Some(page.json), created: false }),
    }
}
