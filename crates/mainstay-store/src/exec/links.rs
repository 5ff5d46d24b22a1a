//! Links of a record that is written: whether their ends are there, and changes of to-many links.
use mainstay_expr::Value;

use super::{Failure, Inputs, Row, Session};
use crate::{
    StepError,
    sql::{ChangeSql, FieldRuleSql, LinkRuleSql, LinkSql, Sql},
};

/// Asks whether the record that each link names is there and may be seen.
pub(super) async fn check<S: Session>(
    session: &mut S,
    links: &[LinkSql],
    inputs: &Inputs<'_>,
) -> Result<(), StepError> {
    for link in links {
        if number(session, &link.check, inputs).await? != Some(1) {
            return Err(StepError::LinkMissing { field: link.field });
        }
    }
    Ok(())
}

/// Carries out the changes of to-many links.
pub(super) async fn change<S: Session>(
    session: &mut S,
    changes: &[ChangeSql],
    inputs: &Inputs<'_>,
) -> Result<(), StepError> {
    for change in changes {
        if let Some(missing) = &change.missing
            && number(session, missing, inputs).await? != Some(0)
        {
            return Err(StepError::LinkMissing { field: change.field });
        }
        let asked = items(session, change, inputs).await?;
        for (rule, values) in asked.iter().filter(|(rule, _)| rule.before) {
            ask(session, change, rule, &Inputs { values, ..*inputs }).await?;
        }
        for statement in &change.statements {
            session.execute(statement, inputs).await.map_err(|failure| match failure {
                Failure::ForeignKey => StepError::LinkMissing { field: change.field },
                failure => failure.into(),
            })?;
        }
        for (rule, values) in &asked {
            ask(session, change, rule, &Inputs { values, ..*inputs }).await?;
        }
    }
    Ok(())
}

/// The rules of a link that have something to be asked of, each with values that hold the keys of what comes or goes.
async fn items<'s, S: Session>(
    session: &mut S,
    change: &'s ChangeSql,
    inputs: &Inputs<'_>,
) -> Result<Vec<(&'s LinkRuleSql, Vec<Value>)>, StepError> {
    let mut asked = Vec::with_capacity(change.rules.len());
    for rule in &change.rules {
        let mut keys = Vec::new();
        let mut take = |row: &dyn Row| {
            keys.push(row.value(rule.key)?);
            Ok(true)
        };
        session.query(&rule.items, inputs, &mut take).await?;
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

async fn ask<S: Session>(
    session: &mut S,
    change: &ChangeSql,
    rule: &LinkRuleSql,
    inputs: &Inputs<'_>,
) -> Result<(), StepError> {
    match number(session, &rule.refused, inputs).await? {
        Some(0) => Ok(()),
        _ => Err(StepError::RefusedLink { field: change.field, adds: rule.adds }),
    }
}

/// Whether a rule holds, asked in SQL: no row is no.
pub(super) async fn holds<S: Session>(session: &mut S, rule: &Sql, inputs: &Inputs<'_>) -> Result<bool, StepError> {
    Ok(number(session, rule, inputs).await? == Some(1))
}

/// Asks the rule of each field that is sent: of the record as it is stored, or behind the write.
pub(super) async fn fields<S: Session>(
    session: &mut S,
    rules: &[FieldRuleSql],
    inputs: &Inputs<'_>,
    after: bool,
) -> Result<(), StepError> {
    for FieldRuleSql { field, reads, sql } in rules {
        if !holds(session, sql, inputs).await? {
            return Err(StepError::RefusedField { field: *field, reads: *reads, after });
        }
    }
    Ok(())
}

/// The whole number in the first column of the first row.
async fn number<S: Session>(session: &mut S, sql: &Sql, inputs: &Inputs<'_>) -> Result<Option<i64>, Failure> {
    let mut found = None;
    let mut take = |row: &dyn Row| {
        found = row.int(0)?;
        Ok(false)
    };
    session.query(sql, inputs, &mut take).await?;
    Ok(found)
}
