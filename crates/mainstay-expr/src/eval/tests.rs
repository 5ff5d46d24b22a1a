//! What expressions mean for records in memory.
use crate::{
    CallerValues, Value,
    fixture::{Row, anonymous, caller, run, user_key},
    wire::write_text,
};

/// The value of the expression for the record, in its wire form, or the error.
fn check_for(text: &str, row: &Row, caller: &CallerValues, expected: &str) {
    let found = match run(text, row, caller, &[]) {
        Ok(value) => {
            let mut out = String::new();
            write_text(&value, &mut out);
            out
        }
        Err(error) => format!("error: {error:?}"),
    };
    assert_eq!(found, expected, "{text}");
}

fn check(text: &str, expected: &str) {
    check_for(text, &Row::post(), &anonymous(), expected);
}

#[test]
fn comparisons() {
    check("title == 'Crème'", "true");
    check("title < 'Crèmf'", "true");
    check("'Z' < 'a'", "true");
    check("views >= 7 && views != 8", "true");
    check("views < 7.5", "true");
    check("views == 7.0", "true");
    check("price == 12.5", "true");
    check("price > 12", "true");
    check("price == '12.50'", "true");
    check("price > tax", "true");
    check("price < views", "false");
    check("status == 'OPEN'", "true");
    check("status in ['DRAFT', 'DONE']", "false");
    check("created > timestamp('2026-11-20T00:00:00Z')", "true");
    check("created > '2026-11-22T00:00:00Z'", "false");
    check("created > request.time - duration('24h')", "true");
    check("created > request.time - duration('1h')", "false");
    check("category == 'core'", "true");
    check("category.slug == 'core'", "true");
}

fn scored(score: Option<i64>) -> Row {
    Row::default().with("score", score.map_or(Value::Null, Value::Int))
}

#[test]
fn one_of_many() {
    let row = Row::post().list("comments", [Some(1), Some(5), None].map(scored).to_vec());
    let check = |text: &str, expected: &str| check_for(text, &row, &anonymous(), expected);
    check("comments.exists_one(c, c.score == 5)", "true");
    check("comments.exists_one(c, c.score == null)", "true");
    check("comments.exists_one(c, c.score != 9)", "false");
    check("comments.exists_one(c, c.score > 4)", "error: Null");
    check("[1, 2].exists_one(x, x == 2)", "true");
    check("[2, 2].existsOne(x, x == 2)", "false");
    check("[].exists_one(x, true)", "false");
}

#[test]
fn sums_and_the_like() {
    let row = Row::post().list("comments", [2, 5].map(|score| scored(Some(score))).to_vec());
    let check = |text: &str, expected: &str| check_for(text, &row, &anonymous(), expected);
    check("comments.sum(c, c.score)", "7");
    check("comments.sum(c, c.score * 2) == 14", "true");
    check("comments.avg(c, c.score)", "3.5");
    check("comments.min(c, c.score)", "2");
    check("comments.max(c, c.score)", "5");
    check("comments.sum(c, 9223372036854775807) > 1", "error: Overflow");
    check("[9223372036854775807, 1, -2].sum(x, x)", "9223372036854775806");
    check("['b', 'a'].min(x, x)", "a");
    check("[1.5, 2.5].sum(x, x)", "4");
    check("tags.sum(t, 1)", "2");
    let empty = Row::post().list("comments", vec![]);
    check_for("comments.sum(c, c.score)", &empty, &anonymous(), "0");
    check_for("comments.avg(c, c.score)", &empty, &anonymous(), "error: Null");
    check_for("comments.max(c, c.score) > 1 || !published", &empty, &anonymous(), "true");
    let holes = Row::post().list("comments", vec![scored(Some(1)), scored(None)]);
    check_for("comments.sum(c, c.score)", &holes, &anonymous(), "error: Null");
}

#[test]
fn null() {
    check("score == null", "true");
    check("score != null", "false");
    check("score == 5", "false");
    check("score != 5", "true");
    check("score", "null");
    check("score > 5", "error: Null");
    check("score + 1", "error: Null");
    check("size(owner)", "error: Null");
    check("owner.startsWith('a')", "error: Null");
    check("score > 5 && published", "false");
    check("score > 5 || !published", "true");
    check("score > 5 || published", "error: Null");
    check("flag", "null");
    check("!flag", "error: Null");
    check("flag || true", "true");
    check("flag ? 1 : 2", "error: Null");
    check("author == null", "true");
    check("author.name == 'x'", "error: Link");
    check("author.id == null", "error: Link");
    check("has(score) || has(title)", "true");
    check("views == null", "false");
    check("meta == null && day == null", "true");
    check("address == null", "true");
    check("address.city == 'x'", "error: Link");
    check("score in [1, 2]", "false");
}

#[test]
fn arithmetic() {
    check("views + 1 * 2 - 3", "6");
    check("-views / 2", "-3");
    check("-views % 4", "-3");
    check("views / 0", "error: DivisionByZero");
    check("views + 9223372036854775807", "error: Overflow");
    check("(views * 0 - 9223372036854775807 - 1) / -1", "error: Overflow");
    check("-(-9223372036854775807 - views / 7)", "error: Overflow");
    check("1.5 + 2", "3.5");
    check("double(views) * 1e308", "error: Overflow");
    check("double(views) / 0.0", "error: DivisionByZero");
    check("price * 2", "25.00");
    check("price * 1.21", "15.1250");
    check("price + 1", "13.50");
    check("price + tax", "12.625");
    check("price - 0.125", "12.375");
    check("-price", "-12.50");
    check("title + '!'", "Crème!");
    check("request.time - created", "76155s");
    check("created + duration('1h')", "2026-11-21T03:50:45.000000Z");
    check("created + duration('99999999h')", "error: Overflow");
    check("1 / 0 == 1 || true", "true");
    check("1 / 0 == 1 && false", "false");
    check("double(views) / 2.0", "3.5");
    check("int(price)", "12");
    check("int(-1.9)", "-1");
}

#[test]
fn functions() {
    check("size(title)", "5");
    check("size('👍')", "1");
    check("tags.size()", "2");
    check("size(comments)", "0");
    check("title.contains('ème') && title.startsWith('C') && title.endsWith('e')", "true");
    check("title.contains('')", "true");
    check("title.matches('^[A-Z]')", "true");
    check("matches(title, '^b')", "false");
    check("' Äb '.trim().lowerAscii()", "Äb");
    check("'äb'.upperAscii()", "äB");
    check("string(views) + string(price)", "712.50");
    check("int('12')", "12");
    check("int(title)", "error: Text");
    check("double('1.5')", "1.5");
    check("'a' in tags", "true");
    check("tags.exists(t, t == 'b')", "true");
    check("tags.all(t, size(t) == 2)", "false");
    check("[1, 2].exists(x, x > views)", "false");
}

#[test]
fn links_and_embedded_values() {
    let comment = |score| Row::default().with("score", score);
    let row = Row::post()
        .link("author", Row::user(1))
        .with("address", Value::Json(r#"{"city":"Brno"}"#.into()))
        .list("comments", vec![comment(Value::Int(3)), comment(Value::Int(8)), comment(Value::Null)]);
    let check = |text: &str, expected| check_for(text, &row, &caller(&user_key(1)), expected);
    check("author.name", "user1");
    check("author == auth.id", "true");
    check("author.id == auth.id", "true");
    check("isOwn", "true");
    check("author.org.isMember", "error: Link");
    check("address.city == 'Brno' && address.zip == null", "true");
    check("comments.exists(c, c.score > 7)", "true");
    check("comments.exists(c, c.score > 9)", "error: Null");
    check("comments.all(c, c.score > 7)", "false");
    check("comments.all(c, c.score > 2)", "error: Null");
    check("comments.all(c, c.score == null || c.score > 2)", "true");
    check("size(comments) == 3", "true");
    check("auth.claims.plan == 'pro'", "true");
    check("auth.claims.org == 1", "error: Caller");
    check("author in auth.claims.team", "true");
    check("auth.id in [author]", "true");
}

/// Two nulls are equal; an anonymous caller is not null but an error.
#[test]
fn an_anonymous_caller_is_never_equal_to_an_empty_owner() {
    check("owner == null", "true");
    check("owner == auth.id", "error: Caller");
    check("owner != auth.id", "error: Caller");
    check("!(owner == auth.id)", "error: Caller");
    check("author == auth.id", "error: Caller");
    check("auth.id in [owner]", "error: Caller");
    check("auth == null", "true");
    check("auth != null && owner == auth.id", "false");
    check_for("auth == null", &Row::post(), &caller("x"), "false");
    check_for("owner == auth.id", &Row::post(), &caller("x"), "false");
}

/// `NOT EXISTS (… NOT (score > 5))` is true over a null score; `all` is not.
#[test]
fn all_is_not_true_over_a_null() {
    let row = Row::post().list("comments", vec![Row::default()]);
    check_for("comments.all(c, c.score > 5)", &row, &anonymous(), "error: Null");
    check_for("!comments.exists(c, c.score <= 5)", &row, &anonymous(), "error: Null");
    check_for("comments.all(c, c.score == null)", &row, &anonymous(), "true");
    check("comments.all(c, c.score > 5)", "true");
    check("comments.exists(c, c.score > 5)", "false");
}

/// `CASE WHEN NULL` takes the else; a condition that is null takes neither.
#[test]
fn a_ternary_of_null_takes_no_branch() {
    check("flag ? published : true", "error: Null");
    check("score > 5 ? published : true", "error: Null");
    check("(flag ? published : true) || true", "true");
}

/// An id that is no key of the type is equal to no record, and still an error where the other side is one.
#[test]
fn a_foreign_id_is_equal_to_nothing() {
    let row = Row::post().link("author", Row::user(1));
    for (text, expected) in [
        ("author == auth.id", "false"),
        ("author != auth.id", "true"),
        ("!(author == auth.id)", "true"),
        ("auth.id in [author, author]", "false"),
        ("author in [auth.id]", "false"),
        ("author.org == auth.id", "false"),
        ("author.org.members.exists(m, m == auth.id)", "error: Link"),
        ("token == auth.id", "false"),
    ] {
        check_for(text, &row, &caller("not-a-key"), expected);
    }
    check_for("author.org != auth.id", &Row::post(), &caller("not-a-key"), "error: Link");
    check_for("author.id == auth.id", &Row::post(), &caller("not-a-key"), "error: Link");
}

/// The parts of moments, worked out elsewhere: year, month from 0, day, day from 0, weekday from Sunday, day of the year from 0, the
/// clock, milliseconds.
const PARTS: [(&str, [i64; 10]); 10] = [
    ("1969-12-31T23:59:59.999Z", [1969, 11, 31, 30, 3, 364, 23, 59, 59, 999]),
    ("1970-01-01T00:00:00Z", [1970, 0, 1, 0, 4, 0, 0, 0, 0, 0]),
    ("2000-02-29T12:30:45.5Z", [2000, 1, 29, 28, 2, 59, 12, 30, 45, 500]),
    ("2024-02-29T00:00:00Z", [2024, 1, 29, 28, 4, 59, 0, 0, 0, 0]),
    ("2024-12-31T23:59:59.001Z", [2024, 11, 31, 30, 2, 365, 23, 59, 59, 1]),
    ("1900-03-01T01:02:03Z", [1900, 2, 1, 0, 4, 59, 1, 2, 3, 0]),
    ("2100-03-01T05:06:07.089Z", [2100, 2, 1, 0, 1, 59, 5, 6, 7, 89]),
    ("2026-11-21T10:43:05.678Z", [2026, 10, 21, 20, 6, 324, 10, 43, 5, 678]),
    ("0001-01-01T00:00:00Z", [1, 0, 1, 0, 1, 0, 0, 0, 0, 0]),
    ("9999-12-31T23:59:59.999Z", [9999, 11, 31, 30, 5, 364, 23, 59, 59, 999]),
];

#[test]
fn parts_of_moments() {
    let names = [
        "FullYear",
        "Month",
        "Date",
        "DayOfMonth",
        "DayOfWeek",
        "DayOfYear",
        "Hours",
        "Minutes",
        "Seconds",
        "Milliseconds",
    ];
    for (moment, parts) in PARTS {
        for (name, expected) in names.iter().zip(parts) {
            check(&format!("timestamp('{moment}').get{name}()"), &expected.to_string());
        }
    }
    check("duration('90m30s').getMinutes()", "90");
    check("duration('-90m').getHours()", "-1");
    check("duration('26h').getSeconds()", "93600");
}
