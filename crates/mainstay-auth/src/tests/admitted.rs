//! What a good token becomes.
use mainstay_expr::{Decimal, Value};
use serde_json::json;

use super::{NOW, authenticator, call, payload, secret_settings, signed};
use crate::{AuthError, AuthSettings};

#[test]
fn without_a_header_nobody_is_calling() {
    let caller = authenticator(&secret_settings()).authenticate(None, NOW).unwrap();
    assert!(caller.identity().is_none() && !caller.is_admin());
}

#[test]
fn a_subject_and_its_roles_are_known() {
    let caller = call(&secret_settings(), &signed(&payload(json!({"roles": ["editor", "mentor"]})))).unwrap();
    let identity = caller.identity().unwrap();
    assert_eq!((&*identity.id, identity.roles.len()), ("anna", 2));
    assert_eq!(identity.roles[0], Value::text("editor"));
    assert!(!caller.is_admin());
}

#[test]
fn declared_claims_have_their_types_and_others_are_not_kept() {
    let claims = json!({
        "org": "019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f", "level": 3, "points": "9007199254740993", "beta": true,
        "price": "12.5", "share": 0.25, "team": "blue", "until": "2026-01-01T00:00:00Z", "email": "a@example.com",
    });
    let caller = call(&secret_settings(), &signed(&payload(claims))).unwrap();
    let claims = &caller.identity().unwrap().claims;
    assert_eq!(claims["level"], Value::Int(3));
    assert_eq!(claims["points"], Value::Int(9_007_199_254_740_993));
    assert_eq!(claims["beta"], Value::Bool(true));
    assert_eq!(claims["price"], Value::Decimal(Decimal { units: 1250, scale: 2 }));
    assert_eq!(claims["share"], Value::Float(0.25));
    assert_eq!(claims["until"], Value::Timestamp(NOW));
    assert_eq!(claims["team"], Value::text("blue"));
    assert!(matches!(claims["org"], Value::Uuid(_)));
    assert!(!claims.contains_key("email"), "an undeclared claim is not kept");
}

#[test]
fn a_claim_that_is_null_is_missing() {
    let token = signed(&json!({"sub": "anna", "exp": NOW / 1_000_000 + 60, "team": null, "roles": null}));
    let caller = call(&secret_settings(), &token).unwrap();
    assert!(caller.identity().unwrap().claims.is_empty());
}

#[test]
fn an_admin_token_makes_an_admin() {
    let admin = call(&secret_settings(), &signed(&payload(json!({"admin": true})))).unwrap();
    assert!(admin.is_admin());
    assert_eq!(&*admin.identity().unwrap().id, "anna");
    assert!(!call(&secret_settings(), &signed(&payload(json!({"admin": false})))).unwrap().is_admin());
}

#[test]
fn issuers_and_audiences_that_are_expected_are_taken() {
    let settings = AuthSettings {
        issuers: vec!["https://one.example".into(), "https://two.example".into()],
        audiences: vec!["api".into()],
        ..secret_settings()
    };
    for audience in [json!("api"), json!(["web", "api"])] {
        let over = json!({"iss": "https://two.example", "aud": audience});
        assert!(call(&settings, &signed(&payload(over))).is_ok());
    }
}

#[test]
fn the_scheme_is_taken_in_any_case() {
    let header = format!("bEARER  {}", signed(&payload(json!({}))));
    assert!(authenticator(&secret_settings()).authenticate(Some(header.as_bytes()), NOW).is_ok());
}

#[test]
fn clocks_may_differ_by_the_leeway() {
    let now_s = NOW / 1_000_000;
    let over = json!({"exp": now_s - 29, "nbf": now_s + 30, "iat": now_s + 30});
    assert!(call(&secret_settings(), &signed(&payload(over))).is_ok());
}

#[test]
fn a_remembered_token_still_expires() {
    let authenticator = authenticator(&secret_settings());
    let token = signed(&payload(json!({})));
    assert!(authenticator.authenticate_token(&token, NOW).is_ok());
    assert!(authenticator.authenticate_token(&token, NOW + 89_000_000).is_ok());
    for _ in 0..2 {
        assert_eq!(authenticator.authenticate_token(&token, NOW + 90_000_000).unwrap_err(), AuthError::Expired);
    }
}

#[test]
fn a_remembered_token_does_not_help_another_one() {
    let authenticator = authenticator(&secret_settings());
    let token = signed(&payload(json!({})));
    assert!(authenticator.authenticate_token(&token, NOW).is_ok());
    let mut other = token.clone();
    other.push('A');
    assert!(authenticator.authenticate_token(&other, NOW).is_err());
    assert!(authenticator.authenticate_token(&token[..token.len() - 1], NOW).is_err());
}

#[test]
fn refused_tokens_are_not_remembered() {
    let authenticator = authenticator(&secret_settings());
    let token = signed(&payload(json!({"nbf": NOW / 1_000_000 + 40})));
    assert_eq!(authenticator.authenticate_token(&token, NOW).unwrap_err(), AuthError::NotYetValid);
    assert!(authenticator.authenticate_token(&token, NOW + 20_000_000).is_ok());
}

#[test]
fn nothing_is_remembered_without_room() {
    let settings = AuthSettings { cache_max: 0, ..secret_settings() };
    let authenticator = authenticator(&settings);
    let token = signed(&payload(json!({})));
    assert!((0..3).all(|_| authenticator.authenticate_token(&token, NOW).is_ok()));
}

/// The hot path: printed by `cargo test -p mainstay-auth --release -- --nocapture remembered_token_costs`, and bounded far
/// above what it takes, for a machine that is busy.
#[test]
fn a_remembered_token_costs_far_less_than_a_signature() {
    const CALLS: u32 = 20_000;
    let authenticator = authenticator(&secret_settings());
    let header = format!("Bearer {}", signed(&payload(json!({"roles": ["editor"], "team": "blue"}))));
    let begin = std::time::Instant::now();
    for _ in 0..CALLS {
        assert!(authenticator.authenticate(Some(header.as_bytes()), NOW).is_ok());
    }
    let each = begin.elapsed() / CALLS;
    assert!(each.as_micros() < 20, "{each:?}");
    let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("a remembered token: {each:?}\n"));
}
