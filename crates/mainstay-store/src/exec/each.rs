//! The same write of all records that match. They are found before the first of them is written.
use mainstay_expr::Value;

use super::{
    Session, delete,
    key::Key,
    run_statement,
    statement::Parts,
    steps::{Setting, run_task},
};
use crate::{Each, Source, StepError, Written, step::complete};

/// Finds the records and writes each. Gives their keys.
pub(super) async fn run<S: Session>(
    session: &mut S,
    each: &Each,
    done: &[Written],
    setting: Setting<'_>,
) -> Result<Written, StepError> {
    session.protect().await?;
    let found = run_task(session, &each.find, done, setting).await?;
    let write = &each.write;
    let keys = match &found.key {
        Value::List(keys) if !keys.is_empty() => keys,
        _ => return Ok(found),
    };
    let place = write.late.iter().find(|late| late.source == Source::Each).map(|late| usize::from(late.value));
    let mut values = complete(&write.values, &write.late, done).into_owned();
    // What ends together does not hold on to each other.
    let delete = match &write.statement.parts {
        Parts::Delete { plan, sql, cascades } => {
            Some(delete::Task { statement: &write.statement, plan, sql, cascades })
        }
        _ => None,
    };
    let mut roots = Vec::with_capacity(if delete.is_some() { keys.len() } else { 0 });
    for key in keys.iter() {
        if let Some(value) = place.and_then(|place| values.get_mut(place)) {
            value.clone_from(key);
        }
        let request = setting.request(&values);
        match &delete {
            Some(task) => {
                let found = delete::find(session, task, request).await.map_err(|error| of_record(key, error))?;
                roots.push(Key::of(found.key)?);
            }
            None => {
                let written = run_statement(session, &write.statement, request).await;
                written.map_err(|error| of_record(key, error))?;
            }
        }
    }
    if let Some(task) = &delete {
        let request = setting.request(&[]);
        delete::end(session, task, roots, request).await?;
    }
    Ok(found)
}

/// Says of which record a refusal is; a failure of the database is of none.
fn of_record(key: &Value, error: StepError) -> StepError {
    match error {
        StepError::Store(_) => error,
        error => StepError::OfRecord { key: key.clone(), error: Box::new(error) },
    }
}
