//! Tokens that are not taken, one reason each.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::json;

use super::{
    NOW, NOW_S, SECRET, authenticator, call, ed25519, payload, refusal, refusal_with, secret_settings, signed,
    signed_as,
};
use crate::{AuthError, AuthSettings};

/// A token of these parts, as they are.
fn raw(header: &str, payload: &str, signature: &str) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{signature}", encode(header), encode(payload))
}

fn signed_raw(header: &str, payload: &str) -> String {
    let message = raw(header, payload, "");
    let message = message.trim_end_matches('.');
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    format!("{message}.{}", jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap())
}

#[test]
fn another_scheme_or_none_is_refused() {
    let authenticator = authenticator(&secret_settings());
    for header in ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer\tx", "anna"] {
        let error = authenticator.authenticate(Some(header.as_bytes()), NOW).unwrap_err();
        assert_eq!(error, AuthError::NotBearer, "{header:?}");
    }
    assert_eq!(authenticator.authenticate(Some(b"Bearer \xff"), NOW).unwrap_err(), AuthError::NotBearer);
}

#[test]
fn the_algorithm_none_is_refused() {
    for algorithm in ["none", "None", "NONE", "nOnE", ""] {
        let token = raw(&format!(r#"{{"alg":"{algorithm}"}}"#), &payload(json!({})).to_string(), "");
        assert_eq!(call(&secret_settings(), &token).unwrap_err(), AuthError::WrongAlgorithm, "{algorithm}");
    }
}

#[test]
fn a_header_without_an_algorithm_is_refused() {
    let token = signed_raw("{}", &payload(json!({})).to_string());
    assert_eq!(call(&secret_settings(), &token).unwrap_err(), AuthError::WrongAlgorithm);
}

#[test]
fn a_public_key_does_not_serve_as_a_secret() {
    let (_, public) = ed25519();
    let settings = AuthSettings { public_key_pem: Some(public.clone()), ..AuthSettings::default() };
    let forged = signed_as(&payload(json!({})), Algorithm::HS256, None, &EncodingKey::from_secret(public.as_bytes()));
    assert_eq!(call(&settings, &forged).unwrap_err(), AuthError::WrongAlgorithm);
}

#[test]
fn another_hash_of_the_same_secret_is_refused() {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let token = signed_as(&payload(json!({})), algorithm, None, &key);
        assert_eq!(call(&secret_settings(), &token).unwrap_err(), AuthError::WrongAlgorithm);
    }
}

#[test]
fn a_tampered_token_is_refused() {
    let token = signed(&payload(json!({})));
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = message.split_once('.').unwrap();
    let other = URL_SAFE_NO_PAD.encode(payload(json!({"admin": true})).to_string());
    let swapped = format!("{header}.{other}.{signature}");
    assert_eq!(call(&secret_settings(), &swapped).unwrap_err(), AuthError::WrongSignature);
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    bytes[0] ^= 1;
    let bent = format!("{message}.{}", URL_SAFE_NO_PAD.encode(bytes));
    assert_eq!(call(&secret_settings(), &bent).unwrap_err(), AuthError::WrongSignature);
    assert_eq!(call(&secret_settings(), &format!("{message}.")).unwrap_err(), AuthError::WrongSignature);
}

#[test]
fn a_token_of_another_secret_is_refused() {
    let key = EncodingKey::from_secret(b"another secret, also long enough to count");
    let token = signed_as(&payload(json!({})), Algorithm::HS256, None, &key);
    assert_eq!(call(&secret_settings(), &token).unwrap_err(), AuthError::WrongSignature);
}

#[test]
fn without_keys_every_token_is_refused() {
    assert_eq!(call(&AuthSettings::default(), &signed(&payload(json!({})))).unwrap_err(), AuthError::NoKeys);
}

#[test]
fn times_are_required_and_checked() {
    assert_eq!(refusal(json!({"exp": null})), "claim \"exp\": it is required");
    assert_eq!(refusal(json!({"exp": "soon"})), "claim \"exp\": expected a number of seconds since 1970");
    assert_eq!(refusal(json!({"exp": NOW_S - 30})), "the token has expired");
    assert_eq!(refusal(json!({"exp": -1e300})), "the token has expired");
    assert_eq!(refusal(json!({"nbf": NOW_S + 31})), "the token is not valid yet");
    assert_eq!(refusal(json!({"iat": NOW_S + 31})), "the token is not valid yet");
    assert_eq!(refusal(json!({"nbf": "x"})), "claim \"nbf\": expected a number of seconds since 1970");
}

#[test]
fn another_issuer_or_audience_is_refused() {
    let settings = AuthSettings { issuers: vec!["us".into()], ..secret_settings() };
    for over in [json!({}), json!({"iss": "them"}), json!({"iss": ["us"]})] {
        assert_eq!(refusal_with(&settings, over), "the token is from another issuer");
    }
    let settings = AuthSettings { audiences: vec!["api".into()], ..secret_settings() };
    for over in [json!({}), json!({"aud": "web"}), json!({"aud": []}), json!({"aud": [1]})] {
        assert_eq!(refusal_with(&settings, over), "the token is for another audience");
    }
}

#[test]
fn a_subject_is_required() {
    assert_eq!(refusal(json!({"sub": null})), "claim \"sub\": it is required");
    assert_eq!(refusal(json!({"sub": ""})), "claim \"sub\": it is empty");
    assert_eq!(refusal(json!({"sub": 7})), "claim \"sub\": expected a text");
    assert_eq!(refusal(json!({"sub": "a\u{0}b"})), "claim \"sub\": text holds the character U+0000");
    assert_eq!(refusal(json!({"sub": "é".repeat(256)})), "claim \"sub\": it is longer than 255 characters");
    assert!(call(&secret_settings(), &signed(&payload(json!({"sub": "é".repeat(255)})))).is_ok());
}

#[test]
fn roles_are_a_list_of_texts() {
    for roles in [json!("editor"), json!(["editor", 1]), json!({"editor": true})] {
        assert_eq!(refusal(json!({"roles": roles})), "claim \"roles\": expected a list of texts");
    }
}

#[test]
fn admin_is_true_or_false_and_nothing_else() {
    for admin in [json!("true"), json!(1), json!([true])] {
        assert_eq!(refusal(json!({"admin": admin})), "claim \"admin\": expected true or false");
    }
}

#[test]
fn a_claim_of_the_wrong_type_is_refused() {
    assert_eq!(refusal(json!({"level": "3"})), "claim \"level\": expected a value of type Int, found a text");
    assert_eq!(refusal(json!({"level": 3.5})), "claim \"level\": expected a value of type Int, found a number");
    assert_eq!(refusal(json!({"level": 3_000_000_000_i64})), "claim \"level\": the number does not fit into 32 bits");
    assert_eq!(refusal(json!({"beta": "true"})), "claim \"beta\": expected a value of type Boolean, found a text");
    assert_eq!(refusal(json!({"team": 1})), "claim \"team\": expected a value of type String, found a number");
    assert!(refusal(json!({"org": "blue"})).starts_with("claim \"org\": \"blue\" is no UUID"));
}

#[test]
fn what_is_too_long_is_refused_before_it_is_read() {
    let token = signed(&payload(json!({"team": "x".repeat(8_000)})));
    assert_eq!(call(&secret_settings(), &token).unwrap_err(), AuthError::TooLong { length_max: 8 * 1024 });
    let settings = AuthSettings { token_length_max: token.len(), ..secret_settings() };
    assert!(call(&settings, &token).is_ok());
}

#[test]
fn a_token_that_can_be_read_in_two_ways_is_refused() {
    let twice = format!(r#"{{"sub":"anna","sub":"bob","exp":{}}}"#, NOW_S + 60);
    let token = signed_raw(r#"{"alg":"HS256"}"#, &twice);
    assert_eq!(call(&secret_settings(), &token).unwrap_err(), AuthError::Malformed("a part is not JSON"));
    let token = signed_raw(r#"{"alg":"none","alg":"HS256"}"#, &payload(json!({})).to_string());
    assert_eq!(call(&secret_settings(), &token).unwrap_err(), AuthError::Malformed("a part is not JSON"));
}

#[test]
fn extensions_that_are_not_understood_are_refused() {
    let token = signed_raw(r#"{"alg":"HS256","crit":["b64"],"b64":false}"#, &payload(json!({})).to_string());
    let refused = AuthError::Malformed("it has extensions that are not understood");
    assert_eq!(call(&secret_settings(), &token).unwrap_err(), refused);
}

#[test]
fn a_payload_that_is_no_object_is_refused() {
    for payload in ["foo", "[]", "1", "null", ""] {
        let token = signed_raw(r#"{"alg":"HS256"}"#, payload);
        assert!(matches!(call(&secret_settings(), &token), Err(AuthError::Malformed(_))), "{payload}");
    }
}
