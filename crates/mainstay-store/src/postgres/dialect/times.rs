//! Moments, days, times of day and durations (microseconds), all in UTC whatever the session's zone is.
use mainstay_expr::{Arith, TimePart, Type, wire};
use mainstay_plan::TimePart as Beginning;

use super::numbers;

/// A moment some microseconds later or earlier; null outside of the years 0000 to 9999. Days and the rest are added apart: an
/// interval is multiplied as a float.
pub(super) fn moved(op: Arith, moment: &str, micros: &str) -> String {
    let op = op.as_str();
    let body = format!(
        "CASE WHEN extract(epoch FROM v.x) * 1000000 {op} v.y BETWEEN {} AND {} THEN ((v.x AT TIME ZONE 'UTC') {op} \
         make_interval(days => (v.y / 86400000000)::integer) {op} (v.y % 86400000000) * interval '1 microsecond') AT TIME \
         ZONE 'UTC' END",
        wire::TIMESTAMP_MIN,
        wire::TIMESTAMP_MAX
    );
    numbers::both(moment, &format!("({micros})::bigint"), &body)
}

/// The microseconds from one moment to the other.
pub(super) fn distance(a: &str, b: &str) -> String {
    format!("((extract(epoch FROM {a}) - extract(epoch FROM {b})) * 1000000)::bigint")
}

/// A part of a value.
pub(super) fn part(part: TimePart, value: &str, ty: &Type) -> Option<String> {
    if *ty == Type::Duration {
        let micros: u64 = match part {
            TimePart::Hours => 3_600_000_000,
            TimePart::Minutes => 60_000_000,
            TimePart::Seconds => 1_000_000,
            _ => return None,
        };
        return Some(format!("(({value})::bigint / {micros})"));
    }
    let at = match ty {
        Type::Timestamp => format!("({value} AT TIME ZONE 'UTC')"),
        _ => value.to_owned(),
    };
    let of = |name: &str, less: u8| match less {
        0 => format!("trunc(extract({name} FROM {at}))::bigint"),
        less => format!("(extract({name} FROM {at})::bigint - {less})"),
    };
    Some(match part {
        // There is no year 0000 there: 400 years, a whole round of the calendar, lead away from it.
        TimePart::FullYear => format!("(extract(year FROM {at} + interval '400 years')::bigint - 400)"),
        TimePart::Month => of("month", 1),
        TimePart::Date => of("day", 0),
        TimePart::DayOfMonth => of("day", 1),
        TimePart::DayOfWeek => of("dow", 0),
        TimePart::DayOfYear => of("doy", 1),
        TimePart::Hours => of("hour", 0),
        TimePart::Minutes => of("minute", 0),
        TimePart::Seconds => of("second", 0),
        TimePart::Milliseconds => format!("({} % 1000)", of("milliseconds", 0)),
    })
}

/// The beginning of a moment's or a day's text.
pub(super) fn beginning(value: &str, part: Beginning, ty: &Type) -> String {
    let form = match part {
        Beginning::Year => "",
        Beginning::Month => "-MM",
        Beginning::Day => "-MM-DD",
        Beginning::Hour => "-MM-DD\"T\"HH24",
    };
    let text = numbers::once(value, |x| match ty {
        Type::Date => in_year(x, FIRST_DAY, &format!("{x}::timestamp"), form),
        _ => in_year(x, FIRST_MOMENT, &format!("{x} AT TIME ZONE 'UTC'"), form),
    });
    format!("({text} COLLATE \"C\")")
}

/// Where the year 0001 begins.
const FIRST_DAY: &str = "date '0001-01-01'";
const FIRST_MOMENT: &str = "timestamptz '0001-01-01 00:00:00+00'";

/// A moment on the wire, in quotes.
pub(super) fn moment(value: &str) -> String {
    let form = |year: &str| format!(r#"'\"{year}-MM-DD"T"HH24:MI:SS.US"Z"\"'"#);
    numbers::once(value, |x| {
        let (after, before) = (form("YYYY"), form(r#""0000""#));
        format!("to_char({x} AT TIME ZONE 'UTC', CASE WHEN {x} >= {FIRST_MOMENT} THEN {after} ELSE {before} END)")
    })
}

/// The text of a day on the wire.
pub(super) fn day(value: &str) -> String {
    numbers::once(value, |x| in_year(x, FIRST_DAY, &format!("{x}::timestamp"), "-MM-DD"))
}

/// The text of a time of day on the wire.
pub(super) fn clock(value: &str) -> String {
    format!("to_char({value}, 'HH24:MI:SS.US')")
}

/// A text of a day, where the year before 0001 is 0000.
fn in_year(value: &str, first: &str, at: &str, form: &str) -> String {
    let zero = match form {
        "" => format!("CASE WHEN {value} IS NOT NULL THEN '0000' END"),
        form => format!("'0000' || to_char({at}, '{form}')"),
    };
    format!("CASE WHEN {value} >= {first} THEN to_char({at}, 'YYYY{form}') ELSE {zero} END")
}

/// A moment or a day from its text on the wire.
pub(super) fn from_text(text: &str, ty: &str) -> String {
    numbers::once(text, |x| {
        format!("CASE WHEN {x} LIKE '0000%' THEN ('0001' || substr({x}, 5) || ' BC')::{ty} ELSE {x}::{ty} END")
    })
}
