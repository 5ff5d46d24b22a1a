//! Moments as the server writes them: in UTC, always with six digits behind the second.

/// Appends the moment so many microseconds after 1970 began.
pub fn write(out: &mut Vec<u8>, micros: u64) {
    let (days, rest) = (micros / 86_400_000_000, micros % 86_400_000_000);
    // Days since 1970 to a date of the Gregorian calendar, counted from 1 March of the year 0.
    let from_march = days + 719_468;
    let (era, day_of_era) = (from_march / 146_097, from_march % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (seconds, micros) = (rest / 1_000_000, rest % 1_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let parts = [(year, 4, b'-'), (month, 2, b'-'), (day, 2, b'T'), (hour, 2, b':'), (minute, 2, b':')];
    for (number, width, after) in parts.into_iter().chain([(second, 2, b'.'), (micros, 6, b'Z')]) {
        digits(out, number, width);
        out.push(after);
    }
}

/// The same as a text.
pub fn text(micros: u64) -> String {
    let mut out = Vec::with_capacity(27);
    write(&mut out, micros);
    String::from_utf8_lossy(&out).into_owned()
}

fn digits(out: &mut Vec<u8>, mut number: u64, width: usize) {
    let start = out.len();
    out.resize(start + width, b'0');
    for place in out[start..].iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_full_width() {
        assert_eq!(text(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(text(951_782_400_000_000), "2000-02-29T00:00:00.000000Z");
        assert_eq!(text(1_700_000_000_120_003), "2023-11-14T22:13:20.120003Z");
        assert_eq!(text(1_735_689_599_999_999), "2024-12-31T23:59:59.999999Z");
    }
}
