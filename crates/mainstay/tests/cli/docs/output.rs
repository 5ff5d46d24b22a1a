//! What commands print, held to what a page says they print. `…` stands for anything: within a line or a JSON text, for lines
//! where it stands alone, for any JSON value, and as `"…": "…"` for members that are not shown.
use std::borrow::Cow;

use mainstay_schema::{Json, JsonLimits};
use serde_json::{Deserializer, Value, value::RawValue};

/// The wildcard.
const ANY: &str = "…";

/// Whether the output is what the page says; if not, why.
pub(super) fn check(language: &str, expected: &str, output: &str) -> Result<(), String> {
    let same = match language {
        "json" => {
            documents(expected)?.len() == documents(output)?.len()
                && documents(expected)?.iter().zip(&documents(output)?).all(|(a, b)| json(a, b))
        }
        _ => lines(&expected.lines().collect::<Vec<_>>(), &output.lines().collect::<Vec<_>>()),
    };
    if same { Ok(()) } else { Err(format!("── the page says\n{expected}── it is\n{output}")) }
}

/// Whether each line of `expected` is among the lines that a server has said, in this order.
pub(super) fn among(expected: &str, said: &str) -> bool {
    let mut said = said.lines().map(message);
    let mut shown = expected.lines().filter(|line| line.trim() != ANY && !line.trim().is_empty());
    shown.all(|line| said.any(|own| text(line.trim(), own.trim())))
}

/// The words of a line of the log, which is JSON where no terminal is.
fn message(line: &str) -> String {
    let json: Option<Value> = serde_json::from_str(line).ok();
    json.and_then(|json| Some(json.get("message")?.as_str()?.to_owned())).unwrap_or_else(|| line.to_owned())
}

fn documents(text: &str) -> Result<Vec<Value>, String> {
    Deserializer::from_str(text).into_iter().collect::<Result<_, _>>().map_err(|error| format!("{error} in {text}"))
}

fn lines(expected: &[&str], output: &[&str]) -> bool {
    match expected.split_first() {
        None => output.is_empty(),
        Some((first, rest)) if first.trim() == ANY => (0..=output.len()).any(|at| lines(rest, &output[at..])),
        Some((first, rest)) => {
            output.split_first().is_some_and(|(own, left)| text(first.trim_end(), own.trim_end()) && lines(rest, left))
        }
    }
}

fn text(expected: &str, output: &str) -> bool {
    let mut parts = expected.split(ANY);
    let Some(mut rest) = parts.next().and_then(|first| output.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

fn json(expected: &Value, output: &Value) -> bool {
    match (expected, output) {
        (Value::String(any), _) if any == ANY => true,
        (Value::String(expected), Value::String(output)) => text(expected, output),
        (Value::Array(expected), Value::Array(output)) => match expected.split_last() {
            Some((last, shown)) if last == ANY && shown.len() <= output.len() => {
                shown.iter().zip(output).all(|(a, b)| json(a, b))
            }
            _ => expected.len() == output.len() && expected.iter().zip(output).all(|(a, b)| json(a, b)),
        },
        (Value::Object(expected), Value::Object(output)) => {
            let all = expected.contains_key(ANY) || expected.len() == output.len();
            let mut shown = expected.iter().filter(|(name, _)| *name != ANY);
            all && shown.all(|(name, value)| output.get(name).is_some_and(|own| json(value, own)))
        }
        _ => expected == output,
    }
}

/// The output as a page shows it, with what differs from run to run as wildcards.
pub(super) fn shown(language: &str, output: &str) -> String {
    let raw: Result<Vec<Box<RawValue>>, _> = Deserializer::from_str(output).into_iter().collect();
    match raw {
        Ok(raw) if language == "json" => raw.iter().map(|raw| format!("{}\n", pretty("", &order(raw), 0))).collect(),
        _ => output.to_owned(),
    }
}

/// JSON with its members in the order in which they came.
fn order(raw: &RawValue) -> Json<'_> {
    Json::parse(raw.get().as_bytes(), JsonLimits::default()).unwrap()
}

/// JSON, broken into lines where one would be long.
fn pretty(name: &str, value: &Json<'_>, indent: usize) -> String {
    const WIDTH: usize = 110;
    let (margin, inner) = (" ".repeat(indent), " ".repeat(indent + 2));
    let wide = |parts: Vec<String>, open: &str, close: &str| {
        let one = format!("{open}{}{close}", parts.join(", "));
        match one.chars().count() + indent <= WIDTH && !one.contains('\n') {
            true => one,
            false => format!("{open}\n{inner}{}\n{margin}{close}", parts.join(&format!(",\n{inner}"))),
        }
    };
    match value {
        Json::Array(items) => wide(items.iter().map(|item| pretty("", item, indent + 2)).collect(), "[", "]"),
        Json::Object(members) => {
            let member = |(name, value): &(Cow<'_, str>, Json<'_>)| {
                format!("{}: {}", Value::from(&**name), pretty(name, value, indent + 2))
            };
            wide(members.iter().map(member).collect(), "{", "}")
        }
        Json::Text(text) if differs(name, text) => Value::from(ANY).to_string(),
        Json::Text(text) => Value::from(&**text).to_string(),
        value => value.to_canonical(),
    }
}

/// Whether it is an id, a moment, a token.
fn differs(name: &str, text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_hexdigit() { '0' } else { c }).collect();
    let moment = shape.len() == 27 && shape.ends_with('Z') && shape.contains(':');
    let id = shape == "00000000-0000-0000-0000-000000000000";
    id || moment || ["requestId", "next", "token", "fingerprint"].contains(&name)
}

#[test]
fn outputs_are_compared_up_to_wildcards() {
    let same = |language: &str, a: &str, b: &str| check(language, a, b).is_ok();
    assert!(same("text", "a…c\n…\nz\n", "abc\nq\nr\nz\n") && !same("text", "a…c\n", "abcd\n"));
    assert!(same("json", r#"{"id": "…", "a": [1, "…"], "…": "…"}"#, r#"{"a":[1,2,3],"id":7,"b":0}"#));
    assert!(!same("json", r#"{"a": 1}"#, r#"{"a": 1, "b": 2}"#) && !same("json", "{}\n{}", "{}"));
    assert!(among("… refused …\n", "{\"message\":\"a refused b\"}") && !among("b\na\n", "a\nb\n"));
    assert_eq!(shown("json", r#"{"id":"019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f","n":1}"#), "{\"id\": \"…\", \"n\": 1}\n");
}
