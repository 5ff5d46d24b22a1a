//! Lengths of time as text: `24h`, `1h30m`, `1.5s`.
use super::quote;

/// The units, longest name first, in nanoseconds.
const UNITS: [(&str, i128); 6] = [
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
];

/// A length of time in microseconds, from numbers with the units `h m s ms us ns`; nothing finer than a microsecond.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    let wrong = || format!("{} is no duration: expected a form like 24h, 1h30m or 1.5s", quote(text));
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut nanos: i128 = 0;
    while !rest.is_empty() {
        let (part, tail) = parse_part(rest).ok_or_else(wrong)?;
        nanos = nanos.checked_add(part).ok_or_else(wrong)?;
        rest = tail;
    }
    if nanos % 1_000 != 0 {
        return Err(format!("{} is finer than a microsecond", quote(text)));
    }
    let micros = if negative { -nanos / 1_000 } else { nanos / 1_000 };
    i64::try_from(micros).map_err(|_| format!("{} is too long a duration", quote(text)))
}

/// A length of time in seconds, with a fraction where there is one: `5400s`, `1.5s`.
pub fn format_duration(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let (seconds, fraction) = (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
    if fraction == 0 {
        return format!("{sign}{seconds}s");
    }
    let fraction = format!("{fraction:06}");
    format!("{sign}{seconds}.{}s", fraction.trim_end_matches('0'))
}

/// One number with its unit, in nanoseconds, and what follows it.
fn parse_part(text: &str) -> Option<(i128, &str)> {
    let number_len = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (number, tail) = text.split_at(number_len);
    let (name, unit) = UNITS.iter().find(|(name, _)| tail.starts_with(name))?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || number.ends_with('.') || number.len() > 20 {
        return None;
    }
    let mut nanos = whole.parse::<i128>().ok()?.checked_mul(*unit)?;
    if !fraction.is_empty() {
        let scaled = fraction.parse::<i128>().ok()?.checked_mul(*unit)?;
        let parts = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        if scaled % parts != 0 {
            return None;
        }
        nanos = nanos.checked_add(scaled / parts)?;
    }
    Some((nanos, &tail[name.len()..]))
}
