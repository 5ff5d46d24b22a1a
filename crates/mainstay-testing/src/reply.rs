//! What came back.
use std::fmt;

use reqwest::header::HeaderMap;
use serde_json::Value as Json;

/// A server's answer. Shown as `200 {…}`, with what differs from run to run replaced: `[id]`, `[time]`, `[cursor]`, `[request]`.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

/// Members whose texts are replaced, with what stands for them.
const REPLACED: [(&str, &str); 4] = [
    ("\"createdAt\":\"", "[time]"),
    ("\"updatedAt\":\"", "[time]"),
    ("\"next\":\"", "[cursor]"),
    ("\"requestId\":\"", "[request]"),
];

const UUID_LENGTH: usize = 36;

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.text))
    }

    /// The records of a page.
    pub fn items(&self) -> Vec<Json> {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()["items"].as_array().expect("a page").clone()
    }

    /// One member of each record of a page, as texts.
    pub fn column(&self, name: &str) -> Vec<String> {
        let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.items().iter().map(|item| text(&item[name])).collect()
    }

    /// The id of the record.
    pub fn id(&self) -> String {
        self.json()["id"].as_str().unwrap_or_else(|| panic!("no id: {}", self.text)).to_owned()
    }

    /// A header's value; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The code of a problem.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_else(|| panic!("no problem: {}", self.text)).to_owned()
    }

    /// The status, the code and the detail of a problem, and what is wrong with which field: `422 invalid_record: …`.
    pub fn problem(&self) -> String {
        let json = self.json();
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        let mut out = format!("{} {}: {}", self.status, text("code"), text("detail"));
        for error in json["errors"].as_array().into_iter().flatten() {
            let part = |name: &str| error[name].as_str().unwrap_or_default();
            out += &format!("\n{} {}: {}", part("pointer"), part("code"), part("detail"));
        }
        out
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = without_ids(&self.text);
        for (member, shown) in REPLACED {
            text = replaced(&text, member, shown);
        }
        write!(out, "{} {text}", self.status)
    }
}

/// Replaces the rest of each text behind `member`.
fn replaced(text: &str, member: &str, shown: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(member) {
        let (before, behind) = rest.split_at(at + member.len());
        out.push_str(before);
        out.push_str(shown);
        rest = &behind[behind.find('"').unwrap_or(behind.len())..];
    }
    out + rest
}

/// Replaces the keys that the server made: UUIDs of version 7.
fn without_ids(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if rest.get(..UUID_LENGTH).is_some_and(is_uuid_v7) {
            out.push_str("[id]");
            rest = &rest[UUID_LENGTH..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

fn is_uuid_v7(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        14 => byte == b'7',
        _ => byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase(),
    })
}
