//! JSON that a statement builds: texts put together, without white space, as the top of an answer is written.
use mainstay_schema::json_string;

use super::{numbers::once, times};
use crate::{
    StoreError,
    sql::{Encode, JsonMember, Sql, literal},
};

/// What stands around a part that is kept as `jsonb`, whose text has another form: no JSON holds these characters, and whoever
/// reads the answer writes what is between them anew.
pub(in crate::postgres) const KEPT: [u8; 2] = [1, 2];

/// A value inside of JSON; null becomes `null`.
pub(super) fn leaf(value: &str, encode: Encode) -> String {
    // Without a type, no function takes it.
    if value == "NULL" {
        return "'null'".to_owned();
    }
    let quoted = |text: String| format!("'\"' || {text} || '\"'");
    let text = match encode {
        Encode::Text => format!("to_json({value})::text"),
        Encode::Plain | Encode::Long => quoted(format!("({value})::text")),
        Encode::Timestamp => times::moment(value),
        Encode::Date => quoted(times::day(value)),
        Encode::Time => quoted(times::clock(value)),
        Encode::Int | Encode::Bool => format!("({value})::text"),
        Encode::Float => once(value, float),
        Encode::Decimal(scale) => quoted(format!("round({value}, {scale})::text")),
        Encode::Base64 => quoted(format!("translate(encode({value}, 'base64'), E'\\n', '')")),
        Encode::Json => format!("chr({}) || ({value})::text || chr({})", KEPT[0], KEPT[1]),
        Encode::Built(_) => value.to_owned(),
    };
    format!("coalesce({text}, 'null')")
}

/// The database writes the same shortest digits, but begins to write powers of ten elsewhere, and no point behind whole numbers.
fn float(x: &str) -> String {
    let (size, text) = (format!("abs({x})"), format!("{x}::text"));
    let plain = format!("{text}::numeric::text");
    format!(
        "CASE WHEN {x} = 0 THEN CASE WHEN {text} = '0' THEN '0.0' ELSE '-0.0' END WHEN {size} < 1e-5 OR {size} >= 1e16 THEN \
         replace(replace({text}, 'e+', 'e'), 'e-0', 'e-') WHEN {size} < 1e15 AND {size} >= 1e-4 AND {x} <> trunc({x}) THEN {text} \
         WHEN {x} = trunc({x}) THEN {plain} || '.0' ELSE {plain} END"
    )
}

/// An object. One call puts many members together: each operator is made ready with every execution, which took most of the time.
pub(super) fn object(members: &[JsonMember<'_>]) -> String {
    if members.is_empty() {
        return "'{}'".to_owned();
    }
    let last = members.len().div_ceil(MEMBERS_MAX) - 1;
    let parts = members.chunks(MEMBERS_MAX).enumerate().map(|(at, part)| object_part(part, at == 0, at == last));
    format!("({})", parts.collect::<Vec<_>>().join(" || "))
}

/// The most members of one call: a function has a hundred arguments, and the form is one of them.
const MEMBERS_MAX: usize = 99;

fn object_part(members: &[JsonMember<'_>], is_first: bool, is_last: bool) -> String {
    let (mut form, mut values) = (Vec::new(), Vec::with_capacity(members.len()));
    for (at, one) in members.iter().enumerate() {
        form.push(if at == 0 && is_first { b'{' } else { b',' });
        json_string(&mut form, &one.name.replace('%', "%%"));
        let (place, value) = member(one);
        form.extend_from_slice(place.as_bytes());
        values.push(value);
    }
    form.extend_from_slice(if is_last { b"}" } else { b"" });
    format!("format({}, {})", literal(&String::from_utf8_lossy(&form)), values.join(", "))
}

/// The place of a value in the form, and the value, which the form writes as text whatever its type.
fn member(one: &JsonMember<'_>) -> (&'static str, String) {
    let value = &one.value;
    match one.encode {
        Encode::Plain | Encode::Long if one.is_system => (":\"%s\"", value.clone()),
        Encode::Int if one.is_system => (":%s", value.clone()),
        Encode::Timestamp if one.is_system => (":%s", times::moment(value)),
        Encode::Text if value != "NULL" => (":%s", format!("coalesce(to_json({value}), 'null')")),
        encode => (":%s", leaf(value, encode)),
    }
}

/// The setting of a session that says how many records one transaction may build in lists that multiply.
pub(in crate::postgres) const NESTED_MAX: &str = "mainstay.nested_max";
/// The same where no session says it: the default of `answer_nested_max`.
const RECORDS_MAX: u64 = 200_000;
/// Four times the default of `answer_bytes_max`, since an inner record is counted again with each one around it. What is answered is
/// measured where it arrives; this bounds what the server holds meanwhile.
const BYTES_MAX: u64 = 4 * 32 * 1024 * 1024;
/// What the server fails to read as a number where there are too many records, or bytes.
const TOO_MANY: &str = "mainstay: more nested records than ";
const TOO_LARGE: &str = "mainstay: more bytes of nested records than ";

/// What the settings are called that count.
const RECORDS: &str = "mainstay.nested";
const BYTES: &str = "mainstay.nested_bytes";

/// Has the next statement of a transaction count from the beginning: a limit is that of one read.
pub(in crate::postgres) fn count_anew() -> String {
    format!("SET LOCAL {RECORDS} = 0; SET LOCAL {BYTES} = 0")
}

/// Whether a statement counts.
pub(in crate::postgres) fn counts_nested(sql: &Sql) -> bool {
    sql.text.contains(BYTES)
}

/// An object of a list that multiplies. Settings of the transaction count: the database has no other memory between rows. Past the
/// limit a text is read as a number that is none; a constant text would be read before the statement runs.
pub(super) fn counted(object: &str) -> String {
    let setting = |name: &str, other: u64| format!("coalesce(nullif(current_setting('{name}', true), ''), '{other}')");
    let count = |name: &str, more: &str| {
        format!("set_config('{name}', ({}::bigint + {more})::text, true)::bigint", setting(name, 0))
    };
    let most = setting(NESTED_MAX, RECORDS_MAX);
    let (records, bytes) = (count(RECORDS, "1"), count(BYTES, "octet_length(v.o)"));
    let limited =
        format!("CASE WHEN {records} <= {most}::bigint THEN {object} ELSE ('{TOO_MANY}' || {most})::bigint::text END");
    format!(
        "(SELECT CASE WHEN {bytes} <= {BYTES_MAX} THEN v.o ELSE ('{TOO_LARGE}' || octet_length(v.o))::bigint::text END FROM \
         (SELECT {limited} AS o OFFSET 0) AS v)"
    )
}

/// What a statement says that was ended here.
pub(in crate::postgres) fn too_much(message: &str) -> Option<StoreError> {
    if message.contains(TOO_LARGE) {
        return Some(StoreError::AnswerTooLarge);
    }
    let (_, limit) = message.split_once(TOO_MANY)?;
    let limit = limit.trim_end_matches('"').parse().ok()?;
    Some(StoreError::TooManyNested { limit })
}

/// The array of an aggregate's rows.
pub(super) fn array(item: &str) -> String {
    format!("('[' || coalesce(string_agg({item}, ','), '') || ']')")
}
