//! The header `Prefer` (RFC 7240): how much of an answer the caller wants. What is not known is ignored, as the RFC says.
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::reply::Response;

pub(crate) const PREFER: HeaderName = HeaderName::from_static("prefer");
pub(crate) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// What a write answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Return {
    /// The caller says nothing: the record.
    Usual,
    /// The record, as the caller wishes.
    Representation,
    /// Nothing but headers.
    Minimal,
}

impl Return {
    /// What the caller prefers; of several the first counts.
    pub(crate) fn of(headers: &HeaderMap) -> Return {
        let texts = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        for preference in texts.flat_map(|text| text.split(',')) {
            let preference = preference.split(';').next().unwrap_or_default();
            let Some((name, value)) = preference.split_once('=') else { continue };
            if !name.trim().eq_ignore_ascii_case("return") {
                continue;
            }
            match value.trim().trim_matches('"') {
                "minimal" => return Return::Minimal,
                "representation" => return Return::Representation,
                _ => return Return::Usual,
            }
        }
        Return::Usual
    }

    /// Says in the answer what was followed.
    pub(crate) fn applied(self, response: &mut Response) {
        let applied = match self {
            Return::Usual => return,
            Return::Representation => "return=representation",
            Return::Minimal => "return=minimal",
        };
        response.headers_mut().insert(PREFERENCE_APPLIED, HeaderValue::from_static(applied));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_return_counts_and_the_rest_is_ignored() {
        let check = |texts: &[&'static str], expected: Return| {
            let mut headers = HeaderMap::new();
            for text in texts {
                headers.append(PREFER, HeaderValue::from_static(text));
            }
            assert_eq!(Return::of(&headers), expected, "{texts:?}");
        };
        check(&[], Return::Usual);
        check(&["return=minimal"], Return::Minimal);
        check(&["respond-async, Return=\"minimal\"; x=y"], Return::Minimal);
        check(&["wait=10", "return = representation, return=minimal"], Return::Representation);
        check(&["return=something", "return=minimal"], Return::Usual);
        check(&["return", ",,;=", "handling=strict"], Return::Usual);
    }
}
