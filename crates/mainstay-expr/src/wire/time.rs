//! Moments, days and times of day: RFC 3339 in, fixed width out.
use jiff::civil;

use super::quote;

/// Bytes of a formatted timestamp: `2026-11-21T02:50:45.123456Z`.
pub const TIMESTAMP_LEN: usize = 27;
/// Bytes of a formatted date: `2026-11-21`.
pub const DATE_LEN: usize = 10;
/// Bytes of a formatted time: `02:50:45.123456`.
pub const TIME_LEN: usize = 15;
/// The first moment: `0000-01-01T00:00:00.000000Z`.
pub const TIMESTAMP_MIN: i64 = DATE_MIN as i64 * MICROS_PER_DAY;
/// The last moment: `9999-12-31T23:59:59.999999Z`.
pub const TIMESTAMP_MAX: i64 = (DATE_MAX as i64 + 1) * MICROS_PER_DAY - 1;
/// The first day: `0000-01-01`.
pub const DATE_MIN: i32 = -719_528;
/// The last day: `9999-12-31`.
pub const DATE_MAX: i32 = 2_932_896;
/// The last time of a day: `23:59:59.999999`.
pub const TIME_MAX: i64 = MICROS_PER_DAY - 1;

const MICROS_PER_DAY: i64 = 86_400_000_000;
const MICROS_PER_MINUTE: i64 = 60_000_000;
/// Digits that a fraction of a second may have; those finer than a microsecond are cut off.
const FRACTION_DIGITS_MAX: usize = 9;

/// Microseconds since 1970 from RFC 3339, with an offset or `Z`. A leap second counts as the second before it.
pub fn parse_timestamp(text: &str) -> Result<i64, String> {
    let wrong = || format!("{} is no moment: expected RFC 3339, as in 2026-11-21T02:50:45.123Z", quote(text));
    let bytes = text.as_bytes();
    if bytes.len() < 20 || !matches!(bytes[10], b'T' | b't' | b' ') {
        return Err(wrong());
    }
    let days = date_part(text.get(..10).ok_or_else(wrong)?).ok_or_else(wrong)?;
    let clock_and_offset = text.get(11..).ok_or_else(wrong)?;
    let offset_start = clock_and_offset.find(['Z', 'z', '+', '-']).ok_or_else(wrong)?;
    let (clock, offset) = clock_and_offset.split_at(offset_start);
    let clock = time_part(clock).ok_or_else(wrong)?;
    let offset = offset_part(offset).ok_or_else(wrong)?;
    let micros = i64::from(days) * MICROS_PER_DAY + clock - offset;
    if (TIMESTAMP_MIN..=TIMESTAMP_MAX).contains(&micros) {
        Ok(micros)
    } else {
        Err(format!("{} is outside of the years 0000 to 9999 in UTC", quote(text)))
    }
}

/// Days since 1970 from `2026-11-21`.
pub fn parse_date(text: &str) -> Result<i32, String> {
    date_part(text).ok_or_else(|| format!("{} is no day: expected a form like 2026-11-21", quote(text)))
}

/// Microseconds since midnight from `02:50:45` with an optional fraction.
pub fn parse_time(text: &str) -> Result<i64, String> {
    time_part(text).ok_or_else(|| format!("{} is no time of day: expected a form like 02:50:45.123", quote(text)))
}

/// `2026-11-21T02:50:45.123456Z` in `out`; a moment outside of the years 0000 to 9999 is written as the nearest one inside.
pub fn format_timestamp(micros: i64, out: &mut [u8; TIMESTAMP_LEN]) {
    let micros = micros.clamp(TIMESTAMP_MIN, TIMESTAMP_MAX);
    let days = micros.div_euclid(MICROS_PER_DAY);
    put_date(days, &mut out[..DATE_LEN]);
    out[DATE_LEN] = b'T';
    put_time(micros.rem_euclid(MICROS_PER_DAY), &mut out[DATE_LEN + 1..TIMESTAMP_LEN - 1]);
    out[TIMESTAMP_LEN - 1] = b'Z';
}

/// `2026-11-21` in `out`; a day outside of the years 0000 to 9999 is written as the nearest one inside.
pub fn format_date(days: i32, out: &mut [u8; DATE_LEN]) {
    put_date(i64::from(days.clamp(DATE_MIN, DATE_MAX)), out);
}

/// `02:50:45.123456` in `out`; a time outside of a day is written as the nearest one inside.
pub fn format_time(micros: i64, out: &mut [u8; TIME_LEN]) {
    put_time(micros.clamp(0, TIME_MAX), out);
}

fn date_part(text: &str) -> Option<i32> {
    if text.len() != DATE_LEN || !has_shape(text, "0000-00-00") {
        return None;
    }
    let date: civil::Date = text.parse().ok()?;
    i32::try_from(days_from_civil(date.year().into(), date.month().into(), date.day().into())).ok()
}

fn time_part(text: &str) -> Option<i64> {
    let whole = text.get(..8)?;
    let fraction = &text[8..];
    let digits = fraction.strip_prefix('.').unwrap_or("");
    let fraction_fits = fraction.is_empty() || (1..=FRACTION_DIGITS_MAX).contains(&digits.len());
    if !has_shape(whole, "00:00:00") || !fraction_fits || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // jiff takes the leap second 60 as 59.
    let time: civil::Time = whole.parse().ok()?;
    let seconds = i64::from(time.hour()) * 3_600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    let micros = digits.bytes().chain(std::iter::repeat(b'0')).take(6);
    Some(seconds * 1_000_000 + micros.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

fn offset_part(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, clock) = text.split_at_checked(1)?;
    if !has_shape(clock, "00:00") {
        return None;
    }
    let hours: i64 = clock[..2].parse().ok()?;
    let minutes: i64 = clock[3..].parse().ok()?;
    if hours > 23 || minutes > 59 {
        return None;
    }
    let offset = (hours * 60 + minutes) * MICROS_PER_MINUTE;
    Some(if sign == "-" { -offset } else { offset })
}

/// Whether the text has digits where the shape has `0`, and the same characters elsewhere.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, want)| match want {
            b'0' => byte.is_ascii_digit(),
            _ => byte == want,
        })
}

/// Days since 1970 of a day of the proleptic Gregorian calendar (Hinnant's algorithm).
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The year, month and day of a number of days since 1970 (Hinnant's algorithm).
pub(crate) const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

fn put_date(days: i64, out: &mut [u8]) {
    let (year, month, day) = civil_from_days(days);
    put_digits(year, &mut out[..4]);
    out[4] = b'-';
    put_digits(month, &mut out[5..7]);
    out[7] = b'-';
    put_digits(day, &mut out[8..10]);
}

fn put_time(micros: i64, out: &mut [u8]) {
    let seconds = micros / 1_000_000;
    put_digits(seconds / 3_600, &mut out[..2]);
    out[2] = b':';
    put_digits(seconds / 60 % 60, &mut out[3..5]);
    out[5] = b':';
    put_digits(seconds % 60, &mut out[6..8]);
    out[8] = b'.';
    put_digits(micros % 1_000_000, &mut out[9..15]);
}

fn put_digits(mut number: i64, out: &mut [u8]) {
    for slot in out.iter_mut().rev() {
        *slot = b'0' + (number % 10) as u8;
        number /= 10;
    }
}
