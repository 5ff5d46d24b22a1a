//! Why a token is refused, and why keys are.

/// Why a caller is not let in. Nothing of the token is in the words; all are answered with 401.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The header is not `Bearer TOKEN`.
    #[error("the header \"authorization\" is not of the form \"Bearer TOKEN\"")]
    NotBearer,
    /// The token is longer than the limit.
    #[error("the token is longer than {length_max} bytes")]
    TooLong {
        /// The limit.
        length_max: usize,
    },
    /// It is no signed JSON Web Token.
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// There is no key that tokens could be verified with.
    #[error("no tokens are accepted here: no key is configured")]
    NoKeys,
    /// No key has the id that the token names, or the token names none and several could be meant.
    #[error("no key belongs to the token")]
    UnknownKey,
    /// The algorithm is none that a key of ours is for.
    #[error("the token's algorithm is not the one of its key")]
    WrongAlgorithm,
    /// The signature is not the key's.
    #[error("the token's signature is wrong")]
    WrongSignature,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Somebody else's token.
    #[error("the token is from another issuer")]
    WrongIssuer,
    /// A token for somebody else.
    #[error("the token is for another audience")]
    WrongAudience,
    /// A claim is missing or not of its type.
    #[error("claim \"{name}\": {problem}")]
    Claim {
        /// The claim.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl AuthError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            AuthError::NotBearer => "not_bearer",
            AuthError::TooLong { .. } => "token_too_long",
            AuthError::Malformed(_) => "token_malformed",
            AuthError::NoKeys => "token_without_keys",
            AuthError::UnknownKey => "token_key_unknown",
            AuthError::WrongAlgorithm => "token_algorithm",
            AuthError::WrongSignature => "token_signature",
            AuthError::Expired => "token_expired",
            AuthError::NotYetValid => "token_not_yet_valid",
            AuthError::WrongIssuer => "token_issuer",
            AuthError::WrongAudience => "token_audience",
            AuthError::Claim { .. } => "token_claim",
        }
    }

    pub(crate) fn claim(name: &str, problem: impl Into<String>) -> AuthError {
        AuthError::Claim { name: name.to_owned(), problem: problem.into() }
    }
}

/// Why keys or claims of the settings cannot be used; told when the server starts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthSetupError {
    /// The secret is too short to be safe.
    #[error("the token secret has {length} bytes, at least {length_min} are needed")]
    SecretTooShort {
        /// How long it is.
        length: usize,
        /// How long it must be.
        length_min: usize,
    },
    /// A key was given where a secret belongs: what is public would sign tokens.
    #[error("the token secret is a PEM key: a public key belongs into its own setting")]
    SecretIsPem,
    /// The public key is no Ed25519 key.
    #[error("the public key is no Ed25519 public key in PEM form")]
    PublicKey,
    /// The key set is no JSON Web Key Set.
    #[error("the key set is no JSON Web Key Set: {0}")]
    KeySet(String),
    /// The key set has no key that tokens can be verified with.
    #[error("the key set has no key for signatures that is known here")]
    KeySetEmpty,
    /// The key set has too many keys.
    #[error("the key set has {count} keys, more than {keys_max}")]
    KeySetTooLarge {
        /// How many.
        count: usize,
        /// The limit.
        keys_max: usize,
    },
    /// An RSA key has too few bits to be safe, or more than anybody verifies with: no token of it would ever be taken.
    #[error("the key set has an RSA key of {bits} bits, from 2048 to 8192 are taken")]
    RsaSize {
        /// How many it has.
        bits: usize,
    },
    /// Two keys cannot be told apart.
    #[error("the key set has two keys with the id \"{kid}\" for one algorithm")]
    KeyTwice {
        /// Their id.
        kid: String,
    },
    /// The signing key cannot be used.
    #[error("the private key is no Ed25519 private key in PEM form (PKCS #8)")]
    PrivateKey,
}
