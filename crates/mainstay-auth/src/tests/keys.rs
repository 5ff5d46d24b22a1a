//! Keys: which is chosen, and which are not taken.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::json;

use super::{SECRET, call, ed25519, es256, jwk, payload, rs256, secret_settings, set_settings, signed, signed_as};
use crate::{AuthError, AuthSettings, AuthSetupError, Authenticator};

fn setup_error(settings: &AuthSettings) -> AuthSetupError {
    Authenticator::new(settings, &[]).err().unwrap()
}

fn ed_key() -> EncodingKey {
    EncodingKey::from_ed_pem(ed25519().0.as_bytes()).unwrap()
}

#[test]
fn every_kind_of_key_in_a_set_verifies_its_own_tokens_only() {
    let shared = EncodingKey::from_secret(SECRET.as_bytes());
    let keys = [
        (Algorithm::EdDSA, "ed", ed_key()),
        (Algorithm::ES256, "ec", es256()),
        (Algorithm::RS256, "rsa", rs256()),
        (Algorithm::HS256, "shared", shared),
    ];
    let mut set: Vec<_> = keys.iter().take(3).map(|(algorithm, kid, key)| jwk(key, *algorithm, kid)).collect();
    set.push(json!({"kty": "oct", "kid": "shared", "alg": "HS256", "k": URL_SAFE_NO_PAD.encode(SECRET)}));
    let settings = set_settings(&set);
    for (algorithm, kid, key) in &keys {
        let signed = |kid: Option<&str>| signed_as(&payload(json!({})), *algorithm, kid, key);
        assert!(call(&settings, &signed(Some(kid))).is_ok(), "{kid}");
        assert!(call(&settings, &signed(None)).is_ok(), "{kid}: the only key of its algorithm");
        assert_eq!(call(&settings, &signed(Some("other"))).unwrap_err(), AuthError::UnknownKey, "{kid}");
        let foreign = if *kid == "ed" { "rsa" } else { "ed" };
        assert_eq!(call(&settings, &signed(Some(foreign))).unwrap_err(), AuthError::WrongAlgorithm, "{kid}");
    }
}

#[test]
fn the_key_is_chosen_by_its_id() {
    let (one, two) = (ed_key(), ed_key());
    let settings = set_settings(&[jwk(&one, Algorithm::EdDSA, "one"), jwk(&two, Algorithm::EdDSA, "two")]);
    let signed = |kid, key| signed_as(&payload(json!({})), Algorithm::EdDSA, kid, key);
    assert!(call(&settings, &signed(Some("two"), &two)).is_ok());
    assert_eq!(call(&settings, &signed(Some("one"), &two)).unwrap_err(), AuthError::WrongSignature);
    assert_eq!(call(&settings, &signed(None, &one)).unwrap_err(), AuthError::UnknownKey, "which one is not said");
}

#[test]
fn a_secret_and_a_public_key_live_side_by_side() {
    let (private, public) = ed25519();
    let settings = AuthSettings { public_key_pem: Some(public), ..secret_settings() };
    let key = EncodingKey::from_ed_pem(private.as_bytes()).unwrap();
    assert!(call(&settings, &signed(&payload(json!({})))).is_ok());
    assert!(call(&settings, &signed_as(&payload(json!({})), Algorithm::EdDSA, Some("any"), &key)).is_ok());
}

#[test]
fn a_key_set_makes_admins_only_where_it_is_allowed_to() {
    let key = ed_key();
    let token = signed_as(&payload(json!({"admin": true})), Algorithm::EdDSA, Some("k"), &key);
    let settings = set_settings(&[jwk(&key, Algorithm::EdDSA, "k")]);
    assert!(!call(&settings, &token).unwrap().is_admin());
    assert!(call(&AuthSettings { jwks_admin: true, ..settings }, &token).unwrap().is_admin());
}

#[test]
fn keys_for_other_uses_are_passed_over() {
    let key = es256();
    let mut encryption = jwk(&key, Algorithm::ES256, "enc");
    encryption["use"] = json!("enc");
    let unknown = json!({"kty": "new", "kid": "new"});
    let curve = json!({"kty": "EC", "crv": "secp256k1", "kid": "k1", "x": "AA", "y": "AA"});
    let settings = set_settings(&[encryption.clone(), unknown.clone(), curve, jwk(&key, Algorithm::ES256, "sig")]);
    let signed = |kid| signed_as(&payload(json!({})), Algorithm::ES256, Some(kid), &key);
    assert!(call(&settings, &signed("sig")).is_ok());
    assert_eq!(call(&settings, &signed("enc")).unwrap_err(), AuthError::UnknownKey);
    assert_eq!(setup_error(&set_settings(&[encryption, unknown])), AuthSetupError::KeySetEmpty);
}

#[test]
fn a_key_set_that_cannot_be_used_is_refused_at_start() {
    let broken = AuthSettings { jwks_json: Some("{".into()), ..AuthSettings::default() };
    assert!(matches!(setup_error(&broken), AuthSetupError::KeySet(_)));
    assert_eq!(setup_error(&set_settings(&[])), AuthSetupError::KeySetEmpty);
    let one = jwk(&ed_key(), Algorithm::EdDSA, "k");
    let twice = set_settings(&[one.clone(), jwk(&ed_key(), Algorithm::EdDSA, "k")]);
    assert_eq!(setup_error(&twice), AuthSetupError::KeyTwice { kid: "k".into() });
    let many = AuthSettings { keys_max: 1, ..set_settings(&[one.clone(), one]) };
    assert_eq!(setup_error(&many), AuthSetupError::KeySetTooLarge { count: 2, keys_max: 1 });
    let modulus = |bytes: usize| URL_SAFE_NO_PAD.encode(vec![0xd5; bytes]);
    let rsa = |bytes: usize| set_settings(&[json!({"kty": "RSA", "kid": "r", "n": modulus(bytes), "e": "AQAB"})]);
    assert_eq!(setup_error(&rsa(128)), AuthSetupError::RsaSize { bits: 1_024 });
    assert_eq!(setup_error(&rsa(2_048)), AuthSetupError::RsaSize { bits: 16_384 });
    assert!(Authenticator::new(&rsa(256), &[]).is_ok());
    let short = set_settings(&[json!({"kty": "oct", "k": "c2hvcnQ"})]);
    assert_eq!(setup_error(&short), AuthSetupError::SecretTooShort { length: 5, length_min: 32 });
}

#[test]
fn a_secret_that_cannot_be_used_is_refused_at_start() {
    let with = |secret: &str| AuthSettings { secret: Some(secret.into()), ..AuthSettings::default() };
    assert_eq!(setup_error(&with("short")), AuthSetupError::SecretTooShort { length: 5, length_min: 32 });
    assert_eq!(setup_error(&with(&ed25519().1)), AuthSetupError::SecretIsPem);
}

#[test]
fn a_public_key_of_another_kind_is_refused_at_start() {
    let (private, _) = ed25519();
    for pem in ["no key", private.as_str()] {
        let settings = AuthSettings { public_key_pem: Some(pem.into()), ..AuthSettings::default() };
        assert_eq!(setup_error(&settings), AuthSetupError::PublicKey);
    }
}

#[test]
fn settings_do_not_print_their_secret() {
    assert!(!format!("{:?}", secret_settings()).contains(SECRET));
}
