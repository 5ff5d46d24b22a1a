//! Links of a record that is written: whether their ends are there, and changes of to-many links.
use mainstay_schema::FieldId;

use super::{Failure, Inputs, Session};
use crate::{
    StepError,
    sql::{ChangeSql, LinkSql, Sql},
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
        for statement in &change.statements {
            session.execute(statement, inputs).map_err(|failure| match failure {
                Failure::ForeignKey => StepError::LinkMissing { field: change.field },
                failure => failure.into(),
            })?;
        }
    }
    Ok(())
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
