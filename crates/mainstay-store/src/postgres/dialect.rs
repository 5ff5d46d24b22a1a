//! How PostgreSQL writes things.
//!
//! Placeholders say their type, so that a statement means the same wherever they stand. Nothing of ours is in the database: where
//! SQLite is given a function, a guarded expression stands here. The database works out constant parts of a statement early and
//! promises no order but that of CASE, so each guard reads what it guards, and what may fail is never in an aggregate's argument.
use mainstay_expr::{Arith, Function, Reduction, Type, Value};
use mainstay_plan::{Aggregate, TimePart};
use mainstay_schema::{ColumnType, KeyKind};

use crate::sql::{Decode, Dialect, Encode, JsonMember, literal, one_of};

mod json;
mod numbers;
mod times;
mod types;

pub(super) use json::{KEPT, NESTED_MAX, count_anew, counts_nested, too_much};

/// PostgreSQL's dialect.
#[derive(Clone, Copy, Debug, Default)]
pub struct PostgresDialect;

impl Dialect for PostgresDialect {
    fn quote(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    fn placeholder(&self, n: usize) -> String {
        format!("${n}")
    }

    fn typed(&self, value: &str, ty: &Type) -> String {
        let name = types::computed(ty);
        if name == "text" { format!("({value}::text COLLATE \"C\")") } else { format!("{value}::{name}") }
    }

    fn boolean(&self, value: bool) -> &'static str {
        if value { "true" } else { "false" }
    }

    fn is_bool(&self, sql: &str, want: bool) -> String {
        format!("{sql} = {want}")
    }

    fn verdict(&self, condition: &str) -> String {
        format!("({condition}) IS TRUE")
    }

    fn is_not_true(&self, condition: &str) -> String {
        format!("({condition}) IS NOT TRUE")
    }

    fn same(&self, a: &str, b: &str) -> String {
        format!("{a} IS NOT DISTINCT FROM {b}")
    }

    fn differ(&self, a: &str, b: &str) -> String {
        format!("{a} IS DISTINCT FROM {b}")
    }

    fn comparable(&self, (a, a_ty): (String, &Type), (b, b_ty): (String, &Type)) -> (String, String) {
        match (a_ty, b_ty) {
            (Type::Int, Type::Float) => (numbers::numeric(&a), numbers::exact(&b)),
            (Type::Float, Type::Int) => (numbers::exact(&a), numbers::numeric(&b)),
            _ => (a, b),
        }
    }

    fn elements(&self, list: &str, alias: &str) -> String {
        format!("jsonb_array_elements_text({list}) WITH ORDINALITY AS {alias}(value, place)")
    }

    fn element(&self, alias: &str, ty: &Type) -> String {
        from_text(&format!("{alias}.value"), ty)
    }

    fn position(&self, alias: &str) -> String {
        format!("({alias}.place - 1)")
    }

    fn list_size(&self, list: &str) -> String {
        format!("jsonb_array_length({list})")
    }

    fn member(&self, of: &str, name: &str, ty: &Type) -> String {
        let name = literal(name);
        match ty {
            Type::Json | Type::Embedded(_) | Type::List(_) => format!("nullif({of} -> {name}, 'null'::jsonb)"),
            ty => from_text(&format!("({of} ->> {name})"), ty),
        }
    }

    fn call(&self, function: Function, args: &[(String, &Type)]) -> Option<String> {
        match (function, args) {
            // The length of a text is its code points, of bytes their number.
            (Function::Size, [(text, Type::String | Type::Bytes)]) => Some(format!("length({text})")),
            (Function::Contains, [(a, _), (b, _)]) => Some(format!("(strpos({a}, {b}) > 0)")),
            (Function::StartsWith, [(a, _), (b, _)]) => Some(format!("starts_with({a}, {b})")),
            (Function::EndsWith, [(a, _), (b, _)]) => Some(format!("(right({a}, length({b})) = {b})")),
            (Function::Part(part), [(a, ty)]) => times::part(part, a, ty),
            (Function::ToInt, [(a, Type::Int)]) | (Function::ToFloat, [(a, Type::Float)]) => Some(a.clone()),
            (Function::ToInt, [(a, Type::Float)]) => Some(numbers::whole_part(a)),
            (Function::ToInt, [(a, Type::Decimal(_))]) => Some(format!("trunc({a})::bigint")),
            (Function::ToFloat, [(a, Type::Int | Type::Decimal(_))]) => Some(format!("({a})::float8")),
            _ => None,
        }
    }

    fn arith(&self, op: Arith, ty: &Type, (a, a_ty): (&str, &Type), (b, b_ty): (&str, &Type)) -> Option<String> {
        match (ty, a_ty, b_ty) {
            (Type::String, _, _) if op == Arith::Add => Some(format!("({a} || {b})")),
            (Type::Int, _, _) | (Type::Duration, Type::Duration, Type::Duration) => Some(numbers::ints(op, a, b)),
            (Type::Float, _, _) => numbers::floats(op, a, b),
            (Type::Decimal(scale), _, _) => numbers::decimals(op, a, b, *scale),
            (Type::Timestamp, Type::Duration, Type::Timestamp) => Some(times::moved(Arith::Add, b, a)),
            (Type::Timestamp, _, Type::Duration) => Some(times::moved(op, a, b)),
            (Type::Duration, Type::Timestamp, Type::Timestamp) => Some(times::distance(a, b)),
            _ => None,
        }
    }

    fn negate(&self, ty: &Type, a: &str) -> Option<String> {
        match ty {
            Type::Int => Some(numbers::whole(&format!("- {}", numbers::numeric(a)))),
            Type::Float => Some(format!("(0::float8 - {a})")),
            Type::Decimal(_) => Some(format!("(- {a})")),
            _ => None,
        }
    }

    /// What leaves its range fails by itself; what `numeric` has room for is brought to fail.
    fn aggregate(&self, aggregate: Aggregate, value: &str, (encode, decode): (Encode, Decode)) -> String {
        match (aggregate, encode) {
            (Aggregate::Count, _) => format!("count({value})"),
            (Aggregate::CountDistinct, _) => format!("count(DISTINCT {value})"),
            (Aggregate::Sum, Encode::Float) => format!("coalesce(sum({value}), 0)"),
            (Aggregate::Sum, Encode::Decimal(scale)) => {
                let sum = format!("coalesce(sum({value}), 0)");
                format!("({sum} + 0 * ({sum} * 1e{scale})::bigint)")
            }
            (Aggregate::Sum, _) => format!("coalesce(sum({value}), 0)::bigint"),
            // In the steps in which the embedded engine takes a mean, so that it has the same digits.
            (Aggregate::Avg, Encode::Decimal(scale)) => {
                format!("((sum({value}) * 1e{scale})::float8 / nullif(count({value}), 0) / 1e{scale}::float8)")
            }
            (Aggregate::Avg, Encode::Float) => {
                let sum = format!("sum({value})");
                format!("(CASE WHEN abs({sum}) < 1e-290 THEN 0 ELSE {sum} / nullif(count({value}), 0) END)")
            }
            (Aggregate::Avg, _) => format!("(sum({value})::float8 / nullif(count({value}), 0))"),
            (Aggregate::Min, _) if !has_extremes(decode) => first_of(value, ""),
            (Aggregate::Max, _) if !has_extremes(decode) => first_of(value, " DESC"),
            (Aggregate::Min, _) => format!("min({value})"),
            (Aggregate::Max, _) => format!("max({value})"),
        }
    }

    fn reduce(&self, kind: Reduction, value: &str, ty: &Type) -> Option<String> {
        let all = |figure: String| format!("CASE WHEN count(*) = count({value}) THEN {figure} END");
        let sum = match ty {
            Type::Int => Some(numbers::whole(&format!("coalesce(sum({}), 0)", numbers::numeric(value)))),
            Type::Decimal(scale) => Some(numbers::digits(&format!("coalesce(sum({value}), 0)"), *scale)),
            _ => None,
        };
        Some(all(match kind {
            Reduction::Sum => sum?,
            Reduction::Avg => format!("({})::float8 / nullif(count(*), 0)", sum?),
            Reduction::Min => format!("min({value})"),
            Reduction::Max => format!("max({value})"),
        }))
    }

    fn time_part(&self, value: &str, part: TimePart, ty: &Type) -> String {
        times::beginning(value, part, ty)
    }

    /// PostgreSQL's nulls are larger than everything, unless it is told.
    fn order(&self, by: &str, descending: bool, may_be_null: bool) -> String {
        match (descending, may_be_null) {
            (false, false) => by.to_owned(),
            (true, false) => format!("{by} DESC"),
            (false, true) => format!("{by} NULLS FIRST"),
            (true, true) => format!("{by} DESC NULLS LAST"),
        }
    }

    fn json_leaf(&self, column: &str, encode: Encode) -> String {
        json::leaf(column, encode)
    }

    fn json_object(&self, members: &[JsonMember<'_>]) -> String {
        json::object(members)
    }

    fn json_counted(&self, object: &str, _level: usize) -> String {
        json::counted(object)
    }

    fn json_array(&self, item: &str) -> String {
        json::array(item)
    }

    /// Explicit keys are taken one transaction after the other, so that none sets the sequence back.
    fn counts_on(&self, table: &str, key: &str) -> Option<String> {
        let sequence = format!("pg_get_serial_sequence({}, 'id')", literal(&self.quote(table)));
        Some(format!(
            "CASE WHEN pg_advisory_xact_lock(hashtext({sequence}))::text IS NOT NULL AND {key} > \
             coalesce(pg_sequence_last_value({sequence}::regclass), 0) THEN setval({sequence}, {key}) END"
        ))
    }

    fn or_ignore(&self) -> &'static str {
        "ON CONFLICT DO NOTHING"
    }

    fn column(&self, name: &str, ty: &ColumnType, required: bool, enum_values: &[String]) -> String {
        let name = self.quote(name);
        let null = if required { " NOT NULL" } else { "" };
        let check = match ty {
            ColumnType::Enum(_) => one_of(&name, enum_values),
            _ => String::new(),
        };
        format!("{name} {}{null}{check}", types::column(ty))
    }

    fn key_column(&self, name: &str, key: KeyKind) -> String {
        let name = self.quote(name);
        match key {
            KeyKind::Int => format!("{name} bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"),
            KeyKind::Uuid | KeyKind::String => format!("{name} {} PRIMARY KEY", types::key(key)),
        }
    }

    fn key_type(&self, key: KeyKind) -> &'static str {
        types::key(key)
    }

    fn constant(&self, ty: &ColumnType, value: &Value) -> String {
        types::constant(ty, value)
    }

    fn index_column(&self, name: &str, may_be_null: bool) -> String {
        let name = self.quote(name);
        if may_be_null { format!("{name} NULLS FIRST") } else { name }
    }

    fn table_options(&self) -> &'static str {
        ""
    }

    fn join_table_options(&self) -> &'static str {
        ""
    }

    /// Numbers are not given in the order of commits: the transaction comes first.
    fn change_position(&self) -> String {
        "\"xid\" xid8 NOT NULL DEFAULT pg_current_xact_id(), \"seq\" bigint NOT NULL GENERATED ALWAYS AS IDENTITY, \
         PRIMARY KEY (\"xid\", \"seq\")"
            .to_owned()
    }

    fn change_end(&self, _: &str) -> String {
        format!("pg_current_xact_id()::text::bigint, {}", i64::MAX)
    }

    fn real_table(&self, name: &str) -> String {
        self.quote(name)
    }

    fn inlined(&self) -> &'static str {
        "AS NOT MATERIALIZED"
    }

    fn go_on_counting(&self, from: &str, to: &str) -> Vec<String> {
        let sequence = |table: &str| {
            let table = literal(&self.quote(table));
            format!("pg_get_serial_sequence({table}, 'id')")
        };
        let counted = format!("pg_sequence_last_value({}::regclass)", sequence(from));
        vec![format!("SELECT setval({}, {counted}) WHERE {counted} IS NOT NULL", sequence(to))]
    }

    fn rebuilds(&self) -> bool {
        false
    }

    fn stored(&self, sql: &str, ty: &ColumnType) -> String {
        format!("(({sql})::{})", types::column(ty))
    }

    fn counted(&self, name: &str) -> String {
        self.key_column(name, KeyKind::Int)
    }

    fn next_number(&self, table: &str, column: &str) -> Option<String> {
        Some(format!("nextval(pg_get_serial_sequence('{table}', '{column}'))"))
    }

    fn nests_writes(&self) -> bool {
        true
    }

    fn json_key(&self, column: &str) -> String {
        format!("to_json({column})::text")
    }
}

/// Whether the database has `min` and `max` of such values.
fn has_extremes(decode: Decode) -> bool {
    !matches!(decode, Decode::Bool | Decode::Uuid | Decode::Bytes)
}

fn first_of(value: &str, order: &str) -> String {
    format!("(array_agg({value} ORDER BY {value}{order}) FILTER (WHERE {value} IS NOT NULL))[1]")
}

/// A value of JSON, out of it as a text, in the form in which it is computed.
fn from_text(text: &str, ty: &Type) -> String {
    match types::computed(ty) {
        "text" => format!("({text} COLLATE \"C\")"),
        "bytea" => format!("decode({text}, 'base64')"),
        name @ ("timestamptz" | "date") => times::from_text(text, name),
        name => format!("{text}::{name}"),
    }
}
