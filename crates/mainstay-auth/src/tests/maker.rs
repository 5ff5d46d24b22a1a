//! Tokens that are made here are taken here.
use mainstay_expr::Value;

use super::{NOW, SECRET, authenticator, claims, ed25519, secret_settings};
use crate::{AuthError, AuthSettings, AuthSetupError, MakeError, NewToken, SigningKey, TokenMaker, random_secret};

fn maker(key: &SigningKey<'_>) -> TokenMaker {
    TokenMaker::new(key, &claims()).unwrap()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_made_token_is_taken_with_all_it_says() {
    let claims =
        pairs(&[("level", "3"), ("points", "9007199254740993"), ("beta", "true"), ("team", "true"), ("price", "1.50")]);
    let roles = ["editor".to_owned()];
    let new = NewToken { sub: "anna", roles: &roles, claims: &claims, admin: false, ttl_s: 3_600 };
    let token = maker(&SigningKey::Secret(SECRET)).make(&new, NOW).unwrap();
    let authenticator = authenticator(&secret_settings());
    let caller = authenticator.authenticate_token(&token, NOW).unwrap();
    let identity = caller.identity().unwrap();
    assert_eq!((&*identity.id, &identity.roles[..]), ("anna", &[Value::text("editor")][..]));
    assert_eq!(identity.claims["level"], Value::Int(3));
    assert_eq!(identity.claims["points"], Value::Int(9_007_199_254_740_993));
    assert_eq!(identity.claims["team"], Value::text("true"));
    assert!(!caller.is_admin());
    let late = NOW + 3_630 * 1_000_000;
    assert_eq!(authenticator.authenticate_token(&token, late).unwrap_err(), AuthError::Expired);
}

#[test]
fn an_admin_token_from_a_private_key_with_issuer_and_audience() {
    let (private, public) = ed25519();
    let settings = AuthSettings {
        public_key_pem: Some(public),
        issuers: vec!["us".into()],
        audiences: vec!["api".into()],
        ..AuthSettings::default()
    };
    let new = NewToken { sub: "root", admin: true, ttl_s: 60, ..NewToken::default() };
    let key = SigningKey::PrivateKeyPem(&private);
    let token = maker(&key).with(Some("us".into()), Some("api".into())).make(&new, NOW).unwrap();
    assert!(authenticator(&settings).authenticate_token(&token, NOW).unwrap().is_admin());
    let bare = maker(&key).make(&new, NOW).unwrap();
    assert_eq!(authenticator(&settings).authenticate_token(&bare, NOW).unwrap_err(), AuthError::WrongIssuer);
}

#[test]
fn what_would_be_refused_is_not_made() {
    let maker = maker(&SigningKey::Secret(SECRET));
    let make =
        |claims: &[(String, String)], sub| maker.make(&NewToken { sub, claims, ttl_s: 60, ..NewToken::default() }, NOW);
    assert_eq!(make(&[], "").unwrap_err(), MakeError::SubjectEmpty);
    let error = make(&pairs(&[("levle", "3")]), "anna").unwrap_err();
    assert_eq!(error.to_string(), "the schema declares no claim \"levle\": do you mean \"level\"?");
    let error = make(&pairs(&[("level", "high")]), "anna").unwrap_err();
    assert_eq!(error.to_string(), "claim \"level\": \"high\" is no whole number of 64 bits");
    let error = make(&pairs(&[("level", "3000000000")]), "anna").unwrap_err();
    assert_eq!(error.to_string(), "claim \"level\": the number does not fit into 32 bits");
    let error = make(&[], &"é".repeat(256)).unwrap_err();
    assert_eq!(error.to_string(), "claim \"sub\": it is longer than 255 characters");
}

#[test]
fn a_public_key_does_not_sign() {
    let (_, public) = ed25519();
    let error = TokenMaker::new(&SigningKey::PrivateKeyPem(&public), &[]).err().unwrap();
    assert_eq!(error, AuthSetupError::PrivateKey);
}

#[test]
fn random_secrets_are_long_and_differ() {
    let (one, two) = (random_secret().unwrap(), random_secret().unwrap());
    assert_eq!((one.len(), two.len()), (64, 64));
    assert_ne!(one, two);
}
