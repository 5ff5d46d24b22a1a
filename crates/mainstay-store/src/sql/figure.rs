//! Figures over records, and records in groups.
use mainstay_expr::{Node, Type};
use mainstay_plan::{Aggregate, Figure, Group, GroupKey, GroupOrder, LinkFigure, PathValue};
use mainstay_schema::{FieldId, Schema, json_string};

use crate::{
    StoreError,
    sql::{
        Bind, Cell, Column, Decode, Dialect, Encode, ReadSql, columns,
        keyset::SortColumn,
        path::Joins,
        test::Test,
        writer::{Env, Row, Writer, defect},
    },
};

/// A column of groups: a key or a figure.
struct GroupColumn {
    /// Its value, inside of the statement that groups.
    sql: String,
    encode: Encode,
    decode: Decode,
    ty: Type,
    may_be_null: bool,
}

/// Renders groups: the records are grouped inside, ordered and cut to a page outside.
pub fn group(schema: &Schema, dialect: &dyn Dialect, group: &Group) -> Result<ReadSql, StoreError> {
    let mut writer = Writer::new(schema, dialect);
    let row = writer.row(group.collection);
    let (mut all, mut joins) = (Vec::with_capacity(group.keys.len() + group.figures.len()), Joins::default());
    for key in &group.keys {
        all.push(writer.group_key(key, &row, &mut joins)?);
    }
    for figure in &group.figures {
        all.push(writer.figure(&figure.figure, &row, Some(&mut joins))?);
    }
    let filter = writer.holds(&group.condition, &row)?.filter(dialect);
    let inside: Vec<String> = all.iter().enumerate().map(|(at, column)| format!("{} AS c{at}", column.sql)).collect();
    let by: Vec<String> = (1..=group.keys.len()).map(|at| at.to_string()).collect();
    let tables = format!("{}{}", writer.from(&row), joins.sql());
    let grouped = format!("SELECT {} FROM {tables}{filter} GROUP BY {}", inside.join(", "), by.join(", "));
    let alias = writer.alias();
    let order = group.order.iter().map(|order| sort_column(&all, &alias, *order)).collect::<Result<Vec<_>, _>>()?;
    let after = match &group.after {
        Some(after) => writer.after(&order, after)?,
        None => Test::Always,
    };
    let by: Vec<String> = order.iter().map(|key| dialect.order(&key.sql, key.descending, key.may_be_null)).collect();
    let outside: Vec<String> = (0..all.len()).map(|at| format!("{alias}.c{at}")).collect();
    let limit = writer.bind_as(Bind::Limit(group.limit), &Type::Int);
    let text = format!(
        "SELECT {} FROM ({grouped}) AS {alias}{} ORDER BY {} LIMIT {limit}",
        outside.join(", "),
        after.filter(dialect),
        by.join(", ")
    );
    let keys =
        group.order.iter().map(|order| Cell { column: order.column, decode: all[order.column].decode }).collect();
    let names = group.keys.iter().map(|key| &key.name).chain(group.figures.iter().map(|figure| &figure.name));
    let columns = names.zip(&all).enumerate().map(|(at, (name, column))| answered(at, name, column.encode)).collect();
    Ok(ReadSql { page: writer.finish(text), count: None, columns, keys, version: None, limit: Some(group.limit) })
}

fn sort_column(all: &[GroupColumn], alias: &str, order: GroupOrder) -> Result<SortColumn, StoreError> {
    let column = all.get(order.column).ok_or_else(|| defect("groups are sorted by a column that is not there"))?;
    let sql = format!("{alias}.c{}", order.column);
    let ty = column.ty.clone();
    Ok(SortColumn { sql, ty, descending: order.descending, may_be_null: column.may_be_null })
}

fn answered(at: usize, name: &str, encode: Encode) -> Column {
    let mut prefix = vec![if at == 0 { b'{' } else { b',' }];
    json_string(&mut prefix, name);
    prefix.push(b':');
    Column { prefix, encode }
}

impl Writer<'_> {
    /// A figure over the records of a to-many link, with how it is written.
    pub(crate) fn link_figure(&mut self, of: &LinkFigure, parent: &Row) -> Result<(String, Encode), StoreError> {
        let records = &of.records;
        let row = self.linked_row(parent.collection, records.field)?;
        let (tables, tie) = self.link_source(parent.collection, records.field, &row, &self.key(parent))?;
        let filter = tie.and(self.holds(&records.condition, &row)?).filter(self.dialect);
        let figure = self.figure(&of.figure, &row, None)?;
        Ok((format!("(SELECT {} FROM {tables}{filter})", figure.sql), figure.encode))
    }

    fn group_key(&mut self, key: &GroupKey, row: &Row, joins: &mut Joins) -> Result<GroupColumn, StoreError> {
        let value = self.path_value(&key.value, row, Some(joins))?;
        Ok(match key.part {
            None => value,
            Some(part) => GroupColumn {
                sql: self.dialect.time_part(&value.sql, part, &key.value.by.ty),
                encode: Encode::Plain,
                decode: Decode::Text,
                ty: Type::String,
                ..value
            },
        })
    }

    fn figure(&mut self, figure: &Figure, row: &Row, joins: Option<&mut Joins>) -> Result<GroupColumn, StoreError> {
        let count =
            |sql| GroupColumn { sql, encode: Encode::Int, decode: Decode::Int, ty: Type::Int, may_be_null: false };
        let Some(of) = &figure.of else { return Ok(count("count(*)".to_owned())) };
        let value = self.path_value(of, row, joins)?;
        let sql = self.dialect.aggregate(figure.aggregate, &value.sql, (value.encode, value.decode));
        Ok(match figure.aggregate {
            Aggregate::Count | Aggregate::CountDistinct => count(sql),
            Aggregate::Sum => GroupColumn { sql, may_be_null: false, ..value },
            Aggregate::Avg => {
                GroupColumn { sql, encode: Encode::Float, decode: Decode::Float, ty: Type::Float, may_be_null: true }
            }
            Aggregate::Min | Aggregate::Max => GroupColumn { sql, may_be_null: true, ..value },
        })
    }

    /// The value at the end of a path; its links are joined where there is a place for that.
    fn path_value(
        &mut self,
        value: &PathValue,
        row: &Row,
        joins: Option<&mut Joins>,
    ) -> Result<GroupColumn, StoreError> {
        let of = self.schema.collection(value.collection);
        let field = of.field(value.field);
        let decode = match &value.by.ty {
            // A list has no order, so that no page can begin behind one.
            Type::List(_) => return Err(defect("a list is no value to group by")),
            ty => columns::decode_type(self.schema, ty)?,
        };
        let env = Env::of(row);
        let sql = match (&value.by.node, joins) {
            (Node::Field { of, symbol }, Some(joins)) if matches!(of.node, Node::Link { .. }) => {
                let (row, _) = self.joined(of, &env, joins)?;
                self.field(&row, *symbol)?;
                self.column(&row, FieldId::of(*symbol))
            }
            _ => self.value(&value.by, &env)?.sql,
        };
        Ok(GroupColumn {
            sql,
            encode: columns::encode(self.schema, of, field),
            decode,
            ty: value.by.ty.clone(),
            may_be_null: value.by.may_null || value.by.may_error,
        })
    }
}
