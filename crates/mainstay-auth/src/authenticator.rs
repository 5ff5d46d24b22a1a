//! From a header to a caller, with verified tokens remembered.
use mainstay_core::Caller;
use mainstay_schema::Scalar;
use quick_cache::sync::Cache;

use crate::{
    AuthError, AuthSettings, AuthSetupError,
    claims::{Admitted, Expected},
    keys::Keys,
    token,
};

/// Verifies bearer tokens. Verified ones are remembered, whole, until they expire; refused ones never are.
pub struct Authenticator {
    keys: Keys,
    expected: Expected,
    length_max: usize,
    /// The whole token is the key and is compared: two tokens are never taken for each other.
    verified: Cache<Box<str>, Admitted>,
}

impl Authenticator {
    /// An authenticator for these keys and the schema's declared claims. Fails when a key cannot be used.
    pub fn new(settings: &AuthSettings, claims: &[(String, Scalar)]) -> Result<Authenticator, AuthSetupError> {
        Ok(Authenticator {
            keys: Keys::new(settings)?,
            expected: Expected::new(settings, claims),
            length_max: settings.token_length_max,
            verified: Cache::new(settings.cache_max),
        })
    }

    /// Who calls, from the value of the header `authorization`; without one, nobody that we know. A header that is there
    /// and wrong is refused, never taken as none.
    pub fn authenticate(&self, header: Option<&[u8]>, now_micros: i64) -> Result<Caller, AuthError> {
        match header {
            None => Ok(Caller::Anonymous),
            Some(header) => self.authenticate_token(bearer(header)?, now_micros),
        }
    }

    /// Who a token stands for.
    pub fn authenticate_token(&self, token: &str, now_micros: i64) -> Result<Caller, AuthError> {
        if token.len() > self.length_max {
            return Err(AuthError::TooLong { length_max: self.length_max });
        }
        if let Some(admitted) = self.verified.get(token) {
            if now_micros < admitted.until_micros {
                return Ok(admitted.caller);
            }
            self.verified.remove(token);
            return Err(AuthError::Expired);
        }
        let verified = token::verify(token, &self.keys)?;
        let admitted = self.expected.admit(&verified.payload, verified.key.admin, now_micros)?;
        self.verified.insert(token.into(), admitted.clone());
        Ok(admitted.caller)
    }
}

/// The token of `Bearer TOKEN`; the scheme in any case (RFC 9110, 11.1).
fn bearer(header: &[u8]) -> Result<&str, AuthError> {
    let header = std::str::from_utf8(header).map_err(|_| AuthError::NotBearer)?;
    let (scheme, token) = header.trim_ascii().split_once(' ').ok_or(AuthError::NotBearer)?;
    let token = token.trim_ascii_start();
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() { Ok(token) } else { Err(AuthError::NotBearer) }
}
