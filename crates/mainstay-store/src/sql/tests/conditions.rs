//! Conditions as SQL: each with what it is true of and what it is false of.
use std::fmt::Write;

use mainstay_expr::Expr;

use crate::{
    PostgresDialect, SqliteDialect,
    postgres::tests::Server,
    sql::{
        Sql,
        tests::{
            fixture::{Plans, caller, schema},
            shows,
        },
        writer::{Env, Writer},
    },
};

/// The SQL where the condition over a post has this truth value; names are shown without quotes.
fn render(plans: &Plans<'_>, condition: &Expr, want: bool) -> String {
    let mut writer = Writer::new(plans.schema, &SqliteDialect);
    let row = writer.row(plans.id("Post"));
    match writer.is(condition, want, &Env::of(&row)) {
        Ok(test) => writer.finish(test.sql(&SqliteDialect)).text.replace('"', ""),
        Err(error) => error.to_string(),
    }
}

/// The SQL for a server, as a statement.
fn asked(plans: &Plans<'_>, condition: &Expr, want: bool) -> Option<Sql> {
    let mut writer = Writer::new(plans.schema, &PostgresDialect);
    let row = writer.row(plans.id("Post"));
    let test = writer.is(condition, want, &Env::of(&row)).ok()?;
    let text = format!("SELECT 1 FROM {}{}", writer.from(&row), test.filter(&PostgresDialect));
    Some(writer.finish(text))
}

fn both(plans: &Plans<'_>, server: Option<&Server>, text: &str, condition: &Expr) -> String {
    for want in [true, false] {
        server.zip(asked(plans, condition, want)).inspect(|(server, sql)| server.understands(sql));
    }
    format!("{text}\n  {}\n  {}\n", render(plans, condition, true), render(plans, condition, false))
}

fn all(texts: &[&str]) -> String {
    let schema = schema();
    let server = Server::with(&schema);
    texts.iter().fold(String::new(), |mut out, text| {
        let mut plans = Plans::new(&schema);
        let condition = plans.condition("Post", text);
        write!(out, "{}", both(&plans, server.as_ref(), text, &condition)).expect("a string takes everything");
        out
    })
}

#[test]
fn comparisons() {
    shows!(all(&[
        "title == 'x'",
        "score > 5",
        "!(score > 5)",
        "score != 5",
        "score == null",
        "title == null",
        "owner == auth.id",
        "owner == body",
        "flagged",
        "published == true",
        "flagged == true",
        "flagged == published",
        "(score > 1) == (big > 1)",
        "status in ['OPEN', 'CLOSED']",
        "owner in auth.roles",
        "body in [title, owner]",
        "score in []",
        "id == auth.id",
        "ref == '019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f'",
        "seen > request.time - duration('24h')",
        "meta != null",
        "blob == null",
    ]));
}

#[test]
fn connectives() {
    shows!(all(&[
        "score > 5 && published || flagged",
        "!(score > 5 && published)",
        "flagged ? score > 1 : score < 1",
        "(published ? score : big) == null",
        "(published ? score : big) > 3",
    ]));
}

#[test]
fn arithmetic_and_functions() {
    shows!(all(&[
        "score + 1 > big",
        "-score < 0",
        "ratio * 2.0 > 1.0",
        "price + 1.5 > 2",
        "price == 1.25",
        "seen + duration('1h') > request.time",
        "seen - request.time < duration('1h')",
        "int(ratio) == 1",
        "int(price) == 1",
        "double(score) == 1.5",
        "size(title) > 3",
        "title.contains('x') && body.endsWith('') && title.startsWith(body)",
        "title + 'x' == 'yx'",
    ]));
}

#[test]
fn links() {
    shows!(all(&[
        "reviewer == null",
        "org == auth.id",
        "org.name == 'a'",
        "org.owner == auth.id",
        "org.owner == body",
        "org.parent.name == 'a'",
        "org.parent.owner == null",
        "reviewer.org == org",
        "reviewer.org.id == org.id",
        "org.members.exists(m, m.user == auth.id)",
        "org.members.all(m, m.role == 'x')",
        "org.parent.members.exists(m, m.user == auth.id)",
        "reviewer.org.members.all(m, m.role == 'x')",
        "tags.exists(t, t.id == 'x')",
        "tags.all(t, t.label == title)",
        "size(org.members) > 3",
        "size(reviewer.org.members) > 3",
        "visits.exists(v, v.at > request.time)",
    ]));
}

#[test]
fn lists_and_embedded_values() {
    shows!(all(&[
        "size(words) == 0",
        "'a' in words",
        "body in words",
        "words.exists(w, w.startsWith('a'))",
        "numbers.all(n, n > score)",
        "bigs.exists(b, b > 5)",
        "prices.exists(b, b > 5.5)",
        "['a', 'b'].exists(x, x == title)",
        "[title, status == 'OPEN' ? 'x' : 'y'].all(x, x == 'x')",
        "numbers.exists(n, org.members.exists(m, size(m.user) == n))",
        "address == null",
        "address.city == 'x'",
        "address.zip == body",
        "address.floor > 1",
        "address.area > 1",
        "address.rent > 1",
        "'x' in address.tags",
    ]));
}

#[test]
fn links_in_caller_mode() {
    let schema = schema();
    let server = Server::with(&schema);
    let mut out = String::new();
    for text in [
        "org == null",
        "org.name == 'a'",
        "org.owner == null",
        "org.parent.name == 'a'",
        "org.members.exists(m, m.user == 'b')",
        "org.members.all(m, m.user == 'b')",
        "size(org.members) == 0",
        "reviewer.org == org",
    ] {
        let mut plans = Plans::new(&schema);
        let guarded = plans.guarded("Post", text, "Org", "owner == auth.id");
        out.push_str(&both(&plans, server.as_ref(), text, &guarded));
    }
    shows!(out);
}

#[test]
fn an_anonymous_caller_is_an_error_and_an_error_is_neither_true_nor_false() {
    let schema = schema();
    let mut plans = Plans::new(&schema);
    plans.caller = caller(None);
    let condition = plans.condition("Post", "owner == auth.id");
    assert_eq!([true, false].map(|want| render(&plans, &condition, want)), ["0", "0"]);
}

#[test]
fn what_only_memory_can_say_is_refused() {
    let schema = schema();
    let mut plans = Plans::new(&schema);
    let condition = plans.condition("Post", "title.matches('a+')");
    let refusal = "the plan cannot be written as SQL: \"matches\" has no meaning in SQL that every engine shares";
    assert_eq!(render(&plans, &condition, true), refusal);
}
