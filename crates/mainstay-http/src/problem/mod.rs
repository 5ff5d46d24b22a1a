//! Problem details (RFC 9457): every refusal and failure as one JSON shape, with a code from one table.
mod pages;
mod table;

use std::borrow::Cow;

use mainstay_core::{Error, FieldError};
use mainstay_schema::{json_int, json_string};

pub use pages::{errors_html, errors_markdown};
pub(crate) use table::{Code, TABLE};

/// Why a request is not answered as it was asked.
#[derive(Debug)]
pub(crate) struct Problem {
    /// The row of the table.
    pub(crate) code: Code,
    /// What is wrong, for people. Of a 5xx it is not sent.
    pub(crate) detail: Cow<'static, str>,
    /// What to do next; without one the table's.
    pub(crate) hint: Option<String>,
    /// Which fields are wrong.
    pub(crate) fields: Vec<FieldError>,
    /// The record's present version.
    pub(crate) version: Option<i64>,
    /// Which rule refused.
    pub(crate) rule: Option<String>,
    /// The methods that are allowed.
    pub(crate) allow: Option<&'static str>,
    /// The content codings that are read, where another one was sent.
    pub(crate) accept_encoding: Option<&'static str>,
    /// The cause, for the log alone.
    pub(crate) cause: Option<String>,
}

/// What a step of a request gives; the problem is boxed, as it is rare and large.
pub(crate) type Outcome<T> = Result<T, Box<Problem>>;

impl Problem {
    /// A problem with a detail.
    pub(crate) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Box<Problem> {
        Box::new(Problem {
            code,
            detail: detail.into(),
            hint: None,
            fields: Vec::new(),
            version: None,
            rule: None,
            allow: None,
            accept_encoding: None,
            cause: None,
        })
    }

    /// The same with a hint, if there is one.
    pub(crate) fn hint(mut self: Box<Problem>, hint: Option<String>) -> Box<Problem> {
        self.hint = hint.or(self.hint);
        self
    }

    /// The JSON of it, for one request.
    pub(crate) fn json(&self, request_id: &str) -> Vec<u8> {
        let row = self.code.row();
        let server_side = row.status >= 500 && self.code != Code::PathNotAvailable;
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(b"{\"type\":\"/docs/errors#");
        out.extend_from_slice(row.name.as_bytes());
        out.push(b'"');
        text_member(&mut out, "title", row.title);
        out.extend_from_slice(b",\"status\":");
        json_int(&mut out, i64::from(row.status));
        text_member(&mut out, "code", row.name);
        text_member(&mut out, "detail", if server_side { row.title } else { &self.detail });
        text_member(&mut out, "hint", self.hint.as_deref().filter(|_| !server_side).unwrap_or(row.hint));
        if let Some(rule) = &self.rule {
            text_member(&mut out, "rule", rule);
        }
        if let Some(version) = self.version {
            out.extend_from_slice(b",\"version\":");
            json_int(&mut out, version);
        }
        if !self.fields.is_empty() {
            write_fields(&mut out, &self.fields);
        }
        text_member(&mut out, "requestId", request_id);
        out.push(b'}');
        out
    }
}

fn text_member(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    json_string(out, value);
}

fn write_fields(out: &mut Vec<u8>, fields: &[FieldError]) {
    for (at, field) in fields.iter().enumerate() {
        out.extend_from_slice(if at == 0 { b",\"errors\":[{\"pointer\":" } else { b",{\"pointer\":" });
        json_string(out, &field.pointer);
        text_member(out, "code", &field.code);
        text_member(out, "detail", &field.message);
        if let Some(hint) = &field.hint {
            text_member(out, "hint", hint);
        }
        out.push(b'}');
    }
    out.push(b']');
}

impl From<Error> for Box<Problem> {
    fn from(mut error: Error) -> Box<Problem> {
        let code = Code::from(error.kind);
        // What is wrong with a whole operation says which one it is.
        if let Some(pointer) = error.place.take().filter(|_| error.fields.is_empty() && code.row().status < 500) {
            let (code, message) = (code.row().name.to_owned(), error.message.clone());
            error.fields.push(FieldError { pointer, code, message, hint: None });
        }
        Box::new(Problem {
            code,
            detail: error.message.into(),
            hint: error.hint,
            fields: error.fields,
            version: error.version,
            rule: error.rule,
            allow: None,
            accept_encoding: None,
            cause: error.cause,
        })
    }
}
