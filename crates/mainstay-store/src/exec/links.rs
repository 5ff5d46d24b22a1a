//! Links of a record that is written: whether their ends are there, and changes of to-many links.
use mainstay_expr::Value;
use mainstay_schema::FieldId;

use super::{Failure, Inputs, Session};
use crate::{
    StepError,
    sql::{ChangeSql, LinkRuleSql, LinkSql, Sql},
};

/// Asks whether the record that each link names is there and may be seen.
pub(super) fn check(session: &mut dyn Session, links: &[LinkSql], inputs: &Inputs<'_>) -> Result<(), StepError> {
    for link in links {
        if number(session, &link.check, inputs)? != Some(1) {
            return Err(StepError::LinkMissing { field: link.field });
        }
    }
    Ok(())
}

/// Carries out the changes of to-many links.
pub(super) fn change(session: &mut dyn Session, changes: &[ChangeSql], inputs: &Inputs<'_>) -> Result<(), StepError> {
    for change in changes {
        if let Some(missing) = &change.missing
            && number(session, missing, inputs)? != Some(0)
        {
            return Err(StepError::LinkMissing { field: change.field });
        }
        let asked = items(session, change, inputs)?;
        for (rule, values) in asked.iter().filter(|(rule, _)| rule.before) {
            ask(session, change, rule, &Inputs { values, ..*inputs })?;
        }
        for statement in &change.statements {
            session.execute(statement, inputs).map_err(|failure| match failure {
                Failure::ForeignKey => StepError::LinkMissing { field: change.field },
                failure => failure.into(),
            })?;
        }
        for (rule, values) in &asked {
            ask(session, change, rule, &Inputs { values, ..*inputs })?;
        }
    }
    Ok(())
}

/// The rules of a link that have something to be asked of, each with values that hold the keys of what comes or goes.
fn items<'s>(
    session: &mut dyn Session,
    change: &'s ChangeSql,
    inputs: &Inputs<'_>,
) -> Result<Vec<(&'s LinkRuleSql, Vec<Value>)>, StepError> {
    let mut asked = Vec::with_capacity(change.rules.len());
    for rule in &change.rules {
        let mut keys = Vec::new();
        session.query(&rule.items, inputs, &mut |row| {
            keys.push(row.value(rule.key)?);
            Ok(true)
        })?;
        if keys.is_empty() {
            continue;
        }
        let mut values = inputs.values.to_vec();
        if let Some(slot) = values.get_mut(usize::from(change.keys)) {
            *slot = Value::List(keys.into());
        }
        asked.push((rule, values));
    }
    Ok(asked)
}

fn ask(
    session: &mut dyn Session,
    change: &ChangeSql,
    rule: &LinkRuleSql,
    inputs: &Inputs<'_>,
) -> Result<(), StepError> {
    match number(session, &rule.refused, inputs)? {
        Some(0) => Ok(()),
        _ => Err(StepError::RefusedLink { field: change.field, adds: rule.adds }),
    }
}

/// Whether a rule holds, asked in SQL: no row is no.
pub(super) fn holds(session: &mut dyn Session, rule: &Sql, inputs: &Inputs<'_>) -> Result<bool, StepError> {
    Ok(number(session, rule, inputs)? == Some(1))
}

/// Asks the rule of each field that is sent.
pub(super) fn fields(
    session: &mut dyn Session,
    rules: &[(FieldId, Sql)],
    inputs: &Inputs<'_>,
) -> Result<(), StepError> {
    for (field, rule) in rules {
        if !holds(session, rule, inputs)? {
            return Err(StepError::RefusedField { field: *field });
        }
    }
    Ok(())
}

/// The whole number in the first column of the first row.
fn number(session: &mut dyn Session, sql: &Sql, inputs: &Inputs<'_>) -> Result<Option<i64>, Failure> {
    let mut found = None;
    session.query(sql, inputs, &mut |row| {
        found = row.int(0)?;
        Ok(false)
    })?;
    Ok(found)
}
