//! `mainstay explain`: what a call comes to, and why.
pub(super) mod text;

use std::{
    io::{self, Read},
    process::ExitCode,
    sync::Arc,
};

use clap::Args;
use mainstay_auth::{AuthSettings, Authenticator, NewToken, SigningKey, TokenMaker, random_secret};
use mainstay_core::{AdminPass, Caller, Explanation, Request};
use mainstay_http::{Asked, Explained};
use mainstay_schema::Schema;
use serde::Serialize;

use self::text::Paint;
use super::{
    Outcome,
    token::{now_micros, pair},
};
use crate::{build, database::Way, failure::Failure, keys::Mode, output::Output, project::Project};

/// Say what a call comes to: which rule, which clause with its values, the SQL, the query plan
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mainstay explain --as bob:editor GET '/api/skills?sort=name'\n  mainstay explain --as anonymous POST /api/skills '{\"name\": \"Rust\"}'\n  mainstay explain --as admin --run GET '/api/skills?sort=name'\n\nNothing is written: a write is tried in a transaction that is rolled back."
)]
pub(crate) struct Arguments {
    /// Who calls: anonymous, admin, a subject, or a subject with roles: anna:editor,mentor
    #[arg(long = "as", value_name = "CALLER")]
    caller: String,
    /// A declared claim of the caller; may be given several times.
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = pair)]
    claims: Vec<(String, String)>,
    /// A header of the call, as 'If-Match: "3"'; may be given several times.
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// Run a page so many times, and say what it takes.
    #[arg(long, value_name = "TIMES", num_args = 0..=1, require_equals = true, default_missing_value = "5")]
    run: Option<u16>,
    /// GET, POST, PATCH or DELETE
    method: String,
    /// The address: /api/skills?sort=name
    path: String,
    /// The body, as JSON; - reads it from the input.
    body: Option<String>,
}

/// How often a page is run at most.
const RUNS_MAX: u16 = 1_000;

/// How long the caller that is made up may take.
const TTL_S: u32 = 60;

pub(crate) fn run(arguments: &Arguments, project: &Project, output: Output) -> Outcome {
    let schema = Arc::new(project.schema()?);
    let caller = caller(arguments, &schema)?;
    let body = body(arguments)?;
    let store = build::explaining_store(project)?;
    Way::to_schema(&store, &schema)?.require_done()?;
    let core = build::core(project, schema, store.clone(), Mode::Development)?;
    let request = Request {
        caller,
        time_micros: now_micros(),
        ip: "127.0.0.1".into(),
        method: arguments.method.to_ascii_uppercase().into(),
        host: "localhost".into(),
        id: None,
        once: None,
    };
    let asked = Asked {
        address: &arguments.path,
        headers: &arguments.headers,
        body: body.as_bytes(),
        runs: arguments.run.map_or(0, |times| usize::from(times.clamp(1, RUNS_MAX))),
    };
    let explained = build::runtime(project)?.block_on(mainstay_http::explain(&core, &request, &asked));
    store.close();
    let explained =
        explained.map_err(|refused| Failure { hint: refused.hint, ..Failure::new(refused.code, refused.message) })?;
    let Explained { status, code, hint, explanation } = &explained;
    let json = Told { status: *status, code: *code, hint: hint.as_deref(), explanation };
    output.result(text::text(&explained, Paint::for_terminal()), &json);
    Ok(ExitCode::SUCCESS)
}

/// What programs are told.
#[derive(Serialize)]
struct Told<'a> {
    status: u16,
    code: Option<&'static str>,
    hint: Option<&'a str>,
    #[serde(flatten)]
    explanation: &'a Explanation,
}

/// A header: `If-Match: "3"`.
fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("expected NAME: VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// The caller, made the way that every caller is: by a token that is verified.
fn caller(arguments: &Arguments, schema: &Schema) -> Result<Caller, Failure> {
    let (sub, roles) = match arguments.caller.as_str() {
        "anonymous" => return Ok(Caller::Anonymous),
        "admin" => return Ok(Caller::Admin(AdminPass::for_command("mainstay explain --as admin"))),
        caller => caller.split_once(':').unwrap_or((caller, "")),
    };
    let failure = |error: &dyn std::fmt::Display| Failure::new("usage", format!("--as: {error}"));
    let roles: Vec<String> = roles.split(',').filter(|role| !role.is_empty()).map(str::to_owned).collect();
    let secret = random_secret().map_err(|error| failure(&error))?;
    let maker = TokenMaker::new(&SigningKey::Secret(&secret), &schema.claims).map_err(|error| failure(&error))?;
    let new = NewToken { sub, roles: &roles, claims: &arguments.claims, admin: false, ttl_s: TTL_S };
    let token = maker.make(&new, now_micros()).map_err(|error| failure(&error))?;
    let settings = AuthSettings { secret: Some(secret), ..AuthSettings::default() };
    let authenticator = Authenticator::new(&settings, &schema.claims).map_err(|error| failure(&error))?;
    authenticator.authenticate_token(&token, now_micros()).map_err(|error| failure(&error))
}

fn body(arguments: &Arguments) -> Result<String, Failure> {
    match arguments.body.as_deref() {
        Some("-") => {
            let mut body = String::new();
            io::stdin().lock().read_to_string(&mut body).map_err(|error| Failure::io("the input", &error))?;
            Ok(body)
        }
        body => Ok(body.unwrap_or_default().to_owned()),
    }
}
