//! Each kind of value through its text and back.
use proptest::prelude::*;

use super::*;
use crate::types::EnumType;
use crate::value::Decimal;

/// The wire form of a parsed text, or `!`.
fn check(ty: &Type, text: &str, expected: &str) {
    let found = match parse_text(ty, text) {
        Ok(value) => {
            let mut out = String::new();
            write_text(&value, &mut out);
            out
        }
        Err(_) => "!".to_owned(),
    };
    assert_eq!(found, expected, "{text:?} as {ty:?}");
}

#[test]
fn timestamps_are_utc_microseconds_of_fixed_width() {
    let ty = Type::Timestamp;
    check(&ty, "2026-11-21T02:50:45Z", "2026-11-21T02:50:45.000000Z");
    check(&ty, "2026-11-21t02:50:45.1234567z", "2026-11-21T02:50:45.123456Z");
    check(&ty, "2026-11-21T02:50:45.5+02:30", "2026-11-21T00:20:45.500000Z");
    check(&ty, "1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z");
    check(&ty, "2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000000Z");
    check(&ty, "2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z");
    check(&ty, "0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000000Z");
    check(&ty, "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z");
}

#[test]
fn timestamps_that_are_none() {
    for text in [
        "",
        "2026-11-21",
        "2026-11-21T02:50:45",
        "2026-11-21T02:50Z",
        "2026-02-29T00:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T02:50:45.Z",
        "2026-11-21T02:50:45.1234567890Z",
        "2026-11-21T02:50:45+2:00",
        "2026-11-21T02:50:45+24:00",
        "2026-11-21T02:50:45Z ",
        "0000-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "10000-01-01T00:00:00Z",
        "-001-01-01T00:00:00Z",
        "2026-11-2éT02:50:45Z",
    ] {
        check(&Type::Timestamp, text, "!");
    }
}

#[test]
fn dates_and_times() {
    check(&Type::Date, "2026-11-21", "2026-11-21");
    check(&Type::Date, "0000-01-01", "0000-01-01");
    check(&Type::Date, "9999-12-31", "9999-12-31");
    check(&Type::Date, "2026-13-01", "!");
    check(&Type::Date, "2026-1-01", "!");
    check(&Type::Time, "02:50:45", "02:50:45.000000");
    check(&Type::Time, "23:59:59.9999999", "23:59:59.999999");
    check(&Type::Time, "24:00:00", "!");
    check(&Type::Time, "02:50", "!");
    assert_eq!(parse_date("0000-01-01"), Ok(DATE_MIN));
    assert_eq!(parse_date("9999-12-31"), Ok(DATE_MAX));
    assert_eq!(parse_date("1970-01-01"), Ok(0));
}

#[test]
fn numbers_have_one_text() {
    check(&Type::Int, "-9223372036854775808", "-9223372036854775808");
    check(&Type::Int, "0", "0");
    for text in ["-0", "+1", "01", "1.0", "9223372036854775808", " 1", ""] {
        check(&Type::Int, text, "!");
    }
    check(&Type::Float, "1e3", "1000");
    check(&Type::Float, "-0", "0");
    for text in ["inf", "NaN", "1e999", "x"] {
        check(&Type::Float, text, "!");
    }
}

#[test]
fn decimals_keep_their_scale() {
    let ty = Type::Decimal(2);
    check(&ty, "12.5", "12.50");
    check(&ty, "-0.05", "-0.05");
    check(&ty, "0", "0.00");
    check(&ty, "-0", "0.00");
    check(&ty, "9999999999999999.99", "9999999999999999.99");
    for text in ["10000000000000000", "1.234", "1.", ".5", "1e2", "+1", "", "-", "1.2.3", "٣"] {
        check(&ty, text, "!");
    }
    check(&Type::Decimal(0), "12", "12");
    check(&Type::Decimal(0), "12.0", "!");
    check(&Type::Decimal(18), "0.000000000000000001", "0.000000000000000001");
    check(&Type::Decimal(18), "1", "!");
    assert_eq!(rescale(Decimal { units: 15, scale: 1 }, 3), Some(Decimal { units: 1500, scale: 3 }));
    assert_eq!(rescale(Decimal { units: 15, scale: 1 }, 18), None);
}

#[test]
fn durations() {
    for (text, micros) in [
        ("24h", 86_400_000_000),
        ("1h30m", 5_400_000_000),
        ("1.5s", 1_500_000),
        ("-2ms", -2_000),
        ("7us", 7),
        ("2000ns", 2),
        ("0s", 0),
    ] {
        assert_eq!(parse_duration(text), Ok(micros), "{text}");
        assert_eq!(parse_duration(&format_duration(micros)), Ok(micros), "{text}");
    }
    for text in ["", "-", "5", "1d", "1.s", ".5s", "1ns", "1.0000001s", "99999999999999999999h", "1h 30m"] {
        assert!(parse_duration(text).is_err(), "{text}");
    }
}

#[test]
fn everything_else() {
    check(&Type::Bool, "true", "true");
    check(&Type::Bool, "True", "!");
    check(&Type::String, "a\0b", "!");
    check(&Type::String, "", "");
    check(&Type::Enum(EnumType(0)), "OPEN", "OPEN");
    let uuid = "019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f";
    check(&Type::Uuid, uuid, uuid);
    check(&Type::Uuid, &uuid.to_uppercase(), uuid);
    check(&Type::Uuid, &uuid.replace('-', ""), "!");
    check(&Type::Uuid, &format!("urn:uuid:{uuid}"), "!");
    check(&Type::Bytes, "AAE=", "AAE=");
    check(&Type::Bytes, "AAE", "!");
    let list = |ty| Type::List(Box::new(ty));
    check(&list(Type::String), r#"["a","b\"c"]"#, r#"["a","b\"c"]"#);
    check(&list(Type::Int), r#"[1,"2"]"#, "[1,2]");
    check(&list(Type::Int), "[1.5]", "!");
    check(&list(Type::Decimal(1)), r#"["1"]"#, r#"["1.0"]"#);
    check(&list(Type::String), "[1]", "!");
    check(&list(Type::String), "[null]", "!");
    check(&list(Type::String), "a,b", "!");
    check(&list(list(Type::String)), "[[]]", "!");
    check(&Type::Json, "{}", "!");
}

proptest! {
    #[test]
    fn every_moment_comes_back(micros in TIMESTAMP_MIN..=TIMESTAMP_MAX) {
        let mut out = [0; TIMESTAMP_LEN];
        format_timestamp(micros, &mut out);
        let text = std::str::from_utf8(&out).expect("ASCII");
        prop_assert_eq!(parse_timestamp(text), Ok(micros));
    }

    #[test]
    fn any_text_is_refused_or_comes_back(text in "\\PC{0,30}|[-+0-9T:.Z]{0,30}") {
        let types = [Type::Int, Type::Float, Type::Decimal(3), Type::Timestamp, Type::Date, Type::Time, Type::Duration];
        for ty in types {
            if let Ok(value) = parse_text(&ty, &text) {
                let mut out = String::new();
                write_text(&value, &mut out);
                prop_assert_eq!(parse_text(&ty, &out), Ok(value));
            }
        }
    }
}
