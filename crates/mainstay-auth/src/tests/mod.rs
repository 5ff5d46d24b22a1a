//! Tokens that are taken, and many more that are not.
#![expect(clippy::unwrap_used, reason = "a test may fail where it likes")]

mod admitted;
mod keys;
mod maker;
mod refused;
mod wycheproof;

use aws_lc_rs::{
    encoding::AsDer,
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use mainstay_core::Caller;
use mainstay_schema::Scalar;
use serde_json::{Value as JsonValue, json};

use crate::{AuthError, AuthSettings, Authenticator};

/// 2026-01-01T00:00:00Z.
const NOW_S: i64 = 1_767_225_600;
const NOW: i64 = NOW_S * 1_000_000;
const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn secret_settings() -> AuthSettings {
    AuthSettings { secret: Some(SECRET.into()), ..AuthSettings::default() }
}

fn authenticator(settings: &AuthSettings) -> Authenticator {
    Authenticator::new(settings, &claims()).unwrap()
}

fn claims() -> Vec<(String, Scalar)> {
    let claims = [
        ("org", Scalar::Uuid),
        ("level", Scalar::Int),
        ("points", Scalar::Long),
        ("beta", Scalar::Boolean),
        ("until", Scalar::DateTime),
        ("price", Scalar::Decimal { precision: 6, scale: 2 }),
        ("share", Scalar::Float),
        ("team", Scalar::String),
    ];
    claims.map(|(name, scalar)| (name.to_owned(), scalar)).to_vec()
}

/// A payload that is taken, with these members put over it; null takes one away.
fn payload(over: JsonValue) -> JsonValue {
    let mut payload = json!({"sub": "anna", "exp": NOW_S + 60});
    for (name, value) in over.as_object().unwrap() {
        payload[name] = value.clone();
    }
    payload.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    payload
}

/// Signed with the secret.
fn signed(payload: &JsonValue) -> String {
    encode(&Header::new(Algorithm::HS256), payload, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

fn signed_as(payload: &JsonValue, algorithm: Algorithm, kid: Option<&str>, key: &EncodingKey) -> String {
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
    encode(&header, payload, key).unwrap()
}

fn call(settings: &AuthSettings, token: &str) -> Result<Caller, AuthError> {
    authenticator(settings).authenticate(Some(format!("Bearer {token}").as_bytes()), NOW)
}

/// What is said of a token with this payload, signed with the secret.
fn refusal(over: JsonValue) -> String {
    refusal_with(&secret_settings(), over)
}

fn refusal_with(settings: &AuthSettings, over: JsonValue) -> String {
    call(settings, &signed(&payload(over))).unwrap_err().to_string()
}

/// A fresh Ed25519 pair: the private key and the public one, both as PEM.
fn ed25519() -> (String, String) {
    let pair = Ed25519KeyPair::generate().unwrap();
    let private = pem("PRIVATE KEY", pair.to_pkcs8().unwrap().as_ref());
    // The fixed start of every SubjectPublicKeyInfo of Ed25519 (RFC 8410).
    let mut public = vec![0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    public.extend_from_slice(pair.public_key().as_ref());
    (private, pem("PUBLIC KEY", &public))
}

fn es256() -> EncodingKey {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref())
}

fn rs256() -> EncodingKey {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8 = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    EncodingKey::from_rsa_pem(pem("PRIVATE KEY", pkcs8.as_ref()).as_bytes()).unwrap()
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

/// The public half of a key, as a member of a key set.
fn jwk(key: &EncodingKey, algorithm: Algorithm, kid: &str) -> JsonValue {
    if algorithm == Algorithm::EdDSA {
        let pair = Ed25519KeyPair::from_pkcs8(key.as_bytes()).unwrap();
        return json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": URL_SAFE_NO_PAD.encode(pair.public_key())});
    }
    let mut jwk = serde_json::to_value(Jwk::from_encoding_key(key, algorithm).unwrap()).unwrap();
    jwk["kid"] = json!(kid);
    jwk
}

fn set_settings(keys: &[JsonValue]) -> AuthSettings {
    AuthSettings { jwks_json: Some(json!({ "keys": keys }).to_string()), ..AuthSettings::default() }
}
