//! JSON that a statement builds: texts put together, without white space, as the top of an answer is written.
use mainstay_schema::json_string;

use super::{numbers::once, times, types::literal};
use crate::{StoreError, sql::Encode};

/// What stands around a part that is kept as `jsonb`, whose text has another form: no JSON holds these characters, and whoever
/// reads the answer writes what is between them anew.
pub(in crate::postgres) const KEPT: [u8; 2] = [1, 2];

/// A value inside of JSON; null becomes `null`.
pub(super) fn leaf(value: &str, encode: Encode) -> String {
    let quoted = |text: String| format!("'\"' || {text} || '\"'");
    let text = match encode {
        Encode::Text => format!("to_json({value})::text"),
        Encode::Plain | Encode::Long => quoted(format!("({value})::text")),
        Encode::Timestamp => quoted(times::moment(value)),
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

/// An object.
pub(super) fn object(members: &[(&str, String)]) -> String {
    if members.is_empty() {
        return "'{}'".to_owned();
    }
    let member = |(at, (name, value)): (usize, &(&str, String))| {
        let mut prefix = vec![if at == 0 { b'{' } else { b',' }];
        json_string(&mut prefix, name);
        prefix.push(b':');
        format!("{} || {value}", literal(&String::from_utf8_lossy(&prefix)))
    };
    let members: Vec<String> = members.iter().enumerate().map(member).collect();
    format!("({} || '}}')", members.join(" || "))
}

/// How many records a transaction may still build in lists that multiply, where its session says so.
const RECORDS_LEFT: &str = "mainstay.nested_left";
/// How many bytes of them.
const BYTES_LEFT: &str = "mainstay.nested_bytes_left";
/// The same where no session says it: the default of `answer_nested_max`.
const RECORDS: u64 = 200_000;
/// Four times the default of `answer_bytes_max`, since an inner record is counted again with each one around it. What is answered is
/// measured where it arrives; this bounds what the server holds meanwhile.
const BYTES: u64 = 4 * 32 * 1024 * 1024;
/// What the server fails to read as a number where there are too many records, or bytes.
const TOO_MANY: &str = "mainstay: too many nested records";
const TOO_LARGE: &str = "mainstay: nested records are too large";

/// An object of a list that multiplies. A setting of the transaction counts down: the database has no other memory between rows.
/// Where it passes zero, a text is read as a number that is none; a constant text would be read before the statement runs.
pub(super) fn counted(object: &str) -> String {
    let left = |name: &str, most: u64, less: &str| {
        let present = format!("coalesce(nullif(current_setting('{name}', true), '')::bigint, {most})");
        format!("set_config('{name}', ({present} - {less})::text, true)::bigint >= 0")
    };
    let fail = |what: &str| format!("('{what}' || left(current_setting('{RECORDS_LEFT}', true), 0))::bigint::text");
    let (records, bytes) = (left(RECORDS_LEFT, RECORDS, "1"), left(BYTES_LEFT, BYTES, "octet_length(v.o)"));
    format!(
        "(SELECT CASE WHEN {bytes} THEN v.o ELSE {} END FROM (SELECT CASE WHEN {records} THEN {object} ELSE {} END AS o OFFSET \
         0) AS v)",
        fail(TOO_LARGE),
        fail(TOO_MANY)
    )
}

/// What a statement says that was ended here.
#[expect(dead_code, reason = "sessions ask it of their failures")]
pub(in crate::postgres) fn too_much(message: &str, limit: usize) -> Option<StoreError> {
    if message.contains(TOO_LARGE) {
        return Some(StoreError::AnswerTooLarge);
    }
    message.contains(TOO_MANY).then_some(StoreError::TooManyNested { limit })
}

/// The array of an aggregate's rows.
pub(super) fn array(item: &str) -> String {
    format!("('[' || coalesce(string_agg({item}, ','), '') || ']')")
}
