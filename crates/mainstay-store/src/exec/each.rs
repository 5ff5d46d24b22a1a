//! The same write of all records that match. They are found before the first of them is written.
use mainstay_expr::Value;

use super::{
    Request, Session, delete,
    key::Key,
    run_statement,
    statement::Parts,
    steps::{Setting, run_task},
};
use crate::{Each, Source, StepError, Written, step::complete};

/// Finds the records and writes each. Gives their keys.
pub(super) fn run(
    session: &mut dyn Session,
    each: &Each,
    done: &[Written],
    setting: Setting,
) -> Result<Written, StepError> {
    session.protect()?;
    let found = run_task(session, &each.find, done, setting)?;
    let write = &each.write;
    let keys = match &found.key {
        Value::List(keys) if !keys.is_empty() => keys,
        _ => return Ok(found),
    };
    let place = write.late.iter().find(|late| late.source == Source::Each).map(|late| usize::from(late.value));
    let mut values = complete(&write.values, &write.late, done).into_owned();
    let mut of_each = |write: &mut OfEach<'_>| -> Result<(), StepError> {
        for key in keys.iter() {
            if let Some(value) = place.and_then(|place| values.get_mut(place)) {
                value.clone_from(key);
            }
            let request = Request { values: &values, now: setting.now, cascade_max: setting.cascade_max };
            write(request).map_err(|error| of_record(key, error))?;
        }
        Ok(())
    };
    match &write.statement.parts {
        // What ends together does not hold on to each other.
        Parts::Delete { plan, sql, cascades } => {
            let task = delete::Task { statement: &write.statement, plan, sql, cascades };
            let mut roots = Vec::with_capacity(keys.len());
            of_each(&mut |request| {
                roots.push(Key::of(delete::find(session, &task, request)?.key)?);
                Ok(())
            })?;
            let request = Request { values: &[], now: setting.now, cascade_max: setting.cascade_max };
            delete::end(session, &task, roots, request)?;
        }
        _ => of_each(&mut |request| run_statement(session, &write.statement, request).map(|_| ()))?,
    }
    Ok(found)
}

/// Does something with one of the records, by the values of its write.
type OfEach<'e> = dyn FnMut(Request<'_>) -> Result<(), StepError> + 'e;

/// Says of which record a refusal is; a failure of the database is of none.
fn of_record(key: &Value, error: StepError) -> StepError {
    match error {
        StepError::Store(_) => error,
        error => StepError::OfRecord { key: key.clone(), error: Box::new(error) },
    }
}
