//! What a verified token says: times, issuer, audience, and who it is.
use std::{collections::BTreeMap, sync::Arc};

use mainstay_core::{AdminPass, Caller, Identity};
use mainstay_expr::{Type, Value, wire};
use mainstay_schema::{Json, Scalar};

use crate::{AuthError, AuthSettings, token};

/// Code points of `sub` at most: it stands in columns that have a length.
const SUBJECT_LENGTH_MAX: usize = 255;
const MICROS_PER_SECOND: f64 = 1_000_000.0;

/// What is expected of a token besides its signature.
pub(crate) struct Expected {
    issuers: Vec<String>,
    audiences: Vec<String>,
    leeway_micros: i64,
    claims: Vec<(Arc<str>, Scalar)>,
}

/// A caller, and until when.
#[derive(Clone)]
pub(crate) struct Admitted {
    pub(crate) caller: Caller,
    pub(crate) until_micros: i64,
}

impl Expected {
    pub(crate) fn new(settings: &AuthSettings, claims: &[(String, Scalar)]) -> Expected {
        Expected {
            issuers: settings.issuers.clone(),
            audiences: settings.audiences.clone(),
            leeway_micros: i64::from(settings.leeway_s) * 1_000_000,
            claims: claims.iter().map(|(name, scalar)| (name.as_str().into(), *scalar)).collect(),
        }
    }

    /// Reads the payload of a token whose signature is good; `admin` says whether its key may make admins.
    pub(crate) fn admit(&self, payload: &[u8], admin: bool, now_micros: i64) -> Result<Admitted, AuthError> {
        let claims = token::parse(payload)?;
        let until_micros = self.check_times(&claims, now_micros)?;
        self.check_issuer(&claims)?;
        self.check_audience(&claims)?;
        let identity = Arc::new(self.identity(&claims)?);
        let caller = match admin && says_admin(&claims)? {
            true => Caller::Admin(AdminPass::for_verified_token(identity)),
            false => Caller::User(identity),
        };
        Ok(Admitted { caller, until_micros })
    }

    /// Who it is for, in the schema's types.
    pub(crate) fn identity(&self, claims: &Json<'_>) -> Result<Identity, AuthError> {
        Ok(Identity { id: subject(claims)?, roles: roles(claims)?, claims: self.declared(claims)? })
    }

    /// Until when the token holds. `exp` is required; what was issued or begins in the future is refused.
    fn check_times(&self, claims: &Json<'_>, now_micros: i64) -> Result<i64, AuthError> {
        let expires = time(claims, "exp")?.ok_or_else(|| AuthError::claim("exp", "it is required"))?;
        let until_micros = expires.saturating_add(self.leeway_micros);
        if now_micros >= until_micros {
            return Err(AuthError::Expired);
        }
        for name in ["nbf", "iat"] {
            if time(claims, name)?.is_some_and(|time| time > now_micros.saturating_add(self.leeway_micros)) {
                return Err(AuthError::NotYetValid);
            }
        }
        Ok(until_micros)
    }

    fn check_issuer(&self, claims: &Json<'_>) -> Result<(), AuthError> {
        let issuer = claims.get("iss").and_then(Json::as_text);
        let known = |issuer: &str| self.issuers.iter().any(|known| known == issuer);
        if self.issuers.is_empty() || issuer.is_some_and(known) { Ok(()) } else { Err(AuthError::WrongIssuer) }
    }

    fn check_audience(&self, claims: &Json<'_>) -> Result<(), AuthError> {
        let ours =
            |audience: &Json<'_>| audience.as_text().is_some_and(|text| self.audiences.iter().any(|our| our == text));
        let fits = match claims.get("aud") {
            Some(Json::Array(audiences)) => audiences.iter().any(ours),
            Some(audience) => ours(audience),
            None => false,
        };
        if self.audiences.is_empty() || fits { Ok(()) } else { Err(AuthError::WrongAudience) }
    }

    /// The declared claims that the token has, in their types; null is the same as missing.
    fn declared(&self, claims: &Json<'_>) -> Result<BTreeMap<Arc<str>, Value>, AuthError> {
        let mut out = BTreeMap::new();
        for (name, scalar) in &self.claims {
            match claims.get(name) {
                None | Some(Json::Null) => {}
                Some(json) => {
                    let value = typed(*scalar, json).map_err(|problem| AuthError::claim(name, problem))?;
                    out.insert(name.clone(), value);
                }
            }
        }
        Ok(out)
    }
}

/// A claim's value in its declared type. Numbers may stand as texts only where the wire has them as texts.
fn typed(scalar: Scalar, json: &Json<'_>) -> Result<Value, String> {
    let ty = scalar.ty();
    let wrong = || format!("expected a value of type {}, found {}", scalar.name(), json.kind());
    let value = match (&ty, json) {
        (Type::Bool, Json::Bool(value)) => Value::Bool(*value),
        (Type::Float, Json::Rounded(text)) => wire::parse_text(&ty, text)?,
        (Type::Float, Json::Float(number)) => Value::Float(*number),
        (Type::Float | Type::Int | Type::Decimal(_), Json::Int(number)) => wire::parse_text(&ty, &number.to_string())?,
        (Type::Int, Json::Text(text)) if scalar == Scalar::Long => wire::parse_text(&ty, text)?,
        (Type::Bool | Type::Int | Type::Float, _) => return Err(wrong()),
        (_, Json::Text(text)) => wire::parse_text(&ty, text)?,
        _ => return Err(wrong()),
    };
    match value {
        Value::Int(number) if scalar == Scalar::Int && i32::try_from(number).is_err() => {
            Err("the number does not fit into 32 bits".to_owned())
        }
        value => Ok(value),
    }
}

/// A claim that is a time in seconds since 1970 (RFC 7519, 2), in microseconds.
fn time(claims: &Json<'_>, name: &str) -> Result<Option<i64>, AuthError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Json::Int(seconds)) => Ok(Some(seconds.saturating_mul(1_000_000))),
        // A float too large for the type saturates, which is what is meant.
        Some(other) => match other.as_float() {
            Some(seconds) => Ok(Some((seconds * MICROS_PER_SECOND) as i64)),
            None => Err(AuthError::claim(name, "expected a number of seconds since 1970")),
        },
    }
}

fn subject(claims: &Json<'_>) -> Result<Arc<str>, AuthError> {
    let wrong = |problem: &str| AuthError::claim("sub", problem);
    let sub = match claims.get("sub") {
        None => return Err(wrong("it is required")),
        Some(Json::Text(sub)) => sub,
        Some(_) => return Err(wrong("expected a text")),
    };
    if sub.is_empty() {
        return Err(wrong("it is empty"));
    }
    if sub.chars().nth(SUBJECT_LENGTH_MAX).is_some() {
        return Err(wrong("it is longer than 255 characters"));
    }
    wire::check_text(sub).map_err(|problem| wrong(&problem))?;
    Ok(sub.as_ref().into())
}

fn roles(claims: &Json<'_>) -> Result<Arc<[Value]>, AuthError> {
    let wrong = || AuthError::claim("roles", "expected a list of texts");
    let role = |json: &Json<'_>| {
        let text = json.as_text().ok_or_else(wrong)?;
        wire::check_text(text).map_err(|problem| AuthError::claim("roles", problem))?;
        Ok(Value::text(text))
    };
    match claims.get("roles") {
        None | Some(Json::Null) => Ok(Arc::from([])),
        Some(Json::Array(roles)) => roles.iter().map(role).collect(),
        Some(_) => Err(wrong()),
    }
}

fn says_admin(claims: &Json<'_>) -> Result<bool, AuthError> {
    match claims.get("admin") {
        None | Some(Json::Null) => Ok(false),
        Some(Json::Bool(admin)) => Ok(*admin),
        Some(_) => Err(AuthError::claim("admin", "expected true or false")),
    }
}
