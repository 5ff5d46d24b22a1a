//! `[auth]`: whose tokens are taken.
use serde::{Deserialize, Serialize};

/// `[auth]`
#[derive(Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AuthArea {
    /// A secret shared with whoever makes tokens (HS256): at least 32 bytes. `"env:NAME"` takes it from the environment.
    pub(crate) jwt_secret: String,
    /// The file of an Ed25519 public key in PEM form (EdDSA).
    pub(crate) jwt_public_key_file: String,
    /// The file of a JSON Web Key Set.
    pub(crate) jwks_file: String,
    /// Whether `admin: true` counts in tokens made with a key of the set.
    pub(crate) jwks_admin: bool,
    /// The issuers of whom one must stand in a token, a text or a list; none: not looked at.
    #[serde(deserialize_with = "one_or_many")]
    pub(crate) issuer: Vec<String>,
    /// The audiences of whom one must stand in a token, a text or a list; none: not looked at.
    #[serde(deserialize_with = "one_or_many")]
    pub(crate) audience: Vec<String>,
    /// How far clocks may differ, in seconds.
    pub(crate) leeway_s: u32,
    /// Verified tokens that are remembered.
    pub(crate) tokens_max: usize,
    /// Bytes of a token.
    pub(crate) token_length_max: usize,
    /// Whether `serve` starts without any key: then nobody can sign in.
    pub(crate) anonymous_only: bool,
}

impl Default for AuthArea {
    fn default() -> AuthArea {
        let auth = mainstay_auth::AuthSettings::default();
        AuthArea {
            jwt_secret: String::new(),
            jwt_public_key_file: String::new(),
            jwks_file: String::new(),
            jwks_admin: auth.jwks_admin,
            issuer: auth.issuers,
            audience: auth.audiences,
            leeway_s: auth.leeway_s,
            tokens_max: auth.cache_max,
            token_length_max: auth.token_length_max,
            anonymous_only: false,
        }
    }
}

impl std::fmt::Debug for AuthArea {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("AuthArea").field("has_key", &self.has_key()).finish_non_exhaustive()
    }
}

impl AuthArea {
    /// Whether there is any key to verify tokens with.
    pub(crate) fn has_key(&self) -> bool {
        [&self.jwt_secret, &self.jwt_public_key_file, &self.jwks_file].iter().any(|setting| !setting.is_empty())
    }

    /// Whether tokens are taken that an identity provider made for others of its services (RFC 8725, 3.9).
    pub(crate) fn takes_tokens_for_others(&self) -> bool {
        !self.jwks_file.is_empty() && self.audience.is_empty()
    }
}

fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a text or a list of texts")]
    enum Texts {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Texts::deserialize(deserializer)? {
        Texts::One(text) => vec![text],
        Texts::Many(texts) => texts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_set_wants_an_audience() {
        let auth = |jwks_file: &str, audience: &[&str]| AuthArea {
            jwks_file: jwks_file.to_owned(),
            audience: audience.iter().map(|text| (*text).to_owned()).collect(),
            ..AuthArea::default()
        };
        assert!(auth("keys.json", &[]).takes_tokens_for_others());
        assert!(!auth("keys.json", &["api"]).takes_tokens_for_others());
        assert!(!auth("", &[]).takes_tokens_for_others());
    }
}
