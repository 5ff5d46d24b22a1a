//! Answers as gzip, where the client takes it and it is worth it (RFC 9110 §§ 8.4, 12.5.3).
//!
//! - A strong entity tag tells every form of an answer apart, so the compressed form of `"3"` is `"3-gzip"`; conditions take either
//!   (`etag.rs`). A weak tag is of both forms.
//! - Problem details are never compressed: they repeat what was sent, and an answer whose length tells how well that fits to
//!   what else is in it can be made to tell the rest.
use std::io::Write as _;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::{body::Body, etag, reply::Response};

const GZIP: HeaderValue = HeaderValue::from_static("gzip");
const ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("accept-encoding");
/// From so many bytes on an answer is compressed on a thread of its own.
const OFF_THREAD_BYTES: usize = 32 * 1024;

/// Which forms a client takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// Whether it takes gzip, and not rather the plain form.
    pub(crate) gzip: bool,
    /// Whether it takes the plain form.
    pub(crate) plain: bool,
}

/// Which forms the client of a request takes.
pub(crate) fn accepted(headers: &HeaderMap) -> Accepted {
    let (mut gzip, mut identity, mut others) = (None, None, None);
    let texts = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    for part in texts.flat_map(|text| text.split(',')) {
        let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
        let Some(quality) = quality(parameters) else { continue };
        let name = name.trim();
        if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            gzip = Some(quality);
        } else if name.eq_ignore_ascii_case("identity") {
            identity = Some(quality);
        } else if name == "*" {
            others = Some(quality);
        }
    }
    let gzip = gzip.or(others).unwrap_or(0);
    // What is not named is taken plain, unless `*;q=0` says otherwise.
    let plain = identity != Some(0) && !(identity.is_none() && others == Some(0));
    Accepted { gzip: gzip > 0 && identity.is_none_or(|identity| identity <= gzip), plain }
}

/// The quality of a coding, in thousandths; `None`: it is not written as one.
fn quality(parameters: &str) -> Option<u16> {
    let parameters = parameters.trim();
    if parameters.is_empty() {
        return Some(1_000);
    }
    let (name, value) = parameters.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let value = value.trim();
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", thousandths) => Some(thousandths),
        ("1", 0) => Some(1_000),
        _ => None,
    }
}

/// Compresses the answer where the client takes that, and its size and kind make it worth it.
pub(crate) async fn answer(bytes_min: usize, headers: &HeaderMap, response: &mut Response) {
    if bytes_min == 0 || !headers.contains_key(header::ACCEPT_ENCODING) || !may(response) {
        return;
    }
    let accepted = accepted(headers);
    let Body::Ready(bytes) = response.body() else { return };
    let worth = bytes.len() >= bytes_min || !accepted.plain;
    if !accepted.gzip || !worth {
        return;
    }
    let bytes = bytes.clone();
    let compressed = match bytes.len() < OFF_THREAD_BYTES {
        true => gzip(&bytes),
        false => tokio::task::spawn_blocking(move || gzip(&bytes)).await.ok().flatten(),
    };
    let Some(compressed) = compressed else { return };
    *response.body_mut() = Body::Ready(compressed);
    let out = response.headers_mut();
    out.insert(header::CONTENT_ENCODING, GZIP);
    out.remove(header::ACCEPT_RANGES);
    if !varies(out) {
        out.append(header::VARY, ACCEPT_ENCODING);
    }
    if let Some(tag) = out.get(header::ETAG).and_then(etag::compressed) {
        out.insert(header::ETAG, tag);
    }
}

/// Whether it has a body that is all there, and of a kind that becomes smaller.
fn may(response: &Response) -> bool {
    let headers = response.headers();
    let whole = matches!(response.status(), StatusCode::OK | StatusCode::CREATED) && response.body().len() > 0;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let name = kind.split(';').next().unwrap_or_default();
    let texts =
        ["application/json", "application/x-ndjson", "application/manifest+json", "image/svg+xml", "application/wasm"];
    whole && !headers.contains_key(header::CONTENT_ENCODING) && (name.starts_with("text/") || texts.contains(&name))
}

fn varies(headers: &HeaderMap) -> bool {
    let texts = headers.get_all(header::VARY).iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|name| name.trim().eq_ignore_ascii_case("accept-encoding"))
}

fn gzip(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_takes() {
        let check = |texts: &[&'static str], gzip: bool, plain: bool| {
            let mut headers = HeaderMap::new();
            for text in texts {
                headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(text));
            }
            assert_eq!(accepted(&headers), Accepted { gzip, plain }, "{texts:?}");
        };
        check(&[], false, true);
        check(&[""], false, true);
        check(&["gzip"], true, true);
        check(&["GZip ; Q=0.5 , br"], true, true);
        check(&["br", "deflate, x-gzip"], true, true);
        check(&["br"], false, true);
        check(&["gzip;q=0"], false, true);
        check(&["gzip;q=0.000, *"], false, true);
        check(&["*"], true, true);
        check(&["*;q=0"], false, false);
        check(&["*;q=0, gzip"], true, false);
        check(&["*;q=0, identity"], false, true);
        check(&["identity;q=0, gzip;q=0.001"], true, false);
        check(&["gzip;q=0.5, identity"], false, true);
        check(&["gzip;q=0.5, identity;q=0.5"], true, true);
        for broken in ["gzip;q=2", "gzip;q=1.001", "gzip;q=x", "gzip;q=0.1234", "gzip;level=1", "gzip;q=", "gzip;q=-1"]
        {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(broken));
            assert_eq!(accepted(&headers), Accepted { gzip: false, plain: true }, "{broken}");
        }
    }
}
