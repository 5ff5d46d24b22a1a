//! JSON that a statement builds: texts put together, without white space, as the top of an answer is written.
use mainstay_schema::json_string;

use super::{numbers::once, times, types::literal};
use crate::sql::Encode;

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

/// The array of an aggregate's rows.
pub(super) fn array(item: &str) -> String {
    format!("('[' || coalesce(string_agg({item}, ','), '') || ']')")
}
