//! Look-ups inside a write: keys of records by the values of a unique, many at a time, or by a condition.
use mainstay_expr::Type;
use mainstay_plan::{Find, Matching};
use mainstay_schema::Schema;

use crate::{
    StoreError,
    sql::{Bind, Cell, Dialect, FindSql, columns, test::Test, writer::Writer},
};

/// Renders a look-up: one row for each place of the lists, in their order, with null where there is no such record.
pub fn find(schema: &Schema, dialect: &dyn Dialect, plan: &Find) -> Result<FindSql, StoreError> {
    let mut writer = Writer::new(schema, dialect);
    let row = writer.row(plan.collection);
    let of = schema.collection(plan.collection);
    let mut lists = String::new();
    let mut first = String::new();
    let mut test = Test::Always;
    for (number, field) in plan.fields.iter().enumerate() {
        let ty = writer.field_type(plan.collection, *field);
        let list = writer.bind_as(Bind::Value(number as u16), &Type::List(Box::new(ty.clone())));
        let alias = writer.alias();
        let rows = dialect.elements(&list, &alias);
        if number == 0 {
            lists.push_str(&rows);
            first = dialect.position(&alias);
        } else {
            lists.push_str(&format!(" JOIN {rows} ON {} = {first}", dialect.position(&alias)));
        }
        let is_key = of.system.id == Some(*field);
        let column = if is_key { writer.key(&row) } else { writer.column(&row, *field) };
        test = test.and(Test::when(format!("{column} = {}", dialect.element(&alias, &writer.stored_type(&ty)))));
    }
    let filter = test.and(writer.holds(&plan.visible, &row)?).filter(dialect);
    let found = format!("SELECT {} FROM {}{filter}", writer.key(&row), writer.from(&row));
    let text = format!("SELECT ({found}) FROM {lists} ORDER BY {first}");
    Ok(FindSql { sql: writer.finish(text), key: Cell { column: 0, decode: columns::decode_key(of.key) } })
}

/// Renders the look-up of all records that a condition holds of: a row for each, and one more than the limit at most.
pub fn matching(schema: &Schema, dialect: &dyn Dialect, plan: &Matching) -> Result<FindSql, StoreError> {
    let mut writer = Writer::new(schema, dialect);
    let row = writer.row(plan.collection);
    let filter = writer.holds(&plan.condition, &row)?.filter(dialect);
    let key = writer.key(&row);
    let limit = writer.bind_as(Bind::Limit(plan.limit), &Type::Int);
    let text = format!("SELECT {key} FROM {}{filter} ORDER BY {key} LIMIT {limit}", writer.from(&row));
    let decode = columns::decode_key(schema.collection(plan.collection).key);
    Ok(FindSql { sql: writer.finish(text), key: Cell { column: 0, decode } })
}
