//! A change of one record: as one statement where that is possible, else step by step.
use mainstay_expr::{Value, eval};
use mainstay_plan::{OwnFields, OwnRecords, Update, sum};
use mainstay_schema::{Collection, FieldId};

use super::{
    Failure, Inputs, Request, Row, Session, WriteStatement,
    becomes::{Becomes, Image},
    create::write,
    failure, feed, links,
};
use crate::{
    StepError, Written,
    sql::{FedUpdate, LookSql, UpdateSql, Updated},
};

pub(super) async fn run<S: Session>(
    session: &mut S,
    statement: &WriteStatement,
    plan: &Update,
    sql: &UpdateSql,
    request: Request<'_>,
) -> Result<Written, StepError> {
    let inputs = Inputs { now: request.now, ..Inputs::of(request.values) };
    let fed = sql.fed.as_ref().filter(|_| request.feed.is_on());
    let task = Task { statement, plan, sql, fed };
    if let Some(written) = at_once(session, &task, &inputs, request).await? {
        return Ok(written);
    }
    step_by_step(session, &task, inputs, request).await
}

/// An update with its statements.
struct Task<'a> {
    statement: &'a WriteStatement,
    plan: &'a Update,
    sql: &'a UpdateSql,
    /// What the change feed is told, where it is.
    fed: Option<&'a FedUpdate>,
}

impl Task<'_> {
    /// Whether what it writes is one statement, with nothing behind it that may refuse it.
    fn is_one_write(&self) -> bool {
        let sql = self.sql;
        let refuses = sql.after.is_some() || !sql.fields.is_empty() || matches!(sql.answer, Updated::Read(_));
        sql.changes.is_empty() && !refuses
    }

    fn of_write(&self, found: Failure) -> StepError {
        failure::of_write(found, self.statement.of(), &self.plan.links)
    }

    /// The version of the record as it becomes.
    fn version(&self, found: &Found) -> Option<i64> {
        found.version.map(|version| version + i64::from(self.plan.counts()))
    }
}

/// The whole update as one statement, where there is one; nothing where it changes no record.
async fn at_once<S: Session>(
    session: &mut S,
    task: &Task<'_>,
    inputs: &Inputs<'_>,
    request: Request<'_>,
) -> Result<Option<Written>, StepError> {
    match (task.fed, &task.sql.noting, &task.sql.fast) {
        (Some(fed), Some((sql, returning)), _) if request.feed.is_empty() => {
            let change = request.feed.values(feed::of(&fed.collection), request.now)?;
            let inputs = Inputs { fed: &change, ..*inputs };
            write(session, sql, returning, &inputs).await.map_err(|found| task.of_write(found))
        }
        (None, _, Some((sql, returning))) => {
            write(session, sql, returning, inputs).await.map_err(|found| task.of_write(found))
        }
        _ => Ok(None),
    }
}

async fn step_by_step<S: Session>(
    session: &mut S,
    task: &Task<'_>,
    inputs: Inputs<'_>,
    request: Request<'_>,
) -> Result<Written, StepError> {
    let Task { statement, plan, sql, fed } = *task;
    if fed.is_some() && task.is_one_write() {
        session.join().await?;
    }
    let found = look(session, &sql.look, &inputs, bound_version(plan.version, request.values)).await?;
    let inputs = Inputs { key: &found.key, old: &found.fields, ..inputs };
    links::fields(session, &sql.fields, &inputs, false).await?;
    links::check(session, &sql.links, &inputs).await?;
    let sums = sums(statement.of(), plan, &found, request.values)?;
    let computed = match &sql.compute {
        Some(compute) => {
            let set = |field| plan.set.iter().find(|(set, _)| *set == field);
            let place = |field| set(field).map(|(_, number)| usize::from(*number));
            Some(super::compute::run(session, statement, compute, &inputs, place).await?)
        }
        None => None,
    };
    let inputs = Inputs { values: computed.as_deref().unwrap_or(inputs.values), ..inputs };
    checks(statement, &plan.checks, || merged(statement.of(), plan, &found, inputs.values, &sums))?;
    let becomes = Becomes {
        statement,
        plan,
        was: &found.image,
        values: inputs.values,
        sums: &sums,
        version: task.version(&found),
    };
    carry_out(session, task, &inputs, &becomes, request).await?;
    answer(session, &sql.answer, &inputs, &found, &becomes).await
}

/// Writes the record, its links and what the change feed is told of it.
async fn carry_out<S: Session>(
    session: &mut S,
    task: &Task<'_>,
    inputs: &Inputs<'_>,
    becomes: &Becomes<'_>,
    request: Request<'_>,
) -> Result<(), StepError> {
    let sql = task.sql;
    if !task.is_one_write() {
        session.protect().await?;
    }
    let fed = task.fed.filter(|_| task.plan.writes());
    let was = feed::lists(session, fed.map_or(&[], |fed| &fed.lists), inputs).await?;
    if let Some(update) = &sql.update {
        session.execute(update, inputs).await.map_err(|found| task.of_write(found))?;
    }
    links::change(session, &sql.changes, inputs).await?;
    if let Some(rule) = &sql.after
        && !links::holds(session, rule, inputs).await?
    {
        return Err(StepError::RefusedAfter);
    }
    links::fields(session, &sql.fields, inputs, true).await?;
    if let Some(fed) = fed {
        let is = feed::lists(session, &fed.lists, inputs).await?;
        let images = (becomes.was.object(&fed.changed), becomes.object(&fed.all));
        request.feed.note(feed::updated(&fed.collection, images, (inputs.key, becomes.version), (&was, &is)));
    }
    Ok(())
}

/// What the update answers.
async fn answer<S: Session>(
    session: &mut S,
    from: &Updated,
    inputs: &Inputs<'_>,
    found: &Found,
    becomes: &Becomes<'_>,
) -> Result<Written, StepError> {
    let record = match from {
        Updated::Read(read) => return super::create::answer(session, read, inputs, becomes.version).await,
        Updated::Known(members) if found.is_answered => Some(becomes.object(members)),
        Updated::Known(_) | Updated::Key => None,
    };
    Ok(Written { key: found.key.clone(), version: becomes.version, record, created: false })
}

/// A record as it is stored.
pub(super) struct Found {
    pub(super) key: Value,
    pub(super) version: Option<i64>,
    fields: Vec<(FieldId, Value)>,
    image: Image,
    /// Whether it may be answered as it becomes.
    is_answered: bool,
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
            fields: fields.collect::<Result<_, Failure>>()?,
            image: Image::of(row, &sql.image)?,
            is_answered: row.holds(sql.answered)?,
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

/// The record as it becomes.
fn merged(
    collection: &Collection,
    plan: &Update,
    found: &Found,
    values: &[Value],
    sums: &[(FieldId, Value)],
) -> Vec<Value> {
    let mut becomes = vec![Value::Null; collection.fields.len()];
    let bound = |number: u16| values.get(usize::from(number)).cloned().unwrap_or(Value::Null);
    let set = plan.set.iter().map(|(field, number)| (*field, bound(*number)));
    for (field, value) in found.fields.iter().cloned().chain(set).chain(sums.iter().cloned()) {
        if let Some(slot) = becomes.get_mut(field.0 as usize) {
            *slot = value;
        }
    }
    becomes
}
