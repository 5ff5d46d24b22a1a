//! Arithmetic that never fails: what has no outcome is null.
//!
//! Whole numbers and decimals are computed as `numeric`, which has room for everything, and nulled where they leave their range;
//! floats are asked before they are computed, since `float8` fails where it overflows, and where it underflows to zero.
use mainstay_expr::{Arith, wire};

/// An operand may be written once only, or statements would grow with every level; nothing is moved past `OFFSET 0`.
pub(super) fn once(sql: &str, body: impl Fn(&str) -> String) -> String {
    if is_name(sql) {
        return body(sql);
    }
    format!("(SELECT {} FROM (SELECT {sql} AS x OFFSET 0) AS v)", body("v.x"))
}

/// Two operands, as `v.x` and `v.y`.
pub(super) fn both(a: &str, b: &str, body: &str) -> String {
    format!("(SELECT {body} FROM (SELECT {a} AS x, {b} AS y OFFSET 0) AS v)")
}

/// Whether it may be written again at no cost: a column, a constant, a placeholder.
fn is_name(sql: &str) -> bool {
    sql.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'"' | b'$' | b':' | 0))
}

/// The value, or null where it is not between the two; neither of them is within.
pub(super) fn between(low: &str, value: &str, high: &str) -> String {
    format!("nullif(nullif(greatest(least({value}, {high}), {low}), {high}), {low})")
}

/// Null where a `numeric` is no whole number of 64 bits.
pub(super) fn whole(value: &str) -> String {
    format!("{}::bigint", between("-9223372036854775809", value, "9223372036854775808"))
}

/// Null where a `numeric` has more digits than a decimal of this scale.
pub(super) fn digits(value: &str, scale: u8) -> String {
    let end = format!("1{}", "0".repeat(usize::from(wire::DECIMAL_DIGITS_MAX.saturating_sub(scale))));
    between(&format!("-{end}"), value, &end)
}

/// Arithmetic on whole numbers.
pub(super) fn ints(op: Arith, a: &str, b: &str) -> String {
    let (x, y) = (numeric(a), numeric(b));
    match op {
        Arith::Add | Arith::Sub | Arith::Mul => whole(&format!("{x} {} {y}", op.as_str())),
        Arith::Div => whole(&format!("div({x}, nullif({y}, 0))")),
        // What remains of the smallest number by -1 has no quotient.
        Arith::Rem => both(
            &format!("({a})::bigint"),
            &format!("({b})::bigint"),
            "CASE WHEN v.y <> 0 AND (v.y <> -1 OR v.x > -9223372036854775808) THEN v.x % v.y END",
        ),
    }
}

/// Arithmetic on decimals (or one of them and a whole number), with so many digits behind the point in what comes out.
pub(super) fn decimals(op: Arith, a: &str, b: &str, scale: u8) -> Option<String> {
    match op {
        Arith::Add | Arith::Sub | Arith::Mul => {
            Some(digits(&format!("{} {} {}", numeric(a), op.as_str(), numeric(b)), scale))
        }
        Arith::Div | Arith::Rem => None,
    }
}

pub(super) fn numeric(sql: &str) -> String {
    if is_name(sql) { format!("{sql}::numeric") } else { format!("({sql})::numeric") }
}

/// Arithmetic on floats.
pub(super) fn floats(op: Arith, a: &str, b: &str) -> Option<String> {
    let body = match op {
        Arith::Add | Arith::Sub => sum(op.as_str()),
        Arith::Mul => product(),
        Arith::Div => quotient(),
        Arith::Rem => return None,
    };
    Some(both(&format!("({a})::float8"), &format!("({b})::float8"), &body))
}

/// Two to a power, in digits that read back as exactly that.
fn two_to(power: i32) -> String {
    format!("'{:e}'::float8", 2_f64.powi(power))
}

/// Large ones are added by halves, exactly: the sum is out of range where its half does not lie below 2^1023.
fn sum(op: &str) -> String {
    let half = |of: &str| format!("CASE WHEN abs({of}) < 1e-200 THEN 0 ELSE {of} * 0.5 END");
    format!(
        "CASE WHEN abs(v.x) < 1e300 AND abs(v.y) < 1e300 THEN v.x {op} v.y WHEN abs(({}) {op} ({})) < {} THEN v.x {op} \
         v.y END",
        half("v.x"),
        half("v.y"),
        two_to(1023)
    )
}

/// Far from both ends, logarithms say that the product has an outcome, or none; near them it is computed on another scale first.
fn product() -> String {
    let size = "ln(abs(v.x)) + ln(abs(v.y))";
    let (large, small) = ("greatest(abs(v.x), abs(v.y))", "least(abs(v.x), abs(v.y))");
    let fits = format!("{large} * {} * {small} < {}", two_to(-100), two_to(924));
    let vanishes = format!("{small} * {} * {large} <= {}", two_to(100), two_to(-975));
    near_the_ends("v.x = 0 OR v.y = 0", size, &fits, &vanishes, "v.x * v.y")
}

fn quotient() -> String {
    let fits = format!("abs(v.x) / (abs(v.y) * {}) < {}", two_to(100), two_to(924));
    let vanishes = format!("abs(v.x) * {} / abs(v.y) <= {}", two_to(100), two_to(-975));
    let ratio = near_the_ends("v.x = 0", "ln(abs(v.x)) - ln(abs(v.y))", &fits, &vanishes, "v.x / v.y");
    format!("CASE WHEN v.y <> 0 THEN {ratio} END")
}

/// Nothing of it is computed of null, which `greatest` and `least` would leave out.
fn near_the_ends(zero: &str, size: &str, fits: &str, vanishes: &str, outcome: &str) -> String {
    format!(
        "CASE WHEN {zero} THEN {outcome} + 0 WHEN {size} BETWEEN -700 AND 709 THEN {outcome} WHEN {size} > 711 THEN NULL WHEN \
         {size} > 0 THEN CASE WHEN {fits} THEN {outcome} END WHEN {size} < -746 THEN 0::float8 WHEN {size} < 0 THEN CASE WHEN \
         {vanishes} THEN 0::float8 ELSE {outcome} END END"
    )
}

/// The whole part of a float.
pub(super) fn whole_part(float: &str) -> String {
    once(float, |x| {
        format!("CASE WHEN {x} >= -9223372036854775808 AND {x} < 9223372036854775808 THEN trunc({x})::bigint END")
    })
}

/// A float as a `numeric` that lies on the same side of, or on, every whole number of 64 bits. Its shortest digits say so
/// below 2^53; from there on it is whole itself.
pub(super) fn exact(float: &str) -> String {
    once(float, |x| {
        format!(
            "CASE WHEN {x} < -9223372036854775808 OR {x} >= 9223372036854775808 OR abs({x}) < 9007199254740992 THEN \
             {x}::text::numeric ELSE {x}::bigint::numeric END"
        )
    })
}
