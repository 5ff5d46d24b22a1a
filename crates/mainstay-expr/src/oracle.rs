//! Random expressions: ours against the CEL crate's interpreter, and folding against no folding.
use proptest::prelude::*;

use crate::{
    Limits, Type, Value,
    fixture::{Row, anonymous, caller, compiled, run, user_key},
    parse::check_quick,
};

/// Draws the text of an expression from bytes, so that a failing one shrinks with them.
struct Draw<'a> {
    bytes: &'a [u8],
    /// Only what the CEL crate has too: no links, no caller, no types of ours.
    plain: bool,
}

impl Draw<'_> {
    fn pick(&mut self, below: u8) -> u8 {
        let (first, rest) = self.bytes.split_first().unwrap_or((&0, &[]));
        self.bytes = rest;
        first % below
    }

    fn one_of(&mut self, texts: &[&str]) -> String {
        let index = self.pick(u8::try_from(texts.len()).expect("few"));
        texts[usize::from(index)].to_owned()
    }

    fn truth(&mut self, depth: u8) -> String {
        if depth == 0 {
            return self.one_of(&["published", "flag", "true", "false", "score == null", "rating != null"]);
        }
        let depth = depth - 1;
        let compare = self.one_of(&["<", "<=", ">", ">=", "==", "!="]);
        match self.pick(if self.plain { 11 } else { 16 }) {
            0 => format!("({} && {})", self.truth(depth), self.truth(depth)),
            1 => format!("({} || {})", self.truth(depth), self.truth(depth)),
            2 => format!("!({})", self.truth(depth)),
            3 => format!("({} ? {} : {})", self.truth(depth), self.truth(depth), self.truth(depth)),
            4 => format!("({} {compare} {})", self.int(depth), self.int(depth)),
            5 => format!("({} {compare} {})", self.text(depth), self.text(depth)),
            6 => format!("({} {compare} {})", self.float(depth), self.float(depth)),
            // The CEL crate rounds large whole numbers here; we, as its language's definition says, do not.
            7 => format!("({} {compare} {})", self.float(depth), self.one_of(&["7", "-7", "size(title)", "views % 9"])),
            8 => format!(
                "{}.{}({})",
                self.text(depth),
                self.one_of(&["contains", "startsWith", "endsWith"]),
                self.text(depth)
            ),
            9 => format!("tags.{}(t, t {compare} {} || {})", self.quantifier(), self.text(depth), self.truth(depth)),
            10 => format!("({} in [{}, {}])", self.int(depth), self.int(depth), self.int(depth)),
            11 => format!(
                "comments.{}(c, c.score {compare} {} && {})",
                self.quantifier(),
                self.int(depth),
                self.truth(depth)
            ),
            12 => self.one_of(&[
                "auth == null",
                "isEditor",
                "owner == auth.id",
                "owner in auth.roles",
                "request.method == 'GET'",
            ]),
            13 => self.one_of(&[
                "author == auth.id",
                "author.id != auth.id",
                "author in auth.claims.team",
                "author == null",
            ]),
            14 => self.one_of(&[
                "author.org.isMember",
                "author.name == title",
                "auth.claims.org == 3",
                "address.zip == null",
            ]),
            _ => format!("(price {compare} price * {})", self.int(depth)),
        }
    }

    fn quantifier(&mut self) -> String {
        self.one_of(&["exists", "all"])
    }

    fn int(&mut self, depth: u8) -> String {
        if depth == 0 {
            return self.one_of(&[
                "views",
                "score",
                "0",
                "1",
                "-7",
                "9223372036854775807",
                "(-9223372036854775807 - 1)",
            ]);
        }
        let depth = depth - 1;
        match self.pick(8) {
            operator @ 0..5 => {
                let operator = ["+", "-", "*", "/", "%"][usize::from(operator)];
                format!("({} {operator} {})", self.int(depth), self.int(depth))
            }
            5 => format!("size({})", self.text(depth)),
            6 => format!("-({})", self.int(depth)),
            _ => format!("({} ? {} : {})", self.truth(depth), self.int(depth), self.int(depth)),
        }
    }

    fn float(&mut self, depth: u8) -> String {
        if depth == 0 {
            return self.one_of(&["rating", "0.5", "-2.25", "1e15", "9007199254740993.0"]);
        }
        let depth = depth - 1;
        match self.pick(4) {
            0 => format!("({} + {})", self.float(depth), self.float(depth)),
            1 => format!("({} - {})", self.float(depth), self.float(depth)),
            2 => format!("({} / 4.0)", self.float(depth)),
            _ => format!("double({})", self.int(depth)),
        }
    }

    fn text(&mut self, depth: u8) -> String {
        if depth == 0 {
            return self.one_of(&["title", "owner", "''", "'a'", "'é👍'", r"'\'\n'"]);
        }
        match self.pick(3) {
            0 => format!("({} + {})", self.text(depth - 1), self.text(depth - 1)),
            1 => format!("({} ? {} : {})", self.truth(depth - 1), self.text(depth - 1), self.text(depth - 1)),
            _ => self.text(0),
        }
    }
}

/// Null or a value, both often.
fn maybe<T: Clone + std::fmt::Debug + 'static>(values: Vec<T>) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(proptest::sample::select(values))
}

prop_compose! {
    fn row()(
        title in proptest::sample::select(vec!["", "a", "é👍", "ab"]),
        published in any::<bool>(),
        flag in proptest::option::of(any::<bool>()),
        owner in maybe(vec!["a", "", "editor"]),
        score in maybe(vec![0, 7, i64::MAX, i64::MIN]),
        views in proptest::sample::select(vec![0, 1, -7, i64::MIN]),
        rating in maybe(vec![0.0, 0.5, -1e15, 9_007_199_254_740_992.0]),
        tags in proptest::collection::vec(proptest::sample::select(vec!["a", "é", ""]), 0..3),
    ) -> Row {
        let or_null = |value: Option<Value>| value.unwrap_or(Value::Null);
        Row::post()
            .with("title", Value::text(title))
            .with("published", Value::Bool(published))
            .with("flag", or_null(flag.map(Value::Bool)))
            .with("owner", or_null(owner.map(Value::text)))
            .with("score", or_null(score.map(Value::Int)))
            .with("views", Value::Int(views))
            .with("rating", or_null(rating.map(Value::Float)))
            .with("tags", Value::List(tags.into_iter().map(Value::text).collect()))
    }
}

/// The interpreter's answer; none for an error.
fn interpreted(text: &str, row: &Row) -> Option<bool> {
    let mut context = cel::Context::default();
    for name in ["title", "published", "flag", "owner", "score", "views", "rating", "tags"] {
        context.add_variable_from_value(name, to_cel(row.fields.get(name).unwrap_or(&Value::Null)));
    }
    match cel::Program::compile(text).expect("parses").execute(&context) {
        Ok(cel::Value::Bool(value)) => Some(value),
        _ => None,
    }
}

fn to_cel(value: &Value) -> cel::Value {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::Text(text) => text.to_string().into(),
        Value::List(values) => values.iter().map(to_cel).collect::<Vec<cel::Value>>().into(),
        _ => cel::Value::Null,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn scalars_mean_what_the_cel_interpreter_says(bytes in proptest::collection::vec(any::<u8>(), 0..60), row in row()) {
        let text = Draw { bytes: &bytes, plain: true }.truth(3);
        let ours = match run(&text, &row, &anonymous(), &[]) {
            Ok(Value::Bool(value)) => Some(value),
            _ => None,
        };
        prop_assert_eq!(ours, interpreted(&text, &row), "{}", text);
    }

    /// Whole texts, and texts out of which something was cut.
    #[test]
    fn the_quick_parser_reads_what_the_whole_one_reads(
        bytes in proptest::collection::vec(any::<u8>(), 0..80),
        (from, count) in (0_usize..200, 0_usize..4),
    ) {
        let text = Draw { bytes: &bytes, plain: false }.truth(4);
        let cut: String = text.chars().take(from).chain(text.chars().skip(from + count)).collect();
        check_quick(&text, &Limits::default());
        check_quick(&cut, &Limits::default());
    }

    /// [`run`] compares, and holds the promises of `may_null` and `may_error` against what comes out.
    #[test]
    fn folding_keeps_the_meaning(
        bytes in proptest::collection::vec(any::<u8>(), 0..60),
        row in row(),
        who in 0..3_u8,
        scores in proptest::collection::vec(maybe(vec![0, 7, -7]), 0..3),
        author in proptest::option::of(0..3_u8),
        city in proptest::option::of(Just(r#"{"city":"a"}"#)),
    ) {
        let text = Draw { bytes: &bytes, plain: false }.truth(3);
        let comments = scores.into_iter().map(|score| Row::default().with("score", score.map_or(Value::Null, Value::Int)));
        let mut row = row
            .list("comments", comments.collect())
            .with("address", city.map_or(Value::Null, |city| Value::Json(city.into())));
        if let Some(number) = author {
            let org = Row { key: Some(Value::Int(3)), ..Row::default() }.list("members", vec![Row::user(1)]);
            let author = Row::user(number);
            row = row.link("author", if number == 0 { author } else { author.link("org", org) });
        }
        let who = match who {
            0 => anonymous(),
            1 => caller("a"),
            _ => caller(&user_key(1)),
        };
        let _ = run(&text, &row, &who, &[]);
    }

    /// Neither panics nor points outside of the text or into a character.
    #[test]
    fn any_text_is_refused_or_compiles(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "title", "author", ".", "org", "(", ")", "[", "]", ",", "&&", "||", "!", "-", "==", "<", " in ", "?", ":", "'é'", "'",
                "\"", "é", "p.x", "auth", "id", "exists", "has", "1", "2.5", "null", "true", "//é\n", "\n", " ", "{", "}", "=", "r'\\d'", "`",
                "b'x'", "0x", "1u", "size", "isOwn", "looped", "\\", "\u{0}", "+", "duration", "'1h'", "comments", "c",
            ]),
            0..12,
        ),
    ) {
        let text = parts.concat();
        match compiled(&text, &Type::Null) {
            Ok(compiled) => {
                compiled.expr.any(&mut |part| {
                    assert!(text.get(part.span.start as usize..part.span.end as usize).is_some(), "{text}: {part:?}");
                    false
                });
            }
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                for problem in problems {
                    let under = text.get(problem.span.start as usize..problem.span.end as usize);
                    prop_assert!(under.is_some(), "{}: {:?}", text, problem);
                }
            }
        }
    }
}
