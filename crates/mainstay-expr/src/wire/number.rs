//! Written numbers beside the floats that they become.

/// Whether every float keeps a number that is written like this: fifteen digits and a point fit.
pub fn fits_float(text: &str) -> bool {
    const FITTING_LENGTH: usize = 16;
    text.len() <= FITTING_LENGTH && !text.bytes().any(|byte| matches!(byte, b'e' | b'E'))
}

/// Whether a float is the very number that was written: the digits that it prints are all that stand in the text.
pub fn keeps_digits(text: &str, number: f64) -> bool {
    fits_float(text) || normal(text) == normal(&format!("{number:e}"))
}

/// The digits of a number without zeros at their ends, and the power of ten of the last one; without the sign.
fn normal(text: &str) -> (String, i64) {
    let unsigned = text.trim_start_matches(['-', '+']);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_end_matches('0');
    let power = exponent.parse::<i64>().unwrap_or(0);
    let behind = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
    let zeros = i64::try_from(all.len() - significant.len()).unwrap_or(i64::MAX);
    match significant.trim_start_matches('0') {
        "" => (String::new(), 0),
        digits => (digits.to_owned(), power.saturating_sub(behind).saturating_add(zeros)),
    }
}

#[cfg(test)]
mod tests {
    use super::keeps_digits;

    fn check(text: &str, expected: bool) {
        let number = text.parse().expect("a number");
        assert_eq!(keeps_digits(text, number), expected, "{text}");
    }

    #[test]
    fn a_float_keeps_what_it_prints_again() {
        for text in ["0", "-0.0", "1.5", "1e2", "1.50000000000000000000000", "100000000000000000000000", "0.1", "1E-7"]
        {
            check(text, true);
        }
        for text in ["5e-324", "-1.7976931348623157e308", "0.30000000000000004"] {
            check(text, true);
        }
    }

    #[test]
    fn digits_that_a_float_drops_are_noticed() {
        for text in ["0.99999999999999999999", "1.00000000000000000001", "1234567890123456.78", "9007199254740993.0"] {
            check(text, false);
        }
        for text in
            ["123456789012345678", "-0.1000000000000000055511151231257827", "1.23456789e-320", "0.10000000000000001"]
        {
            check(text, false);
        }
    }
}
