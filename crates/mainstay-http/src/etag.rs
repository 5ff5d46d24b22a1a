//! Entity tags: strong ones from a record's version, weak ones from the bytes of an answer.
use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::fast::FixedState;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{
    compress,
    problem::{Code, Outcome, Problem},
};

/// A version that no record has: what a tag that cannot be equal to any asks for.
const VERSION_NEVER: i64 = -1;

/// Seeds the hash of weak tags; the same on every node.
const WEAK_SEED: u64 = 0x6d61_696e_7374_6179;

/// The strong tag of a version.
pub(crate) fn strong(version: i64) -> HeaderValue {
    let mut tag = Vec::with_capacity(22);
    tag.push(b'"');
    mainstay_schema::json_int(&mut tag, version);
    tag.push(b'"');
    HeaderValue::from_maybe_shared(bytes::Bytes::from(tag)).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// The weak tag of an answer's bytes.
pub(crate) fn weak(body: &[u8]) -> HeaderValue {
    let mut hasher = FixedState::with_seed(WEAK_SEED).build_hasher();
    hasher.write(body);
    let tag = format!("W/\"{:016x}\"", hasher.finish());
    HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("W/\"\""))
}

/// What a strong tag ends with when it is of the compressed form of an answer.
const COMPRESSED: &str = "-gzip";

/// The tag of the compressed form of what has this tag; `None`: the same.
pub(crate) fn compressed(tag: &HeaderValue) -> Option<HeaderValue> {
    let text = tag.to_str().ok()?.strip_prefix('"')?.strip_suffix('"')?;
    HeaderValue::try_from(format!("\"{text}{COMPRESSED}\"")).ok()
}

/// The tag that `If-None-Match` holds by the weak comparison: this one, or that of the compressed form, where the client takes it.
pub(crate) fn none_match(headers: &HeaderMap, tag: &HeaderValue) -> Option<HeaderValue> {
    fn opaque(tag: &str) -> &str {
        tag.trim().trim_start_matches("W/")
    }
    if !headers.contains_key(header::IF_NONE_MATCH) {
        return None;
    }
    let holds = |tag: &HeaderValue| {
        let Ok(tag) = tag.to_str() else { return false };
        let sent = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        sent.flat_map(|value| value.split(',')).any(|sent| sent.trim() == "*" || opaque(sent) == opaque(tag))
    };
    if holds(tag) {
        return Some(tag.clone());
    }
    compressed(tag).filter(|tag| compress::accepted(headers).gzip && holds(tag))
}

/// The version that `If-Match` asks for; `None` for any.
pub(crate) fn version_wanted(headers: &HeaderMap) -> Outcome<Option<i64>> {
    let mut values = headers.get_all(header::IF_MATCH).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if values.next().is_some() || text.contains(',') {
        return Err(Problem::new(Code::InvalidHeader, "If-Match takes one version here"));
    }
    if text == "*" {
        return Ok(None);
    }
    let strong = text.strip_prefix("W/").unwrap_or(text);
    let quoted = strong.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).filter(|rest| !rest.contains('"'));
    // A shell takes the quotes away; a bare number can mean nothing else.
    let bare = Some(text).filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    let opaque = quoted.or(bare);
    let Some(opaque) = opaque else {
        let hint = Some("send the version of the record as a strong tag, quotes included: If-Match: \"3\"".into());
        return Err(Problem::new(Code::InvalidHeader, format!("If-Match is no entity tag: {text:?}")).hint(hint));
    };
    let opaque = opaque.strip_suffix(COMPRESSED).unwrap_or(opaque);
    // A weak tag is never equal by the strong comparison, and neither is one that we never made.
    let canonical = opaque.parse::<i64>().ok().filter(|version| *version >= 0 && version.to_string() == opaque);
    Ok(Some(canonical.filter(|_| strong == text).unwrap_or(VERSION_NEVER)))
}

/// The refusal of a write whose `If-Match` no version can ever meet says so: nobody else changed the record.
pub(crate) fn say_never(headers: &HeaderMap, mut problem: Box<Problem>) -> Box<Problem> {
    let (Code::VersionMismatch, Some(present)) = (problem.code, problem.version) else { return problem };
    if !matches!(version_wanted(headers), Ok(Some(VERSION_NEVER))) {
        return problem;
    }
    let sent = headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default().trim();
    let why = if sent.starts_with("W/") { "is weak, and no weak tag ever matches" } else { "is of no version" };
    problem.detail = format!("the tag {sent} of If-Match {why}; the record has the version {present}").into();
    problem.hint(Some("read the record with its \"version\", and send that, in quotes: If-Match: \"3\"".to_owned()))
}

/// Refuses a condition that has no meaning for this call: it must not be taken for one that holds.
pub(crate) fn refuse(headers: &HeaderMap, names: &[HeaderName]) -> Outcome<()> {
    match names.iter().find(|name| headers.contains_key(*name)) {
        Some(name) => {
            Err(Problem::new(Code::InvalidHeader, format!("the header {name:?} has no meaning for this call")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(value: &str) -> Result<Option<i64>, &'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, value.parse().expect("a header value"));
        version_wanted(&headers).map_err(|problem| problem.code.row().name)
    }

    #[test]
    fn a_version_is_wanted_by_a_strong_tag_alone() {
        assert_eq!(wanted("\"3\""), Ok(Some(3)));
        assert_eq!(wanted("3"), Ok(Some(3)));
        assert_eq!(wanted("\"3-gzip\""), Ok(Some(3)));
        assert_eq!(wanted("*"), Ok(None));
        for never in ["W/\"3\"", "\"03\"", "\"x\"", "\"\"", "\"-3\"", "\"99999999999999999999\"", "W/\"3-gzip\""] {
            assert_eq!(wanted(never), Ok(Some(VERSION_NEVER)), "{never}");
        }
        for malformed in ["x", "-3", "W/3", "\"3", "\"3\", \"4\"", "\"3\"4\"", ""] {
            assert_eq!(wanted(malformed), Err("invalid_header"), "{malformed}");
        }
    }

    #[test]
    fn none_match_compares_weakly() {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"a\", W/\"3\""));
        assert_eq!(none_match(&headers, &strong(3)), Some(strong(3)));
        assert_eq!(none_match(&headers, &strong(4)), None);
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("*"));
        assert_eq!(none_match(&headers, &weak(b"x")), Some(weak(b"x")));
        // The compressed form is of use to those alone who take it.
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"3-gzip\""));
        assert_eq!(none_match(&headers, &strong(3)), None);
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        assert_eq!(none_match(&headers, &strong(3)), compressed(&strong(3)));
        assert_eq!(none_match(&headers, &strong(4)), None);
        assert_eq!(compressed(&weak(b"x")), None);
        assert_ne!(weak(b"x"), weak(b"y"));
    }
}
