//! Decimals in the server's binary form: groups of four digits around the point.
use bytes::{BufMut, BytesMut};
use mainstay_expr::Decimal;

const GROUP: u64 = 10_000;
const GROUP_DIGITS: u32 = 4;
const POSITIVE: u16 = 0;
const NEGATIVE: u16 = 0x4000;

/// Appends a decimal.
pub(super) fn write(value: Decimal, out: &mut BytesMut) {
    let scale = u32::from(value.scale);
    let end = 10_u64.saturating_pow(scale);
    let units = value.units.unsigned_abs();
    let (whole, fraction) = if scale > 18 { (0, units) } else { (units / end, units % end) };
    // The digits behind the point fill whole groups.
    let behind = scale.div_ceil(GROUP_DIGITS);
    let fraction = u128::from(fraction) * 10_u128.pow(behind * GROUP_DIGITS - scale);
    let groups = u128::from(whole) * u128::from(GROUP).pow(behind) + fraction;
    put(groups, behind, value.units < 0, u16::from(value.scale), out);
}

/// Appends a whole number.
pub(super) fn write_int(value: i64, out: &mut BytesMut) {
    put(u128::from(value.unsigned_abs()), 0, value < 0, 0, out);
}

/// Appends the digits of a number whose last `behind` groups stand behind the point.
fn put(mut rest: u128, behind: u32, negative: bool, scale: u16, out: &mut BytesMut) {
    // 38 digits at most.
    let mut groups = [0_u16; 10];
    let mut count = 0;
    while rest > 0 && count < groups.len() {
        groups[count] = (rest % u128::from(GROUP)) as u16;
        rest /= u128::from(GROUP);
        count += 1;
    }
    out.put_u16(count as u16);
    out.put_i16((count as i16) - 1 - (behind as i16));
    out.put_u16(if negative && count > 0 { NEGATIVE } else { POSITIVE });
    out.put_u16(scale);
    groups[..count].iter().rev().for_each(|group| out.put_u16(*group));
}

/// The units of a number at a scale, its further digits cut off; `None` where it is none, or has too many.
pub(super) fn units(bytes: &[u8], scale: u8) -> Option<i64> {
    let field = |at: usize| Some(u16::from_be_bytes(bytes.get(2 * at..2 * at + 2)?.try_into().ok()?));
    let (count, weight, sign) = (usize::from(field(0)?), i32::from(field(1)? as i16), field(2)?);
    if sign != POSITIVE && sign != NEGATIVE {
        return None;
    }
    let mut total = 0_i128;
    for at in 0..count {
        let group = i128::from(field(4 + at)?);
        let power = (weight - at as i32) * GROUP_DIGITS as i32 + i32::from(scale);
        let part = match u32::try_from(power) {
            Ok(power) => group.checked_mul(10_i128.checked_pow(power)?)?,
            Err(_) => 10_i128.checked_pow(power.unsigned_abs()).map_or(0, |divisor| group / divisor),
        };
        total = total.checked_add(part)?;
    }
    i64::try_from(if sign == NEGATIVE { -total } else { total }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_come_back() {
        for units_in in [0, 1, -1, 9, 10_000, -123_456_789, 999_999_999_999_999_999, -999_999_999_999_999_999] {
            for scale in 0..=18 {
                let mut out = BytesMut::new();
                write(Decimal { units: units_in, scale }, &mut out);
                assert_eq!(units(&out, scale), Some(units_in), "{units_in} at {scale}");
            }
        }
        for int in [0, 1, i64::MAX, i64::MIN, 10_000, 99_990_000] {
            let mut out = BytesMut::new();
            write_int(int, &mut out);
            assert_eq!(units(&out, 0), Some(int));
        }
    }
}
