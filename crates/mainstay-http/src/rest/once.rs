//! The header `Idempotency-Key`: a write that is done once, and its answer as bytes that are kept and come back the same.
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use mainstay_core::{Answer, Kept, Once, Operation, Request};

use super::other_answer;
use crate::{
    app::World,
    body::Body,
    prefer::PREFERENCE_APPLIED,
    problem::{Code, Outcome, Problem},
    reply::{self, Response},
    service::Connection,
};

pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub(crate) const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The form of the bytes; another form is another number.
const FORM: u8 = 1;

/// The headers that are kept, each by its place here.
const KEPT: [HeaderName; 5] =
    [header::CONTENT_TYPE, header::LOCATION, header::ETAG, PREFERENCE_APPLIED, header::CACHE_CONTROL];

/// The key of the request, if it has one.
fn key(headers: &HeaderMap, length_max: usize) -> Outcome<Option<&str>> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let wrong = |detail: String| {
        let hint =
            "send something that nobody sends twice by chance, as a UUID: Idempotency-Key: \"8e03978e-40d5-43dd\"";
        Err(Problem::new(Code::InvalidHeader, format!("Idempotency-Key {detail}")).hint(Some(hint.into())))
    };
    if values.next().is_some() {
        return wrong("comes twice".into());
    }
    let text = value.to_str().unwrap_or("\u{0}").trim();
    // A text of RFC 9651 stands in quotes; most clients send it bare.
    let key = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    if key.is_empty() {
        return wrong("is empty".into());
    }
    if key.len() > length_max {
        return wrong(format!("has {} characters, at most {length_max} are taken", key.len()));
    }
    if !key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\') {
        return wrong("takes letters, digits and signs of ASCII, without quotes, backslashes and spaces".into());
    }
    Ok(Some(key))
}

/// A write as it was sent.
pub(super) struct Sent<'a> {
    pub(super) connection: &'a Connection,
    pub(super) world: &'a World,
    pub(super) parts: &'a Parts,
    pub(super) request: &'a Request,
    pub(super) body: &'a [u8],
}

impl Sent<'_> {
    /// Runs the write, once for its key where it has one; `respond` makes the response of its answer.
    pub(super) async fn run(
        self,
        operation: Operation<'_>,
        respond: impl Fn(Answer) -> Outcome<Response> + Clone + Send + Sync + 'static,
    ) -> Outcome<Response> {
        let length_max = self.connection.app.settings().idempotency_key_length_max;
        let Some(key) = key(&self.parts.headers, length_max)? else {
            return respond(self.world.core.run(self.request, operation).await?);
        };
        let keep = {
            let respond = respond.clone();
            move |answer| respond(answer).map(|response| write(&response)).unwrap_or_default()
        };
        let (path, query) = (self.parts.uri.path(), self.parts.uri.query().unwrap_or_default());
        let once = Once::new(key.to_owned(), path, query, self.body, Arc::new(keep));
        let request = Request { once: Some(Arc::new(once)), ..self.request.clone() };
        match self.world.core.run(&request, operation).await? {
            Answer::Kept(kept) => response(kept),
            answer => respond(answer),
        }
    }
}

/// An answer as bytes: status, headers, body.
fn write(response: &Response) -> Vec<u8> {
    let body: &[u8] = match response.body() {
        Body::Ready(bytes) => bytes,
        Body::Stream { .. } => &[],
    };
    let mut out = Vec::with_capacity(body.len() + 256);
    out.push(FORM);
    out.extend_from_slice(&response.status().as_u16().to_be_bytes());
    for name in &KEPT {
        let value = response.headers().get(name).map_or(&[][..], HeaderValue::as_bytes);
        out.extend_from_slice(&(value.len() as u16).to_be_bytes());
        out.extend_from_slice(value);
    }
    out.extend_from_slice(body);
    out
}

/// The answer that was kept.
fn response(kept: Kept) -> Outcome<Response> {
    let mut response = read(Bytes::from(kept.bytes)).ok_or_else(other_answer)?;
    if kept.replayed {
        response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

fn read(mut bytes: Bytes) -> Option<Response> {
    let mut take = |length: usize| (bytes.len() >= length).then(|| bytes.split_to(length));
    if take(1)?[0] != FORM {
        return None;
    }
    let status = take(2)?;
    let status = StatusCode::from_u16(u16::from_be_bytes([status[0], status[1]])).ok()?;
    let mut response = reply::empty(status);
    for name in &KEPT {
        let length = take(2)?;
        let value = take(usize::from(u16::from_be_bytes([length[0], length[1]])))?;
        if !value.is_empty() {
            response.headers_mut().insert(name, HeaderValue::from_maybe_shared(value).ok()?);
        }
    }
    *response.body_mut() = Body::Ready(bytes);
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_comes_back_byte_for_byte() {
        let mut response = reply::written(StatusCode::CREATED, b"{\"id\":1}".to_vec(), None);
        response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/api/x/1"));
        let again = read(Bytes::from(write(&response))).expect("it reads");
        assert_eq!(again.status(), response.status());
        assert_eq!(again.headers(), response.headers());
        assert_eq!(write(&again), write(&response));
        for cut in 0..20 {
            let _ = read(Bytes::from(write(&response)[..cut].to_vec()));
        }
    }

    #[test]
    fn keys() {
        let check = |text: &str, expected: Result<Option<&str>, &str>| {
            let mut headers = HeaderMap::new();
            headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_bytes(text.as_bytes()).expect("a header"));
            let key = key(&headers, 8).map_err(|problem| problem.detail.into_owned());
            assert_eq!(key.as_ref().map(|key| *key).map_err(|detail| &**detail), expected, "{text}");
        };
        check("abc", Ok(Some("abc")));
        check("\"abc\"", Ok(Some("abc")));
        check("12345678", Ok(Some("12345678")));
        check("123456789", Err("Idempotency-Key has 9 characters, at most 8 are taken"));
        check("\"\"", Err("Idempotency-Key is empty"));
        check("", Err("Idempotency-Key is empty"));
        let signs = "Idempotency-Key takes letters, digits and signs of ASCII, without quotes, backslashes and spaces";
        check("a b", Err(signs));
        check("\"a", Err(signs));
        check("a\\b", Err(signs));
        check("é", Err(signs));
    }
}
