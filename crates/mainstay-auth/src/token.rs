//! A signed token in its compact form (RFC 7515), up to the point where its signature is known to be good.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::crypto;
use mainstay_schema::{Json, JsonLimits};

use crate::{
    AuthError,
    keys::{Key, Keys},
};

/// A token whose signature is good: what it says, and the key that says so.
pub(crate) struct Verified<'k> {
    pub(crate) payload: Vec<u8>,
    pub(crate) key: &'k Key,
}

/// Verifies the signature, and nothing of what the payload says.
pub(crate) fn verify<'k>(token: &str, keys: &'k Keys) -> Result<Verified<'k>, AuthError> {
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(AuthError::Malformed("it does not have three parts"));
    };
    let key = key_for(&decode(header)?, keys)?;
    let payload_bytes = decode(payload)?;
    let message = &token[..header.len() + 1 + payload.len()];
    match crypto::verify(signature, message.as_bytes(), &key.decoding, key.algorithm) {
        Ok(true) => Ok(Verified { payload: payload_bytes, key }),
        Ok(false) | Err(_) => Err(AuthError::WrongSignature),
    }
}

/// The key is chosen by what the header says; its algorithm is the key's, never the header's choice.
fn key_for<'k>(header: &[u8], keys: &'k Keys) -> Result<&'k Key, AuthError> {
    let header = parse(header)?;
    if header.get("crit").is_some() {
        return Err(AuthError::Malformed("it has extensions that are not understood"));
    }
    let algorithm = header.get("alg").and_then(Json::as_text).ok_or(AuthError::WrongAlgorithm)?;
    let kid = match header.get("kid") {
        None => None,
        Some(Json::Text(kid)) => Some(kid.as_ref()),
        Some(_) => return Err(AuthError::UnknownKey),
    };
    keys.find(algorithm, kid)
}

/// Strictly: no padding, no foreign characters, no stray bits, so that one token has one spelling.
fn decode(part: &str) -> Result<Vec<u8>, AuthError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| AuthError::Malformed("a part is not base64url"))
}

/// A JSON object without double keys: what two readers could understand differently is refused.
pub(crate) fn parse(bytes: &[u8]) -> Result<Json<'_>, AuthError> {
    match Json::parse(bytes, JsonLimits::default()) {
        Ok(json @ Json::Object(_)) => Ok(json),
        Ok(_) => Err(AuthError::Malformed("a part is no JSON object")),
        Err(_) => Err(AuthError::Malformed("a part is not JSON")),
    }
}
