//! `mainstay token`: makes a token.
use std::{
    fs,
    path::PathBuf,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Args;
use mainstay_auth::{NewToken, SigningKey, TokenMaker};
use mainstay_schema::Scalar;
use serde_json::json;

use super::Outcome;
use crate::{
    failure::Failure,
    keys,
    output::Output,
    project::{Project, load},
};

/// Make a token for somebody, signed with the project's secret
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mainstay token --sub anna --role editor --claim org=blue --ttl 8h\n\nWithout a configured secret it is made with the one that `mainstay dev` keeps in data/."
)]
pub(crate) struct Arguments {
    /// Who it is for: `auth.id`.
    #[arg(long)]
    sub: String,
    /// A role; may be given several times.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// A declared claim; may be given several times.
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = pair)]
    claims: Vec<(String, String)>,
    /// An admin's token: rules do not apply to it.
    #[arg(long)]
    admin: bool,
    /// How long it holds: 90s, 30m, 8h, 7d.
    #[arg(long, default_value = "1h", value_parser = seconds)]
    ttl: u32,
    /// Sign with this Ed25519 private key (PEM, PKCS #8) instead of the secret.
    #[arg(long, value_name = "FILE")]
    private_key: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, project: &Project, output: Output) -> Outcome {
    let claims = claims(arguments, project)?;
    let auth = &project.settings.auth;
    let key = match &arguments.private_key {
        Some(path) => fs::read_to_string(path).map_err(|error| Failure::io(path.display(), &error))?,
        None => secret(project)?,
    };
    let signing = match arguments.private_key {
        Some(_) => SigningKey::PrivateKeyPem(&key),
        None => SigningKey::Secret(&key),
    };
    let maker = TokenMaker::new(&signing, &claims).map_err(|error| Failure::new("keys", error.to_string()))?;
    let maker = maker.with(auth.issuer.first().cloned(), auth.audience.first().cloned());
    let new = NewToken {
        sub: &arguments.sub,
        roles: &arguments.roles,
        claims: &arguments.claims,
        admin: arguments.admin,
        ttl_s: arguments.ttl,
    };
    let token = maker.make(&new, now_micros()).map_err(|error| Failure::new("token", error.to_string()))?;
    output.result(&token, &json!({"token": token, "expiresIn": arguments.ttl}));
    Ok(ExitCode::SUCCESS)
}

/// The claims that the schema declares, where one is given: without any a token is made while the schema has an error, too.
fn claims(arguments: &Arguments, project: &Project) -> Result<Vec<(String, Scalar)>, Failure> {
    let files = project.schema_files()?;
    if arguments.claims.is_empty() { Ok(Vec::new()) } else { Ok(load(&files)?.claims) }
}

fn secret(project: &Project) -> Result<String, Failure> {
    let auth = &project.settings.auth;
    if !auth.jwt_secret.is_empty() {
        return Ok(auth.jwt_secret.clone());
    }
    if auth.has_key() {
        return Err(Failure::new(
            "keys",
            "the project verifies tokens with public keys, and has no secret to sign with",
        )
        .hint("--private-key FILE signs with the private key"));
    }
    keys::dev_secret(project)
}

/// Microseconds since 1970.
pub(super) fn now_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// `NAME=VALUE`
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

/// `90s`, `30m`, `8h`, `7d`; at most ten years.
fn seconds(text: &str) -> Result<u32, String> {
    const TTL_S_MAX: u32 = 10 * 365 * 86_400;
    let wrong = || format!("expected a time like 90s, 30m, 8h or 7d, found {text:?}");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let count: u32 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    let seconds = count.checked_mul(factor).filter(|seconds| (1..=TTL_S_MAX).contains(seconds));
    seconds.ok_or_else(|| "a token holds between one second and ten years".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let read: Vec<_> = ["90s", "30m", "8h", "7d"].into_iter().map(seconds).collect();
        assert_eq!(read, [Ok(90), Ok(1_800), Ok(28_800), Ok(604_800)]);
        for wrong in ["", "h", "1", "1w", "-1h", "0s", "99999d", "4294967295d", "1.5h", "é"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn claims_are_pairs() {
        assert_eq!(pair("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(pair("a").is_err() && pair("=b").is_err());
    }
}
