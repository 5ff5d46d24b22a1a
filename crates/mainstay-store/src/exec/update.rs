//! A change of one record: as one statement where that is possible, else step by step.
use mainstay_expr::{Decimal, Value, eval};
use mainstay_plan::{OwnFields, OwnRecords, Update};
use mainstay_schema::{Collection, FieldId, FieldKind, Scalar};

use super::{
    Inputs, Request, Row, Session, WriteStatement,
    create::{answer, write},
    failure, feed, links,
};
use crate::{
    StepError, Written,
    sql::{LookSql, UpdateSql},
};

pub(super) async fn run<S: Session>(
    session: &mut S,
    statement: &WriteStatement,
    plan: &Update,
    sql: &UpdateSql,
    request: Request<'_>,
) -> Result<Written, StepError> {
    let inputs = Inputs { now: request.now, ..Inputs::of(request.values) };
    let of_write = |found| failure::of_write(found, statement.of(), &plan.links);
    let fed = sql.fed.as_ref().filter(|_| request.feed.is_on());
    if let (Some((noting, returning)), Some(fed)) = (&sql.noting, fed.filter(|_| request.feed.is_empty())) {
        let change = request.feed.values(feed::of(&fed.collection), request.now)?;
        let inputs = Inputs { fed: &change, ..inputs };
        if let Some((written, _)) = write(session, noting, returning, &inputs).await.map_err(of_write)? {
            return Ok(written);
        }
    } else if let Some((fast, returning)) = &sql.fast {
        let before = match fed {
            Some(fed) => {
                session.join().await?;
                feed::before(session, &fed.before, &inputs).await?
            }
            None => Vec::new(),
        };
        if let Some((written, after)) = write(session, fast, returning, &inputs).await.map_err(of_write)? {
            if let Some(fed) = fed {
                let changed = (&written.key, written.version);
                request.feed.note(feed::updated(&fed.collection, (before, after), changed, (&[], &[])));
            }
            return Ok(written);
        }
    }
    let found = look(session, &sql.look, &inputs, bound_version(plan.version, request.values)).await?;
    let collection = statement.of();
    let inputs = Inputs { key: &found.key, old: &found.fields, ..inputs };
    links::fields(session, &sql.fields, &inputs).await?;
    links::check(session, &sql.links, &inputs).await?;
    let sums = sums(collection, plan, &found, request.values)?;
    let computed = match &sql.compute {
        Some(compute) => {
            let set = |field| plan.set.iter().find(|(set, _)| *set == field);
            let place = |field| set(field).map(|(_, number)| usize::from(*number));
            Some(super::compute::run(session, statement, compute, &inputs, place).await?)
        }
        None => None,
    };
    let inputs = Inputs { values: computed.as_deref().unwrap_or(inputs.values), ..inputs };
    checks(statement, &plan.checks, || merged(collection, plan, &found, inputs.values, sums))?;
    session.protect().await?;
    let before = match fed.filter(|_| sql.update.is_some()) {
        Some(fed) => {
            let lists = feed::lists(session, &fed.lists, &inputs).await?;
            Some((fed, feed::before(session, &fed.before, &inputs).await?, lists))
        }
        None => None,
    };
    let written = match &sql.update {
        Some((update, returning)) => write(session, update, returning, &inputs).await.map_err(of_write)?,
        None => None,
    };
    links::change(session, &sql.changes, &inputs).await?;
    if let Some(rule) = &sql.after
        && !links::holds(session, rule, &inputs).await?
    {
        return Err(StepError::RefusedAfter);
    }
    links::fields(session, &sql.fields, &inputs).await?;
    if let (Some((fed, before, was)), Some((written, after))) = (before, written) {
        let is = feed::lists(session, &fed.lists, &inputs).await?;
        request.feed.note(feed::updated(
            &fed.collection,
            (before, after),
            (&written.key, written.version),
            (&was, &is),
        ));
    }
    let version = found.version.map(|version| version + i64::from(sql.update.is_some()));
    match &sql.answer {
        Some(read) => answer(session, read, &inputs, version).await,
        None => Ok(Written { key: found.key.clone(), version, record: None, created: false }),
    }
}

/// A record as it is stored.
pub(super) struct Found {
    pub(super) key: Value,
    pub(super) version: Option<i64>,
    fields: Vec<(FieldId, Value)>,
}

/// Finds the record of a step that may see and change it, in the version that is wanted.
pub(super) async fn look<S: Session>(
    session: &mut S,
    sql: &LookSql,
    inputs: &Inputs<'_>,
    version: Option<i64>,
) -> Result<Found, StepError> {
    let mut found = None;
    let mut take = |row: &dyn Row| {
        let fields = sql.fields.iter().map(|(field, cell)| Ok((*field, row.value(*cell)?)));
        let record = Found {
            key: row.value(sql.key)?,
            version: sql.version.map(|column| row.int(column)).transpose()?.flatten(),
            fields: fields.collect::<Result<_, super::Failure>>()?,
        };
        found = Some((record, row.holds(sql.visible)?, row.holds(sql.before)?));
        Ok(false)
    };
    session.query(&sql.sql, inputs, &mut take).await?;
    match found {
        None | Some((_, false, _)) => Err(StepError::NotFound),
        Some((_, true, false)) => Err(StepError::RefusedBefore),
        Some((record, true, true)) => match (version, record.version) {
            (Some(wanted), Some(present)) if wanted != present => Err(StepError::OtherVersion { present }),
            _ => Ok(record),
        },
    }
}

/// The version that the request wants the record to have.
pub(super) fn bound_version(bound: Option<u16>, values: &[Value]) -> Option<i64> {
    match values.get(usize::from(bound?)) {
        Some(Value::Int(version)) => Some(*version),
        _ => None,
    }
}

/// Evaluates checks that could not be decided before the transaction.
pub(super) fn checks(
    statement: &WriteStatement,
    checks: &[usize],
    becomes: impl FnOnce() -> Vec<Value>,
) -> Result<(), StepError> {
    if checks.is_empty() {
        return Ok(());
    }
    let collection = statement.of();
    let becomes = becomes();
    let record = OwnFields { collection, values: &becomes };
    let records = OwnRecords { schema: &statement.schema };
    for position in checks {
        let Some(check) = collection.checks.get(*position) else { continue };
        if check.field.is_some_and(|field| record.value(field).is_null()) {
            continue;
        }
        // An error refuses, as everywhere.
        if eval(&check.expr.expr, &records, &record, &[]) != Ok(Value::Bool(true)) {
            return Err(StepError::Check(*position));
        }
    }
    Ok(())
}

/// What the numbers become that are added to: the same as in SQL.
fn sums(
    collection: &Collection,
    plan: &Update,
    found: &Found,
    values: &[Value],
) -> Result<Vec<(FieldId, Value)>, StepError> {
    let mut sums = Vec::with_capacity(plan.add.len());
    for (field, number) in plan.set.iter().filter(|(field, _)| plan.add.contains(field)) {
        let stored = found.fields.iter().find(|(stored, _)| stored == field).map_or(&Value::Null, |(_, value)| value);
        let by = values.get(usize::from(*number)).unwrap_or(&Value::Null);
        let sum = sum(&collection.field(*field).kind, stored, by);
        sums.push((*field, sum.ok_or(StepError::NoSum { field: *field, of_null: stored.is_null() })?));
    }
    Ok(sums)
}

fn sum(kind: &FieldKind, stored: &Value, by: &Value) -> Option<Value> {
    match (kind, stored, by) {
        (FieldKind::Scalar(Scalar::Int), Value::Int(a), Value::Int(b)) => {
            a.checked_add(*b).filter(|sum| i32::try_from(*sum).is_ok()).map(Value::Int)
        }
        (_, Value::Int(a), Value::Int(b)) => a.checked_add(*b).map(Value::Int),
        (_, Value::Float(a), Value::Float(b)) => Some(Value::Float(a + b)).filter(|_| (a + b).is_finite()),
        (FieldKind::Scalar(Scalar::Decimal { precision, .. }), Value::Decimal(a), Value::Decimal(b)) => {
            let end = 10_u64.saturating_pow(u32::from(*precision));
            let units = a.units.checked_add(b.units).filter(|units| units.unsigned_abs() < end)?;
            Some(Value::Decimal(Decimal { units, ..*a }))
        }
        _ => None,
    }
}

/// The record as it becomes.
fn merged(
    collection: &Collection,
    plan: &Update,
    found: &Found,
    values: &[Value],
    sums: Vec<(FieldId, Value)>,
) -> Vec<Value> {
    let mut becomes = vec![Value::Null; collection.fields.len()];
    let bound = |number: u16| values.get(usize::from(number)).cloned().unwrap_or(Value::Null);
    let set = plan.set.iter().map(|(field, number)| (*field, bound(*number)));
    for (field, value) in found.fields.iter().cloned().chain(set).chain(sums) {
        if let Some(slot) = becomes.get_mut(field.0 as usize) {
            *slot = value;
        }
    }
    becomes
}
