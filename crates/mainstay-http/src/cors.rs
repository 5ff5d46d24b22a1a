//! CORS: pages of other origins that may call this server from a browser. Off unless origins are named.
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::{
    reply::{self, Response},
    settings::CorsSettings,
};

/// What a page may read of an answer besides what it always may.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "etag, location, retry-after, x-request-id, www-authenticate, preference-applied, idempotent-replayed, allow, mainstay-position",
);
/// What an answer depends on.
const VARY: HeaderValue = HeaderValue::from_static("origin");
const TRUE: HeaderValue = HeaderValue::from_static("true");
const PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");

/// The origin of the request, where it may call.
fn allowed<'h>(settings: &CorsSettings, headers: &'h HeaderMap) -> Option<&'h HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    let named = |allowed: &String| allowed.as_bytes() == origin.as_bytes();
    (any(settings) || settings.origins.iter().any(named)).then_some(origin)
}

/// Whether every origin may call; never together with credentials.
fn any(settings: &CorsSettings) -> bool {
    !settings.credentials && settings.origins.iter().any(|origin| origin == "*")
}

/// The answer to a question of a browser whether a page may call; `None` where it is none.
pub(crate) fn preflight(
    settings: &CorsSettings,
    method: &Method,
    headers: &HeaderMap,
    methods: &'static str,
) -> Option<Response> {
    let asked = headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) && headers.contains_key(header::ORIGIN);
    if settings.origins.is_empty() || *method != Method::OPTIONS || !asked {
        return None;
    }
    let mut response = reply::empty(StatusCode::NO_CONTENT);
    let out = response.headers_mut();
    out.insert(header::ALLOW, HeaderValue::from_static(methods));
    let asks = "origin, access-control-request-method, access-control-request-headers";
    out.insert(header::VARY, HeaderValue::from_static(asks));
    if allowed(settings, headers).is_some() && !headers.contains_key(PRIVATE_NETWORK) {
        out.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
        let wanted = settings.headers.join(", ");
        if let Ok(wanted) = HeaderValue::try_from(wanted) {
            out.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted);
        }
        out.insert(header::ACCESS_CONTROL_MAX_AGE, settings.max_age_s.into());
    }
    Some(response)
}

/// Says in an answer that the page may read it.
pub(crate) fn allow(settings: &CorsSettings, headers: &HeaderMap, response: &mut Response) {
    if settings.origins.is_empty() {
        return;
    }
    let out = response.headers_mut();
    if !any(settings) {
        out.append(header::VARY, VARY);
    }
    let Some(origin) = allowed(settings, headers) else { return };
    let origin = if any(settings) { HeaderValue::from_static("*") } else { origin.clone() };
    out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    out.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    if settings.credentials {
        out.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
    }
}
