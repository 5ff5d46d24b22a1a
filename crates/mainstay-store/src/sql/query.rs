//! Reads: one statement, however deep.
use mainstay_expr::{Expr, Type, fields_read};
use mainstay_plan::{Count, Order, Output, OutputValue, Query};
use mainstay_schema::{CollectionId, FieldId, Schema, json_string};

use crate::{
    StoreError,
    sql::{
        Bind, Cell, Column, Dialect, Encode, ReadSql, Sql, columns,
        keyset::SortColumn,
        test::Test,
        writer::{Env, Row, Writer},
    },
};

/// Renders a read.
pub fn query(schema: &Schema, dialect: &dyn Dialect, query: &Query) -> Result<ReadSql, StoreError> {
    let mut writer = Writer::new(schema, dialect);
    let row = writer.row(query.collection);
    let condition = writer.holds(&query.condition, &row)?;
    let by = writer.sort_keys(&query.order, &row)?;
    let after = match &query.after {
        Some(after) => {
            let columns: Vec<SortColumn> = by.iter().map(SortKey::column).collect();
            writer.after(&columns, after)?
        }
        None => Test::Always,
    };
    let mut selected = Selected::default();
    let columns = writer.select(&query.select, &row, &mut selected)?;
    let keys = by.iter().map(|key| key.select(schema, &mut selected)).collect::<Result<_, _>>()?;
    let version = writer.version(&row, &mut selected);
    let order = writer.order_by(&by, &selected);
    let filter = condition.and(after).filter(dialect);
    let limit = query
        .limit
        .map(|limit| format!(" LIMIT {}", writer.bind_as(Bind::Limit(limit), &Type::Int)))
        .unwrap_or_default();
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
    let key = writer.bind_key(collection);
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
        self.position(&sql).unwrap_or_else(|| self.push(sql))
    }

    /// Columns that stand together behind the others; gives the place of the first.
    pub(crate) fn append(&mut self, others: Selected) -> usize {
        let first = self.columns.len();
        self.columns.extend(others.columns);
        first
    }

    /// How many there are in the statement.
    pub(crate) fn len(&self) -> usize {
        self.columns.len().max(1)
    }

    /// Which column this is.
    fn position(&self, sql: &str) -> Option<usize> {
        self.columns.iter().position(|other| other == sql)
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

    pub(crate) fn output(&mut self, value: &OutputValue, row: &Row) -> Result<(String, Encode), StoreError> {
        Ok(match value {
            OutputValue::Field(field) => {
                let of = self.collection(row);
                (self.column(row, *field), columns::encode(self.schema, of, of.field(*field)))
            }
            OutputValue::Computed(field, expr) => {
                let of = self.collection(row);
                let encode = columns::encode(self.schema, of, of.field(*field));
                (self.value(expr, &Env::of(row))?.sql, encode)
            }
            OutputValue::When(condition, value) => {
                let (sql, encode) = self.output(value, row)?;
                (self.only_when(condition, sql, row)?, encode)
            }
            OutputValue::One(nested) => self.built(|writer| writer.nested_one(nested, row))?,
            OutputValue::Many(nested) => self.built(|writer| writer.nested_many(nested, row))?,
            OutputValue::Keys(nested) => self.built(|writer| writer.nested_keys(nested, row))?,
            OutputValue::Figure(figure) => self.link_figure(figure, row)?,
        })
    }

    /// A value where a condition holds of its record, else null.
    pub(crate) fn only_when(&mut self, condition: &Expr, value: String, row: &Row) -> Result<String, StoreError> {
        Ok(match self.holds(condition, row)? {
            Test::Always => value,
            Test::Never => "NULL".to_owned(),
            Test::When(test) => format!("(CASE WHEN {test} THEN {value} END)"),
        })
    }

    /// Which column holds the version, where there is one.
    pub(crate) fn version(&self, row: &Row, selected: &mut Selected) -> Option<usize> {
        let version = self.collection(row).system.version?;
        Some(selected.reuse(self.column(row, version)))
    }

    /// What records are sorted by; an error sorts as null does.
    pub(crate) fn sort_keys<'o>(&mut self, order: &'o [Order], row: &Row) -> Result<Vec<SortKey<'o>>, StoreError> {
        order.iter().map(|order| Ok(SortKey { sql: self.value(&order.by, &Env::of(row))?.sql, order })).collect()
    }

    /// ` ORDER BY …`, or nothing.
    pub(crate) fn order_by(&self, keys: &[SortKey<'_>], selected: &Selected) -> String {
        if keys.is_empty() {
            return String::new();
        }
        let parts = keys.iter().map(|key| {
            // What is more than a column and stands among the columns anyway is worked out once.
            let position = if key.sql.starts_with('(') { selected.position(&key.sql) } else { None };
            let by = position.map_or_else(|| key.sql.clone(), |at| (at + 1).to_string());
            self.dialect.order(&by, key.order.descending, key.may_be_null())
        });
        format!(" ORDER BY {}", parts.collect::<Vec<_>>().join(", "))
    }
}

/// A rendered sort key.
pub(crate) struct SortKey<'o> {
    pub(crate) sql: String,
    pub(crate) order: &'o Order,
}

impl SortKey<'_> {
    fn column(&self) -> SortColumn {
        SortColumn {
            sql: self.sql.clone(),
            ty: self.order.by.ty.clone(),
            descending: self.order.descending,
            may_be_null: self.may_be_null(),
        }
    }

    /// Whether it may be null in SQL, where an error is null too.
    pub(crate) fn may_be_null(&self) -> bool {
        self.order.by.may_null || self.order.by.may_error
    }

    fn select(&self, schema: &Schema, selected: &mut Selected) -> Result<Cell, StoreError> {
        let decode = columns::decode_type(schema, &self.order.by.ty)?;
        Ok(Cell { column: selected.reuse(self.sql.clone()), decode })
    }
}

/// Notes the fields of its record that an output is made from.
pub(crate) fn needs(output: &OutputValue, key: Option<FieldId>, fields: &mut Vec<FieldId>) {
    match output {
        OutputValue::Field(field) => fields.push(*field),
        OutputValue::Computed(_, expr) => {
            fields.extend(fields_read(expr).into_iter().map(FieldId::of));
            fields.extend(key);
        }
        OutputValue::When(condition, value) => {
            needs(value, key, fields);
            fields.extend(fields_read(condition).into_iter().map(FieldId::of));
            fields.extend(key);
        }
        OutputValue::One(nested) => fields.push(nested.field),
        OutputValue::Many(_) | OutputValue::Keys(_) | OutputValue::Figure(_) => fields.extend(key),
    }
}
