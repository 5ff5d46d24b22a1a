//! What tokens are verified against, each setting with its default.
use std::fmt;

/// Which tokens are accepted. Without any key there is nobody but anonymous callers.
#[derive(Clone)]
pub struct AuthSettings {
    /// A secret shared with whoever makes tokens (HS256); at least [`AuthSettings::SECRET_LENGTH_MIN`] bytes.
    pub secret: Option<String>,
    /// An Ed25519 public key as PEM (EdDSA).
    pub public_key_pem: Option<String>,
    /// A JSON Web Key Set (RFC 7517).
    pub jwks_json: Option<String>,
    /// Whether `admin: true` counts in tokens made with a key of the set: not when the set is an identity provider's, who is
    /// not meant to make admins here.
    pub jwks_admin: bool,
    /// The issuers of whom one must stand in `iss`; empty: not looked at.
    pub issuers: Vec<String>,
    /// The audiences of whom one must stand in `aud`; empty: not looked at.
    pub audiences: Vec<String>,
    /// How far clocks may differ, in seconds.
    pub leeway_s: u32,
    /// Verified tokens that are remembered.
    pub cache_max: usize,
    /// Bytes of a token at most.
    pub token_length_max: usize,
    /// Keys of a key set at most.
    pub keys_max: usize,
}

impl AuthSettings {
    /// A secret has as many bytes as the hash it is used with (RFC 7518, 3.2).
    pub const SECRET_LENGTH_MIN: usize = 32;
}

impl Default for AuthSettings {
    fn default() -> AuthSettings {
        AuthSettings {
            secret: None,
            public_key_pem: None,
            jwks_json: None,
            jwks_admin: false,
            issuers: Vec::new(),
            audiences: Vec::new(),
            leeway_s: 30,
            cache_max: 10_000,
            token_length_max: 8 * 1024,
            keys_max: 64,
        }
    }
}

impl fmt::Debug for AuthSettings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("AuthSettings")
            .field("secret", &self.secret.as_ref().map(|_| "…"))
            .field("public_key", &self.public_key_pem.is_some())
            .field("jwks", &self.jwks_json.is_some())
            .field("issuers", &self.issuers)
            .field("audiences", &self.audiences)
            .finish_non_exhaustive()
    }
}
