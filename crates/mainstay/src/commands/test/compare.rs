//! What is expected of an answer compared with what came, a line for each difference.
use serde_json::Value;

use super::{
    file::{Step, micros},
    given::at,
    wire::Reply,
};

/// Longest shown value, in characters.
const SHOWN_MAX: usize = 200;

/// The differences; none when all is as expected. `answer` is what the body must hold, with values put in.
pub(super) fn differences(step: &Step, answer: Option<&Value>, reply: &Reply) -> Vec<String> {
    let mut out = Vec::new();
    status(step, reply, &mut out);
    for (name, wanted) in [("code", &step.error), ("rule", &step.rule)] {
        let came = reply.json.get(name).and_then(Value::as_str);
        if let Some(wanted) = wanted
            && came != Some(wanted)
        {
            out.push(format!(
                "{name}: expected {wanted:?}, got {}",
                came.map_or("none".into(), |came| format!("{came:?}"))
            ));
        }
    }
    if let Some(answer) = answer {
        part("answer", answer, &reply.json, &mut out);
    }
    for path in &step.absent {
        if let Some(value) = at(&reply.json, path) {
            out.push(format!("{path}: expected to be absent, got {}", shown(value)));
        }
    }
    if let Some(wanted) = step.count {
        match reply.json.get("items").and_then(Value::as_array) {
            Some(items) if items.len() == wanted => {}
            Some(items) => out.push(format!("count: expected {wanted}, got {}", items.len())),
            None => out.push(format!("count: expected {wanted} items, got no page")),
        }
    }
    out
}

fn status(step: &Step, reply: &Reply, out: &mut Vec<String>) {
    let got = || match reply.json.get("code").and_then(Value::as_str) {
        Some(code) => format!("{} {code}", reply.status),
        None => reply.status.to_string(),
    };
    match step.status {
        Some(status) if status == reply.status => {}
        Some(status) => out.push(format!("status: expected {status}, got {}", got())),
        None if step.error.is_some() || step.rule.is_some() => {
            let refused = reply.status >= 400;
            out.extend((!refused).then(|| format!("status: expected a refusal, got {}", got())));
        }
        None if reply.status >= 400 => out.push(format!("status: expected success, got {}", got())),
        None => {}
    }
}

/// Every member that is expected must be there; others may be there too. Lists are compared item by item.
fn part(path: &str, expected: &Value, got: &Value, out: &mut Vec<String>) {
    match (expected, got) {
        (Value::Object(members), Value::Object(_)) => {
            for (name, value) in members {
                let path = format!("{path}.{name}");
                match got.get(name) {
                    Some(got) => part(&path, value, got, out),
                    None => out.push(format!("{path}: expected {}, got nothing", shown(value))),
                }
            }
        }
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
            for (at, (item, other)) in items.iter().zip(others).enumerate() {
                part(&format!("{path}.{at}"), item, other, out);
            }
        }
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => {}
        (Value::String(a), Value::String(b)) if moment(a).is_some_and(|a| Some(a) == moment(b)) => {}
        _ if expected == got => {}
        _ => out.push(format!("{path}: expected {}, got {}", shown(expected), shown(got))),
    }
}

/// A text that is a moment, however many digits its second has.
fn moment(text: &str) -> Option<i64> {
    micros(&text.parse().ok()?)
}

/// A value, shortened.
pub(super) fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_expected_is_a_part_of_what_came() {
        let check = |expected: Value, got: Value| {
            let mut out = Vec::new();
            part("answer", &expected, &got, &mut out);
            out.join("; ")
        };
        assert_eq!(check(json!({"a": 1}), json!({"a": 1.0, "b": 2})), "");
        assert_eq!(check(json!({"a": {"b": 1}}), json!({"a": {"b": 2}})), "answer.a.b: expected 1, got 2");
        assert_eq!(check(json!({"a": null}), json!({})), "answer.a: expected null, got nothing");
        assert_eq!(check(json!("2026-01-31T12:00:00Z"), json!("2026-01-31T12:00:00.000000Z")), "");
        assert_eq!(check(json!([{"a": 1}]), json!([{"a": 1, "b": 1}])), "");
        assert_eq!(check(json!([1]), json!([1, 2])), "answer: expected [1], got [1,2]");
    }
}
