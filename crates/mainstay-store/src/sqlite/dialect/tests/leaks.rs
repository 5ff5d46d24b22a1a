//! Three-valued SQL must not leak: each way that it could has its test.
use mainstay_expr::Value;
use mainstay_schema::Schema;

use super::{Database, post};
use crate::sql::tests::fixture::{Plans, caller, schema};

/// Posts `five` and `nine` with these scores, `none` without one, and what hangs on them.
fn database(schema: &Schema) -> Database<'_> {
    let database = Database::new(schema);
    let text = |text: &str| Value::text(text);
    database.insert("Org", &[("id", text("org")), ("name", text("o"))]);
    database.insert("Member", &[("id", text("m1")), ("org", text("org")), ("user", text("anna")), ("role", text("x"))]);
    database.insert("Member", &[("id", text("m2")), ("org", text("org")), ("user", text("ben"))]);
    for (title, score) in [("five", Value::Int(5)), ("nine", Value::Int(9)), ("none", Value::Null)] {
        let mut fields = post(title);
        fields.push(("score", score));
        database.insert("Post", &fields);
    }
    database
}

/// The posts that a condition is true of, and those that it is false of.
fn check(text: &str, is_true: &[&str], is_false: &[&str]) {
    let schema = schema();
    let database = database(&schema);
    let mut plans = Plans::new(&schema);
    let condition = plans.condition("Post", text);
    assert_eq!(database.titles(&mut plans, condition), is_true, "{text}");
    let mut plans = Plans::new(&schema);
    let condition = plans.condition("Post", &format!("!({text})"));
    assert_eq!(database.titles(&mut plans, condition), is_false, "not {text}");
}

#[test]
fn not_exists_of_not_greater_over_a_null() {
    // One of the roles is null: what it is compared with is neither true nor false, and `NOT EXISTS (NOT …)` must not hold.
    check("org.members.all(m, m.role > 'a')", &[], &[]);
    check("org.members.all(m, m.role == null || m.role > 'a')", &["five", "nine", "none"], &[]);
    check("org.members.exists(m, m.role < 'a')", &[], &[]);
}

#[test]
fn an_order_of_null_is_neither_true_nor_false() {
    check("score > 5", &["nine"], &["five"]);
    check("!(score > 5)", &["five"], &["nine"]);
    check("score > 5 || score <= 5", &["five", "nine"], &[]);
}

#[test]
fn case_when_null_takes_no_branch() {
    check("score > 5 ? true : true", &["five", "nine"], &[]);
    check("(score > 5 ? 1 : 2) == 2", &["five"], &["nine"]);
}

#[test]
fn nulls_are_equal_and_unequal_to_values() {
    check("score == null", &["none"], &["five", "nine"]);
    check("score == 5", &["five"], &["nine", "none"]);
    check("score != 5", &["nine", "none"], &["five"]);
    check("score == big", &["none"], &["five", "nine"]);
    check("score in [5, 7]", &["five"], &["nine", "none"]);
}

#[test]
fn an_anonymous_caller_is_not_the_owner_of_what_nobody_owns() {
    let schema = schema();
    let database = database(&schema);
    for text in
        ["owner == auth.id", "!(owner == auth.id)", "auth.id == owner", "owner != auth.id", "owner in auth.roles"]
    {
        let mut plans = Plans::new(&schema);
        plans.caller = caller(None);
        let condition = plans.condition("Post", text);
        assert_eq!(database.titles(&mut plans, condition), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn a_path_through_a_null_link_is_an_error() {
    check("reviewer.user == 'anna'", &[], &[]);
    check("reviewer.role == null", &[], &[]);
    check("reviewer == null", &["five", "nine", "none"], &[]);
    check("reviewer.org.members.all(m, false)", &[], &[]);
    check("size(reviewer.org.members) == 0", &[], &[]);
}

#[test]
fn a_hidden_record_is_as_good_as_absent() {
    let schema = schema();
    let database = database(&schema);
    for text in [
        "org.name == 'o'",
        "!(org.name == 'o')",
        "org.owner == null",
        "!org.members.exists(m, m.user == 'x')",
        "org.members.all(m, m.user != 'x')",
        "size(org.members) >= 0",
    ] {
        let mut plans = Plans::new(&schema);
        let hidden = plans.guarded("Post", text, "Org", "name == 'other'");
        assert_eq!(database.titles(&mut plans, hidden), Vec::<String>::new(), "{text}");
    }
    let mut plans = Plans::new(&schema);
    let ben = plans.guarded("Post", "org.members.exists(m, m.user == 'ben')", "Member", "user == 'anna'");
    assert_eq!(database.titles(&mut plans, ben), Vec::<String>::new());
}

#[test]
fn a_null_list_holds_nothing_and_says_nothing() {
    check("'a' in words", &[], &[]);
    check("words.exists(w, w != 'x')", &[], &[]);
    check("words.all(w, w != 'x')", &[], &[]);
    check("words == null", &["five", "nine", "none"], &[]);
    check("5 in numbers", &[], &["five", "nine", "none"]);
    check("numbers.all(n, n < n)", &["five", "nine", "none"], &[]);
    check("address.city == 'x' || address.zip == null", &[], &[]);
}

#[test]
fn overflow_and_division_by_zero_are_errors() {
    check("score + 9223372036854775807 > 0", &[], &[]);
    check("score * 9223372036854775807 != 0", &[], &[]);
    check("-9223372036854775807 - score < 0", &[], &[]);
    check("score / (score - 5) == 2", &["nine"], &[]);
    check("score % (score - 5) == 1", &["nine"], &[]);
}

#[test]
fn texts_are_compared_without_wildcards_and_by_case() {
    check("title.contains('i') && !title.contains('%')", &["five", "nine"], &["none"]);
    check("title.startsWith('N')", &[], &["five", "nine", "none"]);
    check("title.startsWith('') && title.endsWith('') && title.contains('')", &["five", "nine", "none"], &[]);
    check("title.endsWith('ne')", &["nine", "none"], &["five"]);
    check("title.endsWith('longer than the title')", &[], &["five", "nine", "none"]);
}
