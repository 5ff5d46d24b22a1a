//! `/docs`: a page to read the API and try it, embedded whole; it asks no other address.
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{
    problem::errors_html,
    reply::{self, Response},
};

const HTML: &str = "text/html; charset=utf-8";

/// Nothing from elsewhere, no inline script, not inside of another page's frame.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The page.
pub(crate) fn page(headers: &HeaderMap) -> Response {
    html(headers, Bytes::from_static(include_bytes!("docs/page.html")))
}

/// The list of errors.
pub(crate) fn errors(headers: &HeaderMap) -> Response {
    html(headers, Bytes::from(errors_html()))
}

/// The style sheet.
pub(crate) fn css(headers: &HeaderMap) -> Response {
    let css = Bytes::from_static(include_bytes!("docs/page.css"));
    reply::asset(headers, "text/css; charset=utf-8", css)
}

/// The script.
pub(crate) fn js(headers: &HeaderMap) -> Response {
    let js = Bytes::from_static(include_bytes!("docs/page.js"));
    reply::asset(headers, "text/javascript; charset=utf-8", js)
}

fn html(headers: &HeaderMap, page: Bytes) -> Response {
    let mut response = reply::asset(headers, HTML, page);
    let out = response.headers_mut();
    out.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    out.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    out.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    out.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    response
}
