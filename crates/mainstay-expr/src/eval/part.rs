//! Parts of moments, days, times of day and durations, as CEL counts them, in UTC.
use crate::{tree::TimePart, value::Value, wire::civil_from_days};

const MICROS_PER_DAY: i64 = 86_400_000_000;
const MICROS_PER_HOUR: i64 = 3_600_000_000;
const MICROS_PER_MINUTE: i64 = 60_000_000;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// A part of a value; `None` where the value has no such part.
pub fn time_part(part: TimePart, value: &Value) -> Option<i64> {
    match value {
        Value::Timestamp(micros) => {
            let (days, clock) = (micros.div_euclid(MICROS_PER_DAY), micros.rem_euclid(MICROS_PER_DAY));
            of_day(part, days).or_else(|| of_clock(part, clock))
        }
        Value::Date(days) => of_day(part, i64::from(*days)),
        Value::Time(clock) => of_clock(part, *clock),
        Value::Duration(micros) => of_duration(part, *micros),
        _ => None,
    }
}

fn of_day(part: TimePart, days: i64) -> Option<i64> {
    let (year, month, day) = civil_from_days(days);
    Some(match part {
        TimePart::FullYear => year,
        TimePart::Month => month - 1,
        TimePart::Date => day,
        TimePart::DayOfMonth => day - 1,
        // The first day of 1970 was a Thursday.
        TimePart::DayOfWeek => (days + 4).rem_euclid(7),
        TimePart::DayOfYear => days_before(year, month) + day - 1,
        TimePart::Hours | TimePart::Minutes | TimePart::Seconds | TimePart::Milliseconds => return None,
    })
}

/// The days of a year before a month.
fn days_before(year: i64, month: i64) -> i64 {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let before = usize::try_from(month - 1).ok().and_then(|month| BEFORE.get(month)).copied().unwrap_or(0);
    before + i64::from(is_leap && month > 2)
}

fn of_clock(part: TimePart, clock: i64) -> Option<i64> {
    Some(match part {
        TimePart::Hours => clock / MICROS_PER_HOUR,
        TimePart::Minutes => clock / MICROS_PER_MINUTE % 60,
        TimePart::Seconds => clock / MICROS_PER_SECOND % 60,
        TimePart::Milliseconds => clock / 1_000 % 1_000,
        _ => return None,
    })
}

/// The whole length in a unit.
fn of_duration(part: TimePart, micros: i64) -> Option<i64> {
    Some(match part {
        TimePart::Hours => micros / MICROS_PER_HOUR,
        TimePart::Minutes => micros / MICROS_PER_MINUTE,
        TimePart::Seconds => micros / MICROS_PER_SECOND,
        _ => return None,
    })
}
