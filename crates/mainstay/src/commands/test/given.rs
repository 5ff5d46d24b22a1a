//! Values of earlier answers inside later requests: `{note.id}`.
use std::collections::BTreeMap;

use mainstay_schema::nearest;
use serde_json::Value;

/// The answers that were kept, by their names.
#[derive(Default)]
pub(super) struct Given(BTreeMap<String, Value>);

impl Given {
    pub(super) fn keep(&mut self, name: &str, answer: Value) {
        self.0.insert(name.to_owned(), answer);
    }

    /// A text with the values put in. Fails with the reason where a value is not there.
    pub(super) fn text(&self, text: &str) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, name, after)) = next(rest) {
            out.push_str(before);
            match self.value(name)? {
                Value::String(text) => out.push_str(text),
                other => out.push_str(&other.to_string()),
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    /// The same in every text of a value; a text that is one name alone becomes the value itself.
    pub(super) fn json(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => match next(text) {
                Some(("", name, "")) => self.value(name)?.clone(),
                _ => Value::String(self.text(text)?),
            },
            Value::Array(items) => Value::Array(items.iter().map(|item| self.json(item)).collect::<Result<_, _>>()?),
            Value::Object(members) => {
                let member = |(name, value): (&String, &Value)| Ok((name.clone(), self.json(value)?));
                Value::Object(members.iter().map(member).collect::<Result<_, String>>()?)
            }
            other => other.clone(),
        })
    }

    fn value(&self, path: &str) -> Result<&Value, String> {
        let (name, inner) = path.split_once('.').map_or((path, None), |(name, inner)| (name, Some(inner)));
        let Some(value) = self.0.get(name) else {
            let near = nearest(name, self.0.keys().map(String::as_str));
            let near = near.map_or(String::new(), |near| format!("; do you mean \"{near}\"?"));
            return Err(format!("no earlier answer is kept as \"{name}\"{near}"));
        };
        inner.map_or(Some(value), |inner| at(value, inner)).ok_or_else(|| format!("\"{path}\" is not in that answer"))
    }
}

/// The value at a path of names and positions: `items.0.title`.
pub(super) fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, name| match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        value => value.get(name),
    })
}

/// The first name in braces, with what stands before and behind it. Other braces are text.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let open = from + text.get(from..)?.find('{')?;
        let inner = &text[open + 1..];
        if let Some(close) = inner.find('}')
            && is_path(&inner[..close])
        {
            return Some((&text[..open], &inner[..close], &inner[close + 1..]));
        }
        from = open + 1;
    }
}

fn is_path(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_in_braces_become_values() {
        let mut given = Given::default();
        given.keep("note", json!({"id": "a1", "version": 2, "tags": ["x", "y"]}));
        assert_eq!(given.text("/api/notes/{note.id}?v={note.version}").as_deref(), Ok("/api/notes/a1?v=2"));
        assert_eq!(given.text("^[a-z]{1,60}$ {} {1}").as_deref(), Ok("^[a-z]{1,60}$ {} {1}"));
        let value = given.json(&json!({"v": "{note.version}", "t": ["{note.tags.1}!"], "all": "{note.tags}"}));
        assert_eq!(value, Ok(json!({"v": 2, "t": ["y!"], "all": ["x", "y"]})));
        assert_eq!(given.text("{not.id}"), Err("no earlier answer is kept as \"not\"; do you mean \"note\"?".into()));
        assert_eq!(given.text("{note.ids}"), Err("\"note.ids\" is not in that answer".into()));
    }
}
