//! Makes tokens: for development, tests and scripts, by whoever holds the secret or the private key.
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use mainstay_expr::{Type, wire};
use mainstay_schema::{Scalar, nearest};
use serde_json::{Map, Value as JsonValue, json};

use crate::{AuthError, AuthSettings, AuthSetupError, claims::Expected, token};

/// What tokens are signed with.
pub enum SigningKey<'a> {
    /// The shared secret (HS256).
    Secret(&'a str),
    /// An Ed25519 private key as PEM, PKCS #8 (EdDSA).
    PrivateKeyPem(&'a str),
}

/// Who a token is for.
#[derive(Clone, Debug, Default)]
pub struct NewToken<'a> {
    /// `auth.id`.
    pub sub: &'a str,
    /// `auth.roles`.
    pub roles: &'a [String],
    /// `auth.claims`: names and values as texts; each must be declared in the schema.
    pub claims: &'a [(String, String)],
    /// Whether it is an admin's.
    pub admin: bool,
    /// How long it holds, in seconds.
    pub ttl_s: u32,
}

/// Why a token cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MakeError {
    /// Nobody has an empty name.
    #[error("a token needs a subject that is not empty")]
    SubjectEmpty,
    /// The schema declares no such claim.
    #[error("the schema declares no claim \"{name}\"{}", hint(nearest.as_deref()))]
    UnknownClaim {
        /// The claim.
        name: String,
        /// The claim that may be meant.
        nearest: Option<String>,
    },
    /// The value is not of the claim's type.
    #[error("claim \"{name}\": {problem}")]
    Claim {
        /// The claim.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// No server would take it.
    #[error(transparent)]
    Refused(AuthError),
    /// The key does not sign.
    #[error("the token cannot be signed: {0}")]
    Signing(String),
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!(": do you mean \"{name}\"?"))
}

/// Makes tokens that an [`Authenticator`](crate::Authenticator) with the same settings takes.
pub struct TokenMaker {
    key: EncodingKey,
    algorithm: Algorithm,
    claims: Vec<(String, Scalar)>,
    /// What servers with this schema expect.
    expected: Expected,
    issuer: Option<String>,
    audience: Option<String>,
}

impl TokenMaker {
    /// A maker with this key, for the schema's declared claims. Fails when the key is no private key.
    pub fn new(key: &SigningKey<'_>, claims: &[(String, Scalar)]) -> Result<TokenMaker, AuthSetupError> {
        let (key, algorithm) = match key {
            SigningKey::Secret(secret) => (EncodingKey::from_secret(secret.as_bytes()), Algorithm::HS256),
            SigningKey::PrivateKeyPem(pem) => {
                let key = EncodingKey::from_ed_pem(pem.as_bytes()).map_err(|_| AuthSetupError::PrivateKey)?;
                (key, Algorithm::EdDSA)
            }
        };
        let expected = Expected::new(&AuthSettings::default(), claims);
        Ok(TokenMaker { key, algorithm, claims: claims.to_vec(), expected, issuer: None, audience: None })
    }

    /// The same maker, writing `iss` and `aud` where they are given.
    #[must_use]
    pub fn with(self, issuer: Option<String>, audience: Option<String>) -> TokenMaker {
        TokenMaker { issuer, audience, ..self }
    }

    /// A signed token, issued now.
    pub fn make(&self, new: &NewToken<'_>, now_micros: i64) -> Result<String, MakeError> {
        if new.sub.is_empty() {
            return Err(MakeError::SubjectEmpty);
        }
        let issued_s = now_micros.div_euclid(1_000_000);
        let mut payload = Map::new();
        payload.insert("sub".into(), json!(new.sub));
        payload.insert("iat".into(), json!(issued_s));
        payload.insert("exp".into(), json!(issued_s + i64::from(new.ttl_s)));
        if !new.roles.is_empty() {
            payload.insert("roles".into(), json!(new.roles));
        }
        if new.admin {
            payload.insert("admin".into(), json!(true));
        }
        let texts = [("iss", &self.issuer), ("aud", &self.audience)];
        payload.extend(texts.into_iter().filter_map(|(name, text)| Some((name.into(), json!(text.as_ref()?)))));
        for (name, text) in new.claims {
            payload.insert(name.clone(), self.claim(name, text)?);
        }
        self.check(&payload)?;
        encode(&Header::new(self.algorithm), &payload, &self.key).map_err(|error| MakeError::Signing(error.to_string()))
    }

    /// What would be refused is not made.
    fn check(&self, payload: &Map<String, JsonValue>) -> Result<(), MakeError> {
        let text = serde_json::to_vec(payload).map_err(|error| MakeError::Signing(error.to_string()))?;
        let identity = token::parse(&text).and_then(|claims| self.expected.identity(&claims));
        identity.map(|_| ()).map_err(MakeError::Refused)
    }

    fn claim(&self, name: &str, text: &str) -> Result<JsonValue, MakeError> {
        let Some((_, scalar)) = self.claims.iter().find(|(declared, _)| declared == name) else {
            let nearest = nearest(name, self.claims.iter().map(|(declared, _)| declared.as_str()));
            return Err(MakeError::UnknownClaim { name: name.to_owned(), nearest: nearest.map(str::to_owned) });
        };
        let ty = scalar.ty();
        let wrong = |problem: String| MakeError::Claim { name: name.to_owned(), problem };
        wire::parse_text(&ty, text).map_err(wrong)?;
        match ty {
            Type::Bool | Type::Float | Type::Int if *scalar != Scalar::Long => {
                serde_json::from_str(text).map_err(|error| wrong(error.to_string()))
            }
            _ => Ok(json!(text)),
        }
    }
}
