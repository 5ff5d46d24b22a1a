//! Values that the server computes from other records, in the transaction that writes them.
use mainstay_expr::Expr;
use mainstay_plan::{Create, Update};
use mainstay_schema::{FieldId, Schema};

use crate::{
    StoreError,
    sql::{
        Cell, ComputeSql, Computed, Dialect, columns,
        query::Selected,
        test::Test,
        value::Rendered,
        writer::{Env, Row, Writer},
    },
};

/// What a create computes. The record is nowhere yet: its fields are the values that are written.
pub(super) fn of_create(
    schema: &Schema,
    dialect: &dyn Dialect,
    plan: &Create,
) -> Result<Option<ComputeSql>, StoreError> {
    if plan.compute.is_empty() {
        return Ok(None);
    }
    let of = schema.collection(plan.collection);
    let mut writer = Writer::new(schema, dialect);
    let sent = plan.columns.iter().enumerate().filter(|(_, field)| !is_computed(&plan.compute, **field));
    let sent = sent
        .map(|(number, field)| {
            (*field, writer.bind_field(plan.collection, *field, columns::bind(of, *field, number as u16)))
        })
        .collect();
    let row = writer.row(plan.collection).with(sent);
    let (fields, list) = writer.computed(&plan.compute, row)?;
    Ok(Some(ComputeSql { sql: writer.finish(format!("SELECT {list}")), fields }))
}

/// What an update computes, from the record as it becomes.
pub(super) fn of_update(
    schema: &Schema,
    dialect: &dyn Dialect,
    plan: &Update,
) -> Result<Option<ComputeSql>, StoreError> {
    if plan.compute.is_empty() {
        return Ok(None);
    }
    let mut writer = Writer::new(schema, dialect);
    let stored = writer.row(plan.collection);
    let row = stored.with(writer.sent(plan, &stored)?);
    let (fields, list) = writer.computed(&plan.compute, row)?;
    let key = writer.bind_key(plan.collection);
    let text = format!("SELECT {list} FROM {} WHERE {} = {key}", writer.from(&stored), writer.key(&stored));
    Ok(Some(ComputeSql { sql: writer.finish(text), fields }))
}

fn is_computed(compute: &[(FieldId, Expr)], field: FieldId) -> bool {
    compute.iter().any(|(computed, _)| *computed == field)
}

impl Writer<'_> {
    /// A record as an update leaves it, with what is computed.
    pub(super) fn becoming(&mut self, plan: &Update, stored: &Row) -> Result<Row, StoreError> {
        let mut row = stored.with(self.sent(plan, stored)?);
        for (field, expr) in &plan.compute {
            let value = self.value(expr, &Env::of(&row))?.sql;
            row = row.and(*field, value);
        }
        Ok(row)
    }

    /// The fields that an update sets to what is sent.
    fn sent(&mut self, plan: &Update, stored: &Row) -> Result<Vec<(FieldId, String)>, StoreError> {
        let all = self.becomes(plan, stored)?;
        Ok(all.into_iter().filter(|(field, _)| !is_computed(&plan.compute, *field)).collect())
    }

    /// The values of a row's computed fields as columns.
    fn computed(&mut self, compute: &[(FieldId, Expr)], mut row: Row) -> Result<(Vec<Computed>, String), StoreError> {
        let mut selected = Selected::default();
        let mut fields = Vec::with_capacity(compute.len());
        for (field, expr) in compute {
            let of = self.collection(&row);
            let decode = columns::decode(self.schema, of, of.field(*field))?;
            let rendered: Rendered = self.value(expr, &Env::of(&row))?;
            let sure = match rendered.sure(expr) {
                Test::Always => None,
                test => Some(selected.push(self.verdict_of(test))),
            };
            let cell = Cell { column: selected.push(rendered.sql.clone()), decode };
            fields.push((*field, cell, sure));
            row = row.and(*field, rendered.sql);
        }
        Ok((fields, selected.list()))
    }
}
