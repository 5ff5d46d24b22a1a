//! Answers: status, headers, body.
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::{body::Body, etag, problem::Problem};

/// An answer on its way out.
pub(crate) type Response = http::Response<Body>;

/// Headers that an answer has room for without growing.
const HEADERS_USUAL: usize = 8;

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What only its caller may keep, and asks about again before using it.
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
pub(crate) const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
/// A refusal loads nothing and stands in nobody's frame, whatever a browser makes of it.
const NOTHING_LOADED: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
const DENY: HeaderValue = HeaderValue::from_static("DENY");

/// The header that names a request.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// An answer without headers and body.
pub(crate) fn empty(status: StatusCode) -> Response {
    with_body(status, Body::empty())
}

/// An answer with a body and no headers.
pub(crate) fn with_body(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = HeaderMap::with_capacity(HEADERS_USUAL);
    response
}

/// Something of ours that is the same for everybody: a page, a description.
pub(crate) fn asset(headers: &HeaderMap, content_type: &'static str, bytes: Bytes) -> Response {
    let tag = etag::weak(&bytes);
    let mut response = match etag::none_match(headers, &tag) {
        Some(_) => empty(StatusCode::NOT_MODIFIED),
        None => with_body(StatusCode::OK, Body::Ready(bytes)),
    };
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    out.insert(header::ETAG, tag);
    out.insert(header::CACHE_CONTROL, NO_CACHE);
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    out.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    response
}

/// A short text that nobody keeps: probes, counters.
pub(crate) fn text(status: StatusCode, content_type: &'static str, text: impl Into<Bytes>) -> Response {
    let mut response = with_body(status, Body::Ready(text.into()));
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    out.insert(header::CACHE_CONTROL, NO_STORE);
    response
}

/// What was read, or 304 when the caller has it already.
pub(crate) fn read(headers: &HeaderMap, json: Vec<u8>, tag: HeaderValue) -> Response {
    let held = etag::none_match(headers, &tag);
    let mut response = if held.is_some() {
        empty(StatusCode::NOT_MODIFIED)
    } else {
        let mut response = with_body(StatusCode::OK, Body::Ready(json.into()));
        response.headers_mut().insert(header::CONTENT_TYPE, JSON);
        response
    };
    let out = response.headers_mut();
    out.insert(header::ETAG, held.unwrap_or(tag));
    out.insert(header::CACHE_CONTROL, PRIVATE);
    out.insert(header::VARY, HeaderValue::from_static("authorization, accept-encoding"));
    response
}

/// What was written.
pub(crate) fn written(status: StatusCode, json: Vec<u8>, tag: Option<HeaderValue>) -> Response {
    let mut response = with_body(status, Body::Ready(json.into()));
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, JSON);
    out.insert(header::CACHE_CONTROL, NO_STORE);
    if let Some(tag) = tag {
        out.insert(header::ETAG, tag);
    }
    response
}

/// What was written, of which the caller wants no more than the headers.
pub(crate) fn silent(status: StatusCode, tag: Option<HeaderValue>) -> Response {
    let mut response = empty(status);
    let out = response.headers_mut();
    out.insert(header::CACHE_CONTROL, NO_STORE);
    if let Some(tag) = tag {
        out.insert(header::ETAG, tag);
    }
    response
}

/// A refusal or a failure.
pub(crate) fn problem(problem: &Problem, request_id: &str) -> Response {
    use crate::problem::Code;

    let mut response = with_body(problem.code.status(), Body::Ready(problem.json(request_id).into()));
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, PROBLEM_JSON);
    out.insert(header::CACHE_CONTROL, NO_STORE);
    out.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    out.insert(header::CONTENT_SECURITY_POLICY, NOTHING_LOADED);
    out.insert(header::X_FRAME_OPTIONS, DENY);
    if let Some(allow) = problem.allow {
        out.insert(header::ALLOW, HeaderValue::from_static(allow));
    }
    if let Some(codings) = problem.accept_encoding {
        out.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(codings));
    }
    if let Some(seconds) = problem.code.retry_after_s() {
        out.insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
    }
    match problem.code {
        Code::Unauthenticated => {
            out.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Code::InvalidToken => {
            out.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
        }
        // What is left of the body would be taken for the next request.
        Code::BodyTooLarge | Code::BodyTimeout => {
            out.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    response
}

/// The methods of a path.
pub(crate) fn allow(methods: &'static str) -> Response {
    let mut response = empty(StatusCode::NO_CONTENT);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    response
}

/// Takes the body off an answer to HEAD; its length stays.
pub(crate) fn without_body(method: &Method, response: &mut Response) {
    if *method == Method::HEAD {
        let length = response.body().len();
        response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        *response.body_mut() = Body::empty();
    }
}
