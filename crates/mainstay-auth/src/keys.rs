//! The keys, each bound to the one algorithm that it is for.
use std::{ops::RangeInclusive, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyOperations, PublicKeyUse},
};

use crate::{AuthError, AuthSettings, AuthSetupError};

/// A key, the algorithm that it is for, and what it may do.
pub(crate) struct Key {
    kid: Option<String>,
    pub(crate) algorithm: Algorithm,
    pub(crate) decoding: DecodingKey,
    /// Whether tokens made with it may be an admin's.
    pub(crate) admin: bool,
}

/// All keys of the settings.
pub(crate) struct Keys(Vec<Key>);

impl Keys {
    pub(crate) fn new(settings: &AuthSettings) -> Result<Keys, AuthSetupError> {
        let mut keys = Vec::new();
        if let Some(secret) = &settings.secret {
            check_secret(secret)?;
            let decoding = DecodingKey::from_secret(secret.as_bytes());
            keys.push(Key { kid: None, algorithm: Algorithm::HS256, decoding, admin: true });
        }
        if let Some(pem) = &settings.public_key_pem {
            let decoding = DecodingKey::from_ed_pem(pem.as_bytes()).map_err(|_| AuthSetupError::PublicKey)?;
            keys.push(Key { kid: None, algorithm: Algorithm::EdDSA, decoding, admin: true });
        }
        if let Some(json) = &settings.jwks_json {
            keys.extend(read_set(json, settings)?);
        }
        Ok(Keys(keys))
    }

    /// The one key that a token with this header belongs to. A key without an id takes tokens with any id; a token
    /// without an id must leave no choice.
    pub(crate) fn find(&self, algorithm: &str, kid: Option<&str>) -> Result<&Key, AuthError> {
        if self.0.is_empty() {
            return Err(AuthError::NoKeys);
        }
        let named = |key: &&Key| kid.is_some() && key.kid.as_deref() == kid;
        let unnamed = |key: &&Key| kid.is_none() || key.kid.is_none();
        let mut candidates: Vec<&Key> = self.0.iter().filter(named).collect();
        if candidates.is_empty() {
            candidates = self.0.iter().filter(unnamed).collect();
        }
        if candidates.is_empty() {
            return Err(AuthError::UnknownKey);
        }
        let algorithm = Algorithm::from_str(algorithm).map_err(|_| AuthError::WrongAlgorithm)?;
        candidates.retain(|key| key.algorithm == algorithm);
        match candidates.as_slice() {
            [] => Err(AuthError::WrongAlgorithm),
            [key] => Ok(key),
            _ => Err(AuthError::UnknownKey),
        }
    }
}

fn check_secret(secret: &str) -> Result<(), AuthSetupError> {
    if secret.contains("-----BEGIN ") {
        return Err(AuthSetupError::SecretIsPem);
    }
    let (length, length_min) = (secret.len(), AuthSettings::SECRET_LENGTH_MIN);
    if length < length_min { Err(AuthSetupError::SecretTooShort { length, length_min }) } else { Ok(()) }
}

fn read_set(json: &str, settings: &AuthSettings) -> Result<Vec<Key>, AuthSetupError> {
    let set: JwkSet = serde_json::from_str(json).map_err(|error| AuthSetupError::KeySet(error.to_string()))?;
    let (count, keys_max) = (set.keys.len(), settings.keys_max);
    if count > keys_max {
        return Err(AuthSetupError::KeySetTooLarge { count, keys_max });
    }
    let mut keys: Vec<Key> = Vec::with_capacity(count);
    for jwk in set.keys.iter().filter(|jwk| is_for_signatures(jwk)) {
        // RFC 7517, 5: keys of kinds that are not understood are passed over.
        let Some(algorithm) = algorithm_of(jwk) else { continue };
        let kid = jwk.common.key_id.clone();
        if let Some(kid) = kid.as_ref().filter(|_| keys.iter().any(|key| key.kid == kid && key.algorithm == algorithm))
        {
            return Err(AuthSetupError::KeyTwice { kid: kid.clone() });
        }
        let decoding = DecodingKey::from_jwk(jwk).map_err(|error| AuthSetupError::KeySet(error.to_string()))?;
        check_shared(&decoding, algorithm)?;
        check_modulus(jwk)?;
        keys.push(Key { kid, algorithm, decoding, admin: settings.jwks_admin });
    }
    if keys.is_empty() { Err(AuthSetupError::KeySetEmpty) } else { Ok(keys) }
}

/// A shared secret in a set is as long as one in the settings.
fn check_shared(key: &DecodingKey, algorithm: Algorithm) -> Result<(), AuthSetupError> {
    if !matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) {
        return Ok(());
    }
    let length = key.try_get_as_bytes().map_or(0, <[u8]>::len);
    let length_min = AuthSettings::SECRET_LENGTH_MIN;
    if length < length_min { Err(AuthSetupError::SecretTooShort { length, length_min }) } else { Ok(()) }
}

/// Bytes of a modulus: 2,048 to 8,192 bits.
const MODULUS_BYTES: RangeInclusive<usize> = 256..=1_024;

/// An RSA key that signatures are not verified with is refused at once, not token by token.
fn check_modulus(jwk: &Jwk) -> Result<(), AuthSetupError> {
    let AlgorithmParameters::RSA(key) = &jwk.algorithm else { return Ok(()) };
    let modulus = URL_SAFE_NO_PAD.decode(&key.n).map_err(|error| AuthSetupError::KeySet(error.to_string()))?;
    // Some write a zero in front.
    let bytes = modulus.iter().skip_while(|byte| **byte == 0).count();
    if MODULUS_BYTES.contains(&bytes) { Ok(()) } else { Err(AuthSetupError::RsaSize { bits: 8 * bytes }) }
}

fn is_for_signatures(jwk: &Jwk) -> bool {
    let used = jwk.common.public_key_use.as_ref().is_none_or(|of| *of == PublicKeyUse::Signature);
    let verifies = |operations: &Vec<KeyOperations>| operations.contains(&KeyOperations::Verify);
    used && jwk.common.key_operations.as_ref().is_none_or(verifies)
}

/// What the key says it is for, as far as it fits its kind; else the usual algorithm of the kind.
fn algorithm_of(jwk: &Jwk) -> Option<Algorithm> {
    use Algorithm::{ES256, ES384, EdDSA, HS256, HS384, HS512, PS256, PS384, PS512, RS256, RS384, RS512};
    let possible: &[Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => &[RS256, RS384, RS512, PS256, PS384, PS512],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => &[ES256],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => &[ES384],
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[EdDSA],
        AlgorithmParameters::OctetKey(_) => &[HS256, HS384, HS512],
        _ => return None,
    };
    match jwk.common.key_algorithm {
        None => possible.first().copied(),
        Some(named) => Algorithm::try_from(named).ok().filter(|algorithm| possible.contains(algorithm)),
    }
}
