//! Decimals as text, and between scales.
use super::quote;
use crate::value::Decimal;

/// Digits of a decimal, before and behind the point together.
pub const DECIMAL_DIGITS_MAX: u8 = 18;

/// Ten to the power of [`DECIMAL_DIGITS_MAX`]: the units stay below.
const UNITS_END: u64 = 10_u64.pow(DECIMAL_DIGITS_MAX as u32);

/// A decimal with at most `scale` digits behind the point (`12.5`; no exponent, no plus sign).
pub fn parse_decimal(text: &str, scale: u8) -> Result<Decimal, String> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) || digits.ends_with('.') {
        return Err(format!("{} is no decimal number: expected a form like -12.50", quote(text)));
    }
    if fraction.len() > usize::from(scale) {
        return Err(format!("{} has more than {scale} digits behind the point", quote(text)));
    }
    let zeros = std::iter::repeat_n(b'0', usize::from(scale) - fraction.len());
    let mut units: u64 = 0;
    for digit in whole.bytes().chain(fraction.bytes()).chain(zeros) {
        units = units * 10 + u64::from(digit - b'0');
        if units >= UNITS_END {
            return Err(format!("{} has more than {DECIMAL_DIGITS_MAX} digits", quote(text)));
        }
    }
    let units = units.cast_signed();
    Ok(Decimal { units: if negative { -units } else { units }, scale })
}

/// The decimal with exactly its scale's digits behind the point.
pub fn format_decimal(decimal: Decimal) -> String {
    let sign = if decimal.units < 0 { "-" } else { "" };
    let units = decimal.units.unsigned_abs();
    if decimal.scale == 0 {
        return format!("{sign}{units}");
    }
    let width = usize::from(decimal.scale) + 1;
    let digits = format!("{units:0width$}");
    let (whole, fraction) = digits.split_at(digits.len() + 1 - width);
    format!("{sign}{whole}.{fraction}")
}

/// The same number at a scale that is not smaller; `None` when it needs more than [`DECIMAL_DIGITS_MAX`] digits.
pub fn rescale(decimal: Decimal, scale: u8) -> Option<Decimal> {
    let more = scale.checked_sub(decimal.scale)?;
    let units = decimal.units.checked_mul(10_i64.checked_pow(u32::from(more))?)?;
    within(units, scale)
}

/// The units as a decimal, when they have no more than [`DECIMAL_DIGITS_MAX`] digits.
pub(crate) fn within(units: i64, scale: u8) -> Option<Decimal> {
    (units.unsigned_abs() < UNITS_END).then_some(Decimal { units, scale })
}
