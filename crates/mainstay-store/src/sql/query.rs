//! Reads: one statement, however deep.
use mainstay_expr::Expr;
use mainstay_plan::{Count, Order, Output, OutputValue, Query};
use mainstay_schema::{CollectionId, FieldId, Schema, json_string};

use crate::{
    StoreError,
    sql::{
        Bind, Cell, Column, Dialect, Encode, ReadSql, Sql, columns,
        test::Test,
        writer::{Env, Row, Writer},
    },
};

/// Renders a read.
pub fn query(schema: &Schema, dialect: &dyn Dialect, query: &Query) -> Result<ReadSql, StoreError> {
    let mut writer = Writer::new(schema, dialect);
    let row = writer.row(query.collection);
    let condition = writer.holds(&query.condition, &row)?;
    let after = match &query.after {
        Some(after) => writer.after(&query.order, after, &row)?,
        None => Test::Always,
    };
    let mut selected = Selected::default();
    let columns = writer.select(&query.select, &row, &mut selected)?;
    let keys = writer.sort_keys(&query.order, &row, &mut selected)?;
    let version = writer.version(&row, &mut selected);
    let order = writer.order_by(&query.order, &row)?;
    let filter = condition.and(after).filter(dialect);
    let limit = query.limit.map(|limit| format!(" LIMIT {}", writer.bind(Bind::Limit(limit)))).unwrap_or_default();
    let text = format!("SELECT {} FROM {}{filter}{order}{limit}", selected.list(), writer.from(&row));
    let count = match query.count {
        Count::Too => Some(count(schema, dialect, query)?),
        Count::No => None,
    };
    Ok(ReadSql { page: writer.finish(text), count, columns, keys, version, limit: query.limit })
}

/// The read of the record that a write is about, where the condition holds of it.
pub(crate) fn by_key(
    schema: &Schema,
    dialect: &dyn Dialect,
    collection: CollectionId,
    condition: &Expr,
    select: &[Output],
) -> Result<ReadSql, StoreError> {
    let mut writer = Writer::new(schema, dialect);
    let row = writer.row(collection);
    let key = writer.bind(Bind::Key);
    let find = Test::when(format!("{} = {key}", writer.key(&row)));
    let filter = find.and(writer.holds(condition, &row)?).filter(dialect);
    let mut selected = Selected::default();
    let columns = writer.select(select, &row, &mut selected)?;
    let version = writer.version(&row, &mut selected);
    let text = format!("SELECT {} FROM {}{filter}", selected.list(), writer.from(&row));
    Ok(ReadSql { page: writer.finish(text), count: None, columns, keys: Vec::new(), version, limit: None })
}

fn count(schema: &Schema, dialect: &dyn Dialect, query: &Query) -> Result<Sql, StoreError> {
    let mut writer = Writer::new(schema, dialect);
    let row = writer.row(query.collection);
    let filter = writer.holds(&query.condition, &row)?.filter(dialect);
    let text = format!("SELECT count(*) FROM {}{filter}", writer.from(&row));
    Ok(writer.finish(text))
}

/// The columns of a statement.
#[derive(Default)]
pub(crate) struct Selected {
    columns: Vec<String>,
}

impl Selected {
    /// A column that stands where the answer expects it.
    pub(crate) fn push(&mut self, sql: String) -> usize {
        self.columns.push(sql);
        self.columns.len() - 1
    }

    /// A column that may stand anywhere.
    pub(crate) fn reuse(&mut self, sql: String) -> usize {
        let at = self.columns.iter().position(|other| *other == sql);
        at.unwrap_or_else(|| self.push(sql))
    }

    /// As they follow SELECT.
    pub(crate) fn list(&self) -> String {
        if self.columns.is_empty() { "1".to_owned() } else { self.columns.join(", ") }
    }
}

impl Writer<'_> {
    /// The columns of the answer.
    pub(crate) fn select(
        &mut self,
        outputs: &[Output],
        row: &Row,
        selected: &mut Selected,
    ) -> Result<Vec<Column>, StoreError> {
        let mut columns = Vec::with_capacity(outputs.len());
        for output in outputs {
            let (sql, encode) = self.output(&output.value, row)?;
            selected.push(sql);
            let mut prefix = vec![if columns.is_empty() { b'{' } else { b',' }];
            json_string(&mut prefix, &output.name);
            prefix.push(b':');
            columns.push(Column { prefix, encode });
        }
        Ok(columns)
    }

    fn output(&mut self, value: &OutputValue, row: &Row) -> Result<(String, Encode), StoreError> {
        Ok(match value {
            OutputValue::Field(field) => {
                let of = self.collection(row);
                (self.column(row, *field), columns::encode(self.schema, of, of.field(*field)))
            }
            OutputValue::One(nested) => (self.nested_one(nested, row)?, Encode::Json),
            OutputValue::Many(nested) => (self.nested_many(nested, row)?, Encode::Json),
            OutputValue::Size(nested) => (self.nested_size(nested, row)?, Encode::Int),
        })
    }

    fn sort_keys(&mut self, order: &[Order], row: &Row, selected: &mut Selected) -> Result<Vec<Cell>, StoreError> {
        let mut keys = Vec::with_capacity(order.len());
        for order in order {
            let decode = columns::decode_type(self.schema, &order.by.ty)?;
            let sql = self.sort_key(&order.by, row)?;
            keys.push(Cell { column: selected.reuse(sql), decode });
        }
        Ok(keys)
    }

    /// Which column holds the version, where there is one.
    pub(crate) fn version(&self, row: &Row, selected: &mut Selected) -> Option<usize> {
        let version = self.collection(row).system.version?;
        Some(selected.reuse(self.column(row, version)))
    }

    /// What a record is sorted by; an error sorts as null does.
    pub(crate) fn sort_key(&mut self, by: &Expr, row: &Row) -> Result<String, StoreError> {
        Ok(self.value(by, &Env::of(row))?.sql)
    }

    /// ` ORDER BY …`, or nothing.
    pub(crate) fn order_by(&mut self, order: &[Order], row: &Row) -> Result<String, StoreError> {
        let mut parts = Vec::with_capacity(order.len());
        for order in order {
            let by = self.sort_key(&order.by, row)?;
            parts.push(self.dialect.order(&by, order.descending, may_be_null(&order.by)));
        }
        Ok(if parts.is_empty() { String::new() } else { format!(" ORDER BY {}", parts.join(", ")) })
    }
}

/// Whether a sort key may be null in SQL, where an error is null too.
pub(crate) fn may_be_null(by: &Expr) -> bool {
    by.may_null || by.may_error
}

/// The field of its record that an output is made from.
pub(crate) fn needs(output: &OutputValue, key: Option<FieldId>) -> Option<FieldId> {
    match output {
        OutputValue::Field(field) => Some(*field),
        OutputValue::One(nested) => Some(nested.field),
        OutputValue::Many(_) | OutputValue::Size(_) => key,
    }
}
