//! Syntax: places of parts, errors in our words.
use super::*;

/// The text under the span of the part that `pick` finds.
fn check(text: &str, pick: fn(&Ast) -> &Ast, expected: &str) {
    let ast = parse(text, &Limits::default()).expect("parses");
    let span = pick(&ast).span;
    assert_eq!(&text[span.start as usize..span.end as usize], expected, "{text}");
}

/// The problem's message with the text under its span.
fn check_error(text: &str, expected: &str) {
    let problems = parse(text, &Limits::default()).expect_err("does not parse");
    let found: Vec<String> = problems
        .iter()
        .map(|problem| {
            let under = &text[problem.span.start as usize..problem.span.end as usize];
            format!("{}: {} [{under}]@{}", problem.code, problem.message, problem.span.start)
        })
        .collect();
    assert_eq!(found.join("; "), expected, "{text}");
}

fn whole(ast: &Ast) -> &Ast {
    ast
}

fn last(ast: &Ast) -> &Ast {
    match &ast.kind {
        Kind::And(terms) | Kind::Or(terms) => &terms[terms.len() - 1],
        Kind::Compare(_, pair) | Kind::In(pair) | Kind::Arith(_, pair) => &pair[1],
        _ => ast,
    }
}

#[test]
fn spans_cover_whole_parts() {
    check(" a.bc ", whole, "a.bc");
    check("a . bc", whole, "a . bc");
    check("'é' == x && y.contains( 'ü)' )", last, "y.contains( 'ü)' )");
    check("'é' == x && y.contains( 'ü)' )", whole, "'é' == x && y.contains( 'ü)' )");
    check("1 < - 2", last, "- 2");
    check("1 < -2.5", last, "-2.5");
    check("x in ['a', ('b')]", last, "['a', ('b')]");
    check("'日本' + size(a)", last, "size(a)");
    check("a == (b ? -c : d)", last, "b ? -c : d");
    check("!a || !b", last, "!b");
}

#[test]
fn chains_are_flat() {
    let ast = parse("a && b && (c && d) && (e || f)", &Limits::default()).expect("parses");
    let Kind::And(terms) = ast.kind else { panic!("no chain") };
    assert_eq!(terms.len(), 5);
    let long = vec!["a"; 300].join("||");
    assert!(parse(&long, &Limits::default()).is_ok());
}

#[test]
fn macros_stay_as_they_are_written() {
    let ast = parse("has(a.b)", &Limits::default()).expect("parses");
    assert!(matches!(ast.kind, Kind::Call { name, .. } if name == "has"));
    let ast = parse("a.exists(x, x > 1)", &Limits::default()).expect("parses");
    assert!(matches!(ast.kind, Kind::Call { name, .. } if name == "exists"));
}

#[test]
fn errors_in_our_words() {
    check_error("", "syntax: the expression is empty []@0");
    check_error("a &&", "syntax: the expression ends too early []@4");
    check_error("'éé' &&", "syntax: the expression ends too early []@9");
    check_error("a\n  && b c", "syntax: unexpected \"c\" [c]@9");
    check_error("'é' + é", "syntax: unexpected character \"é\" [é]@7; syntax: the expression ends too early []@9");
    check_error("(a", "syntax: missing \")\" []@2");
    check_error("{'a': 1}", "not_available: maps are not available [{]@0");
    check_error("1u", "not_available: unsigned numbers are not available [1u]@0");
    check_error("a[0]", "not_available: elements of a list by number are not available [[]@1");
    check_error("'\\ud800' == a", "syntax: an escape in this text stands for no character ['\\ud800']@0");
    check_error("a == 'x\\U00110000'", "syntax: an escape in this text stands for no character ['x\\U00110000']@5");
    check_error("'\\u0000'", "invalid_literal: text holds the character U+0000 ['\\u0000']@0");
}

#[test]
fn limits_hold() {
    let limits = Limits::default();
    let code = |text: &str| parse(text, &limits).expect_err("too much")[0].code;
    assert_eq!(code(&"a".repeat(limits.length_max + 1)), "too_long");
    assert_eq!(code(&format!("a{}", ".b".repeat(limits.depth_max))), "too_deep");
    assert!(parse(&format!("a{}", ".b".repeat(limits.depth_max - 1)), &limits).is_ok());
    assert_eq!(code(&format!("{}a{}", "(".repeat(500), ")".repeat(500))), "too_deep");
    assert_eq!(code(&format!("[{}]", "a,".repeat(limits.nodes_max))), "too_large");
}

#[test]
fn the_quick_way_is_the_same_way() {
    let check = |text: &str| check_quick(text, &Limits::default());
    let plain = [
        " a.bc ",
        "a . bc == null",
        "'é' == x && y.contains( 'ü)' )",
        "1 < - 2 || 1 < -2.5",
        "x in ['a', ('b')] && !(y in [])",
        "'日本' + size(a) * 2 - -3 % (4 / b)",
        "a == (b ? -c : d) ? e : f.g ? 1.5 : 'h'.size()",
        "!a || !b || (c || d && e)",
        "a && b && (c && d) && (e || f)",
        "a.exists(x, x.y(1, \"2\").z > 1) && has(a.b)",
        "a < b < c",
        "-a.b * -c + 1-1",
        "((a).b).c((d))",
        "score.name_1(  )",
        "9223372036854775807 > 0.25",
        "a && b || c && d",
        "a\n\t&& b",
    ];
    for text in plain {
        assert!(check(text), "{text}");
    }
    let left = [
        "",
        "a &&",
        "a b",
        "--a",
        "!!a",
        "!-a",
        "-0",
        "-0.0",
        "1u",
        "0x1F",
        "1e3",
        "a[0]",
        "a.b[c]",
        "{'a': 1}",
        "a{}",
        "'a\\n'",
        "'''a'''",
        "''''''",
        "r'a'",
        "b'a'",
        "'a",
        "é",
        "a.in",
        "for",
        "a.true",
        "[a,]",
        "f(a,)",
        "a // b",
        ".a",
        "1.",
        "1.a",
        "1.size()",
        "9223372036854775808",
        "-9223372036854775808",
        "a = b",
        "a & b",
        "a ? b",
        "a ? b : ",
        "(a",
        "a)",
        "f(a",
        "[a",
        "a ?: b",
        "'\0'",
        "1_0",
        "a\u{c}",
        "a.b.",
        "a..b",
        "a.1",
        "?",
        "!",
        "-",
        "in",
        "a in",
    ];
    for text in left {
        assert!(!check(text), "{text}");
    }
    for count in [1, 39, 40, 41, 200, 2_000] {
        check(&format!("a{}", ".b".repeat(count)));
        check(&format!("a{}", "+a".repeat(count)));
        check(&format!("{}a{}", "(".repeat(count), ")".repeat(count)));
        check(&vec!["a"; count].join(" && "));
        check(&format!("[{}a]", "a,".repeat(count)));
        check(&format!("{}a", "a?b:".repeat(count)));
    }
}
