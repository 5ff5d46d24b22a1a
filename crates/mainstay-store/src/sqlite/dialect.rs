//! How SQLite writes things.
//!
//! Ids are TEXT in ordinary rowid tables, measured against BLOB and WITHOUT ROWID (the table stands in ARCHITECTURE.md): a read by
//! id takes 0.3 µs more than with BLOB, but BLOB loses a sixth of each nested answer (71 against 62 µs: `json_object` refuses it), and
//! no shell shows it readably; WITHOUT ROWID is 3 to 14 times slower once rows pass about 1 KiB. A join table, two keys wide, is
//! WITHOUT ROWID.
use mainstay_expr::{Arith, Function, Reduction, Type, Value, wire};
use mainstay_plan::{Aggregate, TimePart};
use mainstay_schema::{ColumnType, KeyKind, Scalar};

use crate::{
    lists,
    sql::{Decode, Dialect, Encode, JsonMember, literal, one_of},
};

/// SQLite's dialect. It calls functions that every connection is given (`functions.rs`).
#[derive(Clone, Copy, Debug, Default)]
pub struct SqliteDialect;

impl Dialect for SqliteDialect {
    fn quote(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    fn placeholder(&self, n: usize) -> String {
        format!("?{n}")
    }

    /// Values say for themselves what they are.
    fn typed(&self, value: &str, _ty: &Type) -> String {
        value.to_owned()
    }

    fn boolean(&self, value: bool) -> &'static str {
        if value { "1" } else { "0" }
    }

    fn is_bool(&self, sql: &str, want: bool) -> String {
        format!("{sql} = {}", self.boolean(want))
    }

    fn verdict(&self, condition: &str) -> String {
        format!("({condition}) IS TRUE")
    }

    fn is_not_true(&self, condition: &str) -> String {
        format!("({condition}) IS NOT TRUE")
    }

    fn same(&self, a: &str, b: &str) -> String {
        format!("{a} IS {b}")
    }

    fn differ(&self, a: &str, b: &str) -> String {
        format!("{a} IS NOT {b}")
    }

    /// SQLite compares whole numbers with floats exactly.
    fn comparable(&self, (a, _): (String, &Type), (b, _): (String, &Type)) -> (String, String) {
        (a, b)
    }

    fn elements(&self, list: &str, alias: &str) -> String {
        format!("json_each({list}) AS {alias}")
    }

    fn element(&self, alias: &str, ty: &Type) -> String {
        from_json(&format!("{alias}.value"), ty)
    }

    fn position(&self, alias: &str) -> String {
        format!("{alias}.key")
    }

    fn list_size(&self, list: &str) -> String {
        format!("json_array_length({list})")
    }

    fn member(&self, of: &str, name: &str, ty: &Type) -> String {
        // Names of members are plain words: they need no quotes inside of a path, and have none in a text.
        from_json(&format!("json_extract({of}, '$.{name}')"), ty)
    }

    fn call(&self, function: Function, args: &[(String, &Type)]) -> Option<String> {
        match (function, args) {
            // The length of a text is its code points, of a blob its bytes.
            (Function::Size, [(text, Type::String | Type::Bytes)]) => Some(format!("length({text})")),
            (Function::Contains, [(a, _), (b, _)]) => Some(format!("(instr({a}, {b}) > 0)")),
            (Function::StartsWith, [(a, _), (b, _)]) => Some(format!("(substr({a}, 1, length({b})) = {b})")),
            // A substring from minus zero on would be the whole text.
            (Function::EndsWith, [(a, _), (b, _)]) => {
                Some(format!("(substr({a}, length({a}) - length({b}) + 1) = {b} AND length({a}) >= length({b}))"))
            }
            (Function::Part(part), [(a, ty)]) => {
                let kind = match ty {
                    Type::Timestamp => 0,
                    Type::Date => 1,
                    Type::Time => 2,
                    _ => 3,
                };
                Some(format!("mainstay_part({a}, {kind}, '{}')", part.as_str()))
            }
            (Function::ToInt, [(a, Type::Int)]) | (Function::ToFloat, [(a, Type::Float)]) => Some(a.clone()),
            (Function::ToInt, [(a, Type::Float)]) => Some(format!("mainstay_int({a})")),
            (Function::ToInt, [(a, Type::Decimal(scale))]) => {
                Some(format!("({a} / {})", 10_i64.pow(u32::from(*scale))))
            }
            (Function::ToFloat, [(a, Type::Int)]) => Some(format!("CAST({a} AS REAL)")),
            (Function::ToFloat, [(a, Type::Decimal(scale))]) => Some(format!("mainstay_ratio({a}, {scale})")),
            _ => None,
        }
    }

    fn arith(&self, op: Arith, ty: &Type, (a, a_ty): (&str, &Type), (b, b_ty): (&str, &Type)) -> Option<String> {
        let name = match op {
            Arith::Add => "add",
            Arith::Sub => "sub",
            Arith::Mul => "mul",
            Arith::Div => "div",
            Arith::Rem => "rem",
        };
        match (ty, a_ty, b_ty) {
            (Type::String, _, _) if op == Arith::Add => Some(format!("({a} || {b})")),
            (Type::Int | Type::Float, _, _) => Some(format!("mainstay_{name}({a}, {b})")),
            (Type::Decimal(_), _, _) => Some(format!("mainstay_digits(mainstay_{name}({a}, {b}))")),
            (Type::Timestamp, Type::Duration, Type::Timestamp) => Some(format!("mainstay_later({b}, {a})")),
            (Type::Timestamp, _, Type::Duration) if op == Arith::Sub => Some(format!("mainstay_earlier({a}, {b})")),
            (Type::Timestamp, _, Type::Duration) => Some(format!("mainstay_later({a}, {b})")),
            (Type::Duration, Type::Timestamp, Type::Timestamp) => Some(format!("mainstay_between({a}, {b})")),
            (Type::Duration, Type::Duration, Type::Duration) => Some(format!("mainstay_{name}({a}, {b})")),
            _ => None,
        }
    }

    fn negate(&self, ty: &Type, a: &str) -> Option<String> {
        matches!(ty, Type::Int | Type::Float | Type::Decimal(_)).then(|| format!("mainstay_neg({a})"))
    }

    /// SQLite's own sum of whole numbers says when it overflows; that of floats becomes infinite.
    fn aggregate(&self, aggregate: Aggregate, value: &str, (encode, _): (Encode, Decode)) -> String {
        match (aggregate, encode) {
            (Aggregate::Count, _) => format!("count({value})"),
            (Aggregate::CountDistinct, _) => format!("count(DISTINCT {value})"),
            (Aggregate::Sum, Encode::Float) => format!("mainstay_finite(total({value}))"),
            (Aggregate::Sum, _) => format!("coalesce(sum({value}), 0)"),
            (Aggregate::Avg, Encode::Decimal(scale)) => format!("(avg({value}) / 1e{scale})"),
            (Aggregate::Avg, Encode::Float) => format!("mainstay_finite(avg({value}))"),
            (Aggregate::Avg, _) => format!("avg({value})"),
            (Aggregate::Min, _) => format!("min({value})"),
            (Aggregate::Max, _) => format!("max({value})"),
        }
    }

    fn reduce(&self, kind: Reduction, value: &str, ty: &Type) -> Option<String> {
        Some(match (kind, ty) {
            (Reduction::Sum, Type::Int) => format!("mainstay_sum({value})"),
            (Reduction::Sum, Type::Decimal(_)) => format!("mainstay_digits(mainstay_sum({value}))"),
            (Reduction::Avg, Type::Int) => format!("(CAST(mainstay_sum({value}) AS REAL) / nullif(count(*), 0))"),
            (Reduction::Avg, Type::Decimal(scale)) => {
                format!("(mainstay_ratio(mainstay_digits(mainstay_sum({value})), {scale}) / nullif(count(*), 0))")
            }
            (Reduction::Min, _) => format!("CASE WHEN count(*) = count({value}) THEN min({value}) END"),
            (Reduction::Max, _) => format!("CASE WHEN count(*) = count({value}) THEN max({value}) END"),
            (Reduction::Sum | Reduction::Avg, _) => return None,
        })
    }

    /// Moments and days are texts of fixed width.
    fn time_part(&self, value: &str, part: TimePart, _ty: &Type) -> String {
        let length = match part {
            TimePart::Year => 4,
            TimePart::Month => 7,
            TimePart::Day => 10,
            TimePart::Hour => 13,
        };
        format!("substr({value}, 1, {length})")
    }

    /// SQLite's nulls are smaller than everything.
    fn order(&self, by: &str, descending: bool, _may_be_null: bool) -> String {
        if descending { format!("{by} DESC") } else { by.to_owned() }
    }

    fn json_leaf(&self, column: &str, encode: Encode) -> String {
        match encode {
            Encode::Text | Encode::Plain | Encode::Timestamp | Encode::Date | Encode::Time | Encode::Int => {
                column.to_owned()
            }
            Encode::Long => format!("CAST({column} AS TEXT)"),
            Encode::Float => format!("mainstay_float({column})"),
            Encode::Bool => format!("mainstay_bool({column})"),
            Encode::Decimal(scale) => format!("mainstay_decimal({column}, {scale})"),
            Encode::Base64 => format!("mainstay_base64({column})"),
            Encode::Json | Encode::Built(_) => format!("json({column})"),
        }
    }

    fn json_object(&self, members: &[JsonMember<'_>]) -> String {
        let member = |member: &JsonMember<'_>| {
            format!("{}, {}", literal(member.name), self.json_leaf(&member.value, member.encode))
        };
        let members: Vec<String> = members.iter().map(member).collect();
        format!("json_object({})", members.join(", "))
    }

    fn json_counted(&self, object: &str, level: usize) -> String {
        format!("mainstay_nested({object}, {level})")
    }

    fn json_array(&self, item: &str) -> String {
        format!("json_group_array({item})")
    }

    /// SQLite does so by itself.
    fn counts_on(&self, _table: &str, _key: &str) -> Option<String> {
        None
    }

    fn or_ignore(&self) -> &'static str {
        "ON CONFLICT DO NOTHING"
    }

    fn column(&self, name: &str, ty: &ColumnType, required: bool, enum_values: &[String]) -> String {
        let name = self.quote(name);
        let null = if required { " NOT NULL" } else { "" };
        let check = match ty {
            ColumnType::Scalar(Scalar::Boolean) => format!(" CHECK ({name} IN (0, 1))"),
            ColumnType::Enum(_) => one_of(&name, enum_values),
            _ => String::new(),
        };
        format!("{name} {}{null}{check}", column_type(ty))
    }

    fn key_column(&self, name: &str, key: KeyKind) -> String {
        let name = self.quote(name);
        match key {
            // Counted keys are never given twice, not even after a delete.
            KeyKind::Int => format!("{name} INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL"),
            KeyKind::Uuid | KeyKind::String => format!("{name} TEXT PRIMARY KEY NOT NULL"),
        }
    }

    fn key_type(&self, key: KeyKind) -> &'static str {
        match key {
            KeyKind::Int => "INTEGER",
            KeyKind::Uuid | KeyKind::String => "TEXT",
        }
    }

    fn constant(&self, ty: &ColumnType, value: &Value) -> String {
        match value {
            Value::Null => "NULL".to_owned(),
            Value::Bool(value) => self.boolean(*value).to_owned(),
            Value::Int(value) | Value::Duration(value) => value.to_string(),
            // In the form that says REAL, exactly.
            Value::Float(value) => format!("{value:e}"),
            Value::Decimal(value) => value.units.to_string(),
            Value::Bytes(bytes) => format!("x'{}'", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
            Value::List(_) => literal(&lists::kept_in(ty, value)),
            value => {
                let mut text = String::new();
                wire::write_text(value, &mut text);
                literal(&text)
            }
        }
    }

    fn index_column(&self, name: &str, _may_be_null: bool) -> String {
        self.quote(name)
    }

    fn table_options(&self) -> &'static str {
        " STRICT"
    }

    fn join_table_options(&self) -> &'static str {
        " STRICT, WITHOUT ROWID"
    }

    fn change_position(&self) -> String {
        "\"seq\" INTEGER NOT NULL PRIMARY KEY".to_owned()
    }

    fn change_end(&self, changes: &str) -> String {
        format!("0, coalesce(max(\"seq\"), 0) FROM {changes}")
    }

    fn change_of_nothing(&self) -> Option<String> {
        Some("INSERT INTO mainstay_changes (collection, record, op, time) VALUES ('', '', 3, 0)".to_owned())
    }

    fn real_table(&self, name: &str) -> String {
        format!("main.{}", self.quote(name))
    }

    fn inlined(&self) -> &'static str {
        "AS NOT MATERIALIZED"
    }

    fn go_on_counting(&self, from: &str, to: &str) -> Vec<String> {
        let (from, to) = (literal(from), literal(to));
        vec![
            format!("DELETE FROM sqlite_sequence WHERE name = {to}"),
            format!("INSERT INTO sqlite_sequence(name, seq) SELECT {to}, seq FROM sqlite_sequence WHERE name = {from}"),
        ]
    }

    fn rebuilds(&self) -> bool {
        true
    }
}

/// A value of JSON (already out of it) in the stored form of its type.
fn from_json(value: &str, ty: &Type) -> String {
    match ty {
        Type::Int => format!("CAST({value} AS INTEGER)"),
        Type::Float => format!("CAST({value} AS REAL)"),
        // All its digits stand there: without the point they are the units.
        Type::Decimal(_) => format!("CAST(replace({value}, '.', '') AS INTEGER)"),
        Type::Bytes => format!("mainstay_bytes({value})"),
        _ => value.to_owned(),
    }
}

fn column_type(ty: &ColumnType) -> &'static str {
    match ty {
        ColumnType::Key(key) => SqliteDialect.key_type(*key),
        ColumnType::Enum(_) | ColumnType::List(_) | ColumnType::Embedded(_) => "TEXT",
        ColumnType::Scalar(scalar) => match scalar {
            Scalar::Int | Scalar::Long | Scalar::Decimal { .. } | Scalar::Boolean => "INTEGER",
            Scalar::Float => "REAL",
            Scalar::Bytes => "BLOB",
            _ => "TEXT",
        },
    }
}

#[cfg(test)]
mod tests;
