//! What is accepted, with which types; what is refused, with which words, where.
use super::*;
use crate::{
    fixture::{CATEGORY, ORG, USER, World, compiled},
    tree::{Node, Slot},
    types::EnumType,
};

/// The problems, each with the text under its span; empty when it compiles.
fn problems(text: &str, want: &Type) -> String {
    let Err(problems) = compiled(text, want) else { return String::new() };
    let under = |span: Span| &text[span.start as usize..span.end as usize];
    let shown = problems.iter().map(|problem| {
        let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}: {}{hint} [{}]", problem.code, problem.message, under(problem.span))
    });
    shown.collect::<Vec<String>>().join("; ")
}

fn check(text: &str, expected: &str) {
    assert_eq!(problems(text, &Type::Bool), expected, "{text}");
}

/// The code of the first problem.
fn check_code(text: &str, expected: &str) {
    let found = problems(text, &Type::Null);
    assert_eq!(found.split(':').next(), Some(expected), "{text}: {found}");
}

#[test]
fn names() {
    check("titel == 'a'", "unknown_name: no field named \"titel\" in \"Post\" (did you mean \"title\"?) [titel]");
    check(
        "author.nmae == 'a'",
        "unknown_name: no field named \"nmae\" in \"User\" (did you mean \"name\"?) [author.nmae]",
    );
    check("auth.name == 'a'", "unknown_name: the caller has no \"name\" [auth.name]");
    check("request.tim > created", "unknown_name: the request has no \"tim\" (did you mean \"time\"?) [request.tim]");
    check(
        "auth.claims.pln == 'a'",
        "unknown_claim: no claim named \"pln\" is declared (did you mean \"plan\"?) [auth.claims.pln]",
    );
    check(
        "title.startWith('a')",
        "unknown_function: no function named \"startWith\" (did you mean \"startsWith\"?) [title.startWith('a')]",
    );
    check(
        "status == 'DRAFD'",
        "unknown_enum_value: \"DRAFD\" is no value of Status (did you mean \"DRAFT\"?) ['DRAFD']",
    );
    check("status in ['OPEN', 'x']", "unknown_enum_value: \"x\" is no value of Status (did you mean \"DRAFT\"?) ['x']");
    check("tags.exists(auth, true)", "reserved_name: \"auth\" cannot name an element [auth]");
    check_code("category.slug.x == 1", "type_mismatch");
    check_code("comments.text == 'a'", "type_mismatch");
    check_code("meta.x == 1", "not_available");
    check_code("request == null", "type_mismatch");
}

#[test]
fn all_problems_come_at_once() {
    check(
        "'é' == titel && views > 'x' || nope",
        "unknown_name: no field named \"titel\" in \"Post\" (did you mean \"title\"?) [titel]; \
         type_mismatch: an Int is compared with a String [views > 'x']; \
         unknown_name: no field named \"nope\" in \"Post\" [nope]",
    );
}

#[test]
fn types_must_meet() {
    check("title == 1", "type_mismatch: a String is compared with an Int [title == 1]");
    check(
        "'ü' + 1 == title",
        "type_mismatch: \"+\" does not apply to a String and an Int (make the other a text: string(x)) ['ü' + 1]",
    );
    check(
        "rating == price",
        "type_mismatch: a Float is compared with a Decimal with 2 digits behind the point (a Float and a Decimal have no exact comparison) [rating == price]",
    );
    check(
        "author == category",
        "type_mismatch: a link to User is compared with a link to Category (a link is its id, of its own type only) [author == category]",
    );
    check(
        "author.id == comments",
        "type_mismatch: a list of links to Comment is no value (ask about them: size(), exists(x, …), all(x, …)) [comments]",
    );
    check(
        "tags == ['a']",
        "type_mismatch: lists are not compared with each other (ask about its elements: x in list, exists(x, …), all(x, …), size()) [tags == ['a']]",
    );
    check("meta == 'a'", "type_mismatch: JSON is only compared with null [meta == 'a']");
    check("auth == 'a'", "type_mismatch: the caller is only compared with null [auth == 'a']");
    check("status < 'OPEN'", "type_mismatch: a value of Status has no order, \"<\" does not apply [status < 'OPEN']");
    check("author < auth.id", "type_mismatch: a link to User has no order, \"<\" does not apply [author < auth.id]");
    check("score < null", "type_mismatch: null has no order, \"<\" does not apply [score < null]");
    check("views && published", "type_mismatch: an Int is neither true nor false [views]");
    check("published ? 1 : 'a'", "type_mismatch: one of an Int and a String [published ? 1 : 'a']");
    check("views", "type_mismatch: this is an Int, a Boolean is expected [views]");
    check("views in tags", "type_mismatch: an Int is compared with a String [views in tags]");
    check("title in title", "type_mismatch: \"in\" needs a list, this is a String [title]");
    check(
        "author in comments",
        "type_mismatch: \"in\" does not apply to links (write links.exists(x, x == …)) [author in comments]",
    );
    check(
        "price / 2 == 1",
        "type_mismatch: \"/\" does not apply to a Decimal with 2 digits behind the point and a Decimal with 2 digits behind the point (a quotient of decimals has no exact digits; multiply instead, or use double(x)) [price / 2]",
    );
    check(
        "tags.contains('a')",
        "type_mismatch: \"contains()\" does not apply to a list with elements like a String (write x in list) [tags]",
    );
    check("views.exists(x, true)", "type_mismatch: \"exists()\" goes over links and lists, this is an Int [views]");
    check_code("rating + views", "type_mismatch");
    check_code("[1, 'a']", "type_mismatch");
    check_code("[null]", "type_mismatch");
    check_code("-title", "type_mismatch");
}

#[test]
fn literals_adapt_when_they_are_checked() {
    check("token == '019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f'", "");
    check(
        "token == 'x'",
        "invalid_literal: \"x\" is no UUID: expected a form like 019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f ['x']",
    );
    check(
        "author == 'x'",
        "invalid_literal: \"x\" is no UUID: expected a form like 019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f ['x']",
    );
    check("author.org == '12' && author.org == 12", "");
    check("category == 'anything'", "");
    check(
        "created > '2026-13-01T00:00:00Z'",
        "invalid_literal: \"2026-13-01T00:00:00Z\" is no moment: expected RFC 3339, as in 2026-11-21T02:50:45.123Z ['2026-13-01T00:00:00Z']",
    );
    check("day == '2026-11-21'", "");
    check("price == 1.234", "invalid_literal: \"1.234\" has more than 2 digits behind the point [1.234]");
    check("rating > 3 && views > 2.5", "");
    check("rating > 9007199254740993", "");
    check(
        "created > timestamp('x')",
        "invalid_literal: \"x\" is no moment: expected RFC 3339, as in 2026-11-21T02:50:45.123Z ['x']",
    );
    check(
        "created - duration('1 day') > created",
        "invalid_literal: \"1 day\" is no duration: expected a form like 24h, 1h30m or 1.5s ['1 day']",
    );
    check("title.matches('(')", "invalid_pattern: \"(\" is no pattern: unclosed group ['(']");
    check(
        "title.matches('(a{1000}){1000}')",
        "invalid_pattern: \"(a{1000}){1000}\" is no pattern: the pattern is too large ['(a{1000}){1000}']",
    );
    check(
        "created > timestamp(title)",
        "wrong_arguments: \"timestamp()\" takes a text in quotes or a part of the caller [title]",
    );
}

#[test]
fn what_is_not_there_yet_is_refused_by_name() {
    for (text, name) in [
        ("size(tags.map(t, t)) > 1", "\"map()\""),
        ("size(tags.filter(t, true)) > 1", "\"filter()\""),
        ("auth.user.name == 'a'", "\"auth.user\""),
    ] {
        let found = problems(text, &Type::Bool);
        assert!(found.starts_with(&format!("not_available: {name} is not available")), "{text}: {found}");
    }
}

#[test]
fn what_others_call_it_is_hinted_at() {
    let limits = Limits { change: true, ..Limits::default() };
    for (text, hint) in [
        ("size(comments.filter(c, c.text == 'a')) > 1", "count with a sum: links.sum(x, x.open ? 1 : 0)"),
        ("olds.published", "did you mean \"old\"?"),
        ("created > request.time + 14", "say of what: duration('24h')"),
    ] {
        let problems = compile(text, &World::new(), &Type::Bool, &limits).expect_err("is refused");
        assert!(problems.iter().any(|problem| problem.hint.as_deref() == Some(hint)), "{text}: {problems:?}");
    }
}

#[test]
fn rules_of_other_records_stand_for_their_text() {
    let rule = |text: &str| compile(text, &World::new(), &Type::Bool, &Limits::default());
    let shown = |text: &str| World::new().show(&rule(text).expect("compiles").expr);
    let check = |text: &str, expected: &str| {
        let problems = rule(text).expect_err("is refused");
        let hint = problems[0].hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        assert_eq!(format!("{}: {}{hint}", problems[0].code, problems[0].message), expected, "{text}");
    };
    assert_eq!(shown("can(category, 'read')"), "category.slug == 'core' || caller1");
    assert_eq!(
        shown("comments.all(c, can(c, 'read'))"),
        "comments.all(x1, x1.author == caller1 && x1.author.name == 'anna')"
    );
    // Where there is no rule, only admins may.
    assert_eq!(shown("can(category, 'update') || published"), "false || published");
    check("can(category, 'raed')", "unknown_name: there is no rule named \"raed\" (did you mean \"read\"?)");
    check("can(title, 'read')", "type_mismatch: \"can()\" asks about a record, this is a String");
    for text in ["can(category)", "can(category, title)"] {
        check(text, "wrong_arguments: \"can()\" takes a record and an action: can(issue, 'read')");
    }
    // The tests' own texts are compiled as those of filters are.
    check_code("can(category, 'read')", "not_available");
}

#[test]
fn sums_and_the_like_have_the_type_of_their_values() {
    let ty = |text: &str| compiled(text, &Type::Null).expect("compiles").expr.ty;
    assert_eq!(ty("comments.sum(c, c.score)"), Type::Int);
    assert_eq!(ty("comments.avg(c, c.score)"), Type::Float);
    assert_eq!(ty("comments.max(c, c.text)"), Type::String);
    assert_eq!(ty("comments.exists_one(c, c.score > 1)"), Type::Bool);
    check("comments.sum(c, c.text) > 1", "type_mismatch: \"sum()\" does not apply to a String [c.text]");
    check("comments.min(c, c.author) == null", "type_mismatch: \"min()\" does not apply to a link to User [c.author]");
    check_code("title.sum(c, c)", "type_mismatch");
    check_code("comments.sum(c.score) > 1", "wrong_arguments");
}

#[test]
fn defines_stand_for_their_text() {
    let compiled = compiled("author.org.isMember || isOwn || isEditor", &Type::Bool).expect("compiles");
    assert_eq!(
        World::new().show(&compiled.expr),
        "author.org.members.exists(x1, x1.id == caller1) || author == caller1 || caller2"
    );
    let Node::Or(terms) = &compiled.expr.node else { panic!("no alternatives") };
    assert_eq!(terms[0].span, Span { start: 0, end: 19 }, "the place of the use");
    check("looped", "define_cycle: in \"looped\": \"looped\" is defined by itself [looped]");
    check(
        "broken || broken",
        "type_mismatch: in \"broken\": a String is compared with an Int [broken]; type_mismatch: in \"broken\": a String is compared with an Int [broken]",
    );
}

#[test]
fn the_wanted_type() {
    let slot = |text: &str, want: Type| compiled(text, &want).map(|compiled| compiled.slots);
    let key = |slots: Result<Vec<Slot>, _>| slots.expect("compiles")[0].key.clone();
    assert_eq!(key(slot("auth.id", Type::Key(USER))), Some(Type::Uuid));
    assert_eq!(key(slot("auth.id", Type::Key(ORG))), Some(Type::Int));
    assert_eq!(key(slot("auth.id", Type::Key(CATEGORY))), Some(Type::String));
    assert_eq!(key(slot("auth.id", Type::String)), None);
    assert_eq!(key(slot("auth.claims.team", Type::Null)), None);
    assert_eq!(problems("author", &Type::Key(USER)), "");
    assert_eq!(problems("'OPEN'", &Type::Enum(EnumType(0))), "");
    assert_eq!(problems("views", &Type::Decimal(2)), "");
    assert_eq!(
        problems("price", &Type::Decimal(1)),
        "type_mismatch: this is a Decimal with 2 digits behind the point, a Decimal with 1 digits behind the point is expected [price]"
    );
    assert_eq!(problems("[]", &Type::List(Box::new(Type::Int))), "");
    assert_eq!(problems("null", &Type::String), "");
    assert_eq!(problems("request.time", &Type::Timestamp), "");
}

#[test]
fn parameters_take_the_type_of_their_use() {
    let types = |text: &str| {
        let params = compiled(text, &Type::Bool).unwrap_or_else(|problems| panic!("{text}: {problems:?}")).params;
        params.into_iter().map(|param| param.ty).collect::<Vec<Type>>()
    };
    assert_eq!(types("title.contains(p.q) || views > p.n"), [Type::String, Type::Int]);
    assert_eq!(types("p.n < views && rating == p.r"), [Type::Int, Type::Float]);
    assert_eq!(types("author == p.a"), [Type::Uuid]);
    assert_eq!(types("author.org in p.list"), [Type::List(Box::new(Type::Int))]);
    assert_eq!(types("price > p.x && p.x < price"), [Type::Decimal(2)]);
    assert_eq!(types("status == p.s"), [Type::Enum(EnumType(0))]);
    assert_eq!(types("p.yes && created > request.time - p.d"), [Type::Bool, Type::Duration]);
    assert_eq!(types("p.x == null || title == p.x"), [Type::String]);
    check("title == p.x && views == p.x", "type_mismatch: \"p.x\" is used as a String and as an Int [p.x]");
    check(
        "p.x == null",
        "unknown_type: the type of \"p.x\" does not follow from its use (compare it with a field) [p.x]",
    );
    check_code("p.x == p.y", "unknown_type");
    check_code("p.x in p.y", "type_mismatch");
    let plain = compile("title == p.x", &World::new(), &Type::Bool, &Limits::default()).expect_err("no params");
    assert_eq!(plain[0].code, "not_available");
}

#[test]
fn what_reads_only_the_caller_is_one_slot() {
    let slots = |text: &str| {
        let compiled = compiled(text, &Type::Bool).expect("compiles");
        (World::new().show(&compiled.expr), compiled.slots.len())
    };
    let one = |text: &str| (text.to_owned(), 1);
    assert_eq!(slots("auth != null && 'a' in auth.roles"), one("caller1"));
    assert_eq!(slots("published || ('a' in auth.roles && request.method == 'GET')"), one("published || caller1"));
    assert_eq!(slots("auth != null && published && 'a' in auth.roles"), one("caller1 && published"));
    assert_eq!(slots("auth.roles.exists(r, r == 'a') || published"), one("caller1 || published"));
    assert_eq!(slots("auth.roles.exists(r, r == title)"), one("caller1.exists(x1, x1 == title)"));
    assert_eq!(slots("title in auth.roles"), one("title in caller1"));
    assert_eq!(slots("status in auth.roles"), one("status in caller1"));
    assert_eq!(slots("auth.id == owner ? published : views > 1"), one("caller1 == owner ? published : views > 1"));
}

#[test]
fn limits_hold_through_defines_and_quantifiers() {
    let nested = "[1].exists(a, [1].exists(b, [1].exists(c, [1].exists(d, true))))";
    check(nested, "");
    check_code(&nested.replace("true", "[1].exists(e, true)"), "too_deep");
    check_code(&["author.org.isMember"; 150].join(" || "), "too_large");
    check_code(&format!("{}views{}", "size(string(".repeat(25), "))".repeat(25)), "too_deep");
}

#[test]
fn parts_know_whether_they_may_be_null_or_an_error() {
    for (text, null, error) in [
        ("title", false, false),
        ("score", true, false),
        ("score == null", false, false),
        ("score > 1", false, true),
        ("views > 1", false, false),
        ("views + 1 > 1", false, true),
        ("author == null", false, false),
        ("author.name == 'a'", false, true),
        ("category.slug == 'a'", false, false),
        ("flag", true, false),
        ("flag || published", false, true),
        ("published ? score : 1", true, false),
        ("comments.exists(c, c.score == 1)", false, false),
        ("comments.exists(c, c.score > 1)", false, true),
        ("address.city == 'a'", false, true),
        ("title in ['a', 'b']", false, false),
        ("request.time > created", false, false),
        ("auth.id == owner", false, true),
        ("title.matches('a')", false, false),
        ("title + 'a' == 'b'", false, false),
    ] {
        let expr = compiled(text, &Type::Null).expect("compiles").expr;
        assert_eq!((expr.may_null, expr.may_error), (null, error), "{text}");
    }
}
