//! How long something is kept, as text: `7d`, `12h`, `90m`, `30s`, `2w`.

/// The units with their seconds.
const UNITS: [(char, u64); 5] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400), ('w', 604_800)];

/// The longest time: more than anybody keeps, and so short that no moment leaves its range.
const SECONDS_MAX: u64 = 100 * 365 * 86_400;

/// So many seconds, at least one: a whole number with its unit.
pub fn parse_keep(text: &str) -> Result<u64, String> {
    let parts = text.chars().next_back().and_then(|unit| {
        let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
        Some((text.strip_suffix(unit)?, *seconds))
    });
    let digits = parts.filter(|(number, _)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
    let seconds = digits.and_then(|(number, unit)| number.parse::<u64>().ok()?.checked_mul(unit));
    match seconds {
        Some(seconds) if (1..=SECONDS_MAX).contains(&seconds) => Ok(seconds),
        Some(0) => Err(format!("{text:?} keeps nothing")),
        Some(_) => Err(format!("{text:?} is longer than 100 years")),
        None => Err(format!("{text:?} is no time to keep: expected a form like 7d, 12h, 90m or 30s")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_keep_has_a_number_and_a_unit() {
        for (text, seconds) in [("7d", 604_800), ("12h", 43_200), ("90m", 5_400), ("1s", 1), ("2w", 1_209_600)] {
            assert_eq!(parse_keep(text), Ok(seconds), "{text}");
        }
        for wrong in
            ["", "7", "d", "-1d", "1.5d", "7 d", "7days", "+7d", "7é", "0d", "99999999999999999999d", "101w1", "5300w"]
        {
            assert!(parse_keep(wrong).is_err(), "{wrong:?}");
        }
    }
}
