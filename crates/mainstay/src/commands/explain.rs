//! `mainstay explain`: what a call comes to, and why.
use std::{
    fmt::Write as _,
    io::{self, Read},
    process::ExitCode,
    sync::Arc,
};

use clap::Args;
use mainstay_auth::{AuthSettings, Authenticator, NewToken, SigningKey, TokenMaker, random_secret};
use mainstay_core::{AdminPass, Caller, Explanation, Request, RuleExplained, Verdict};
use mainstay_schema::Schema;

use super::{
    Outcome,
    token::{now_micros, pair},
};
use crate::{build, database::Way, failure::Failure, keys::Mode, output::Output, project::Project};

/// Say what a call comes to: which rule, which clause with its values, the SQL, the query plan
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mainstay explain --as bob:editor GET '/api/skills?sort=name'\n  mainstay explain --as anonymous POST /api/skills '{\"name\": \"Rust\"}'\n\nNothing is written: it says what would be done."
)]
pub(crate) struct Arguments {
    /// Who calls: anonymous, admin, a subject, or a subject with roles: anna:editor,mentor
    #[arg(long = "as", value_name = "CALLER")]
    caller: String,
    /// A declared claim of the caller; may be given several times.
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = pair)]
    claims: Vec<(String, String)>,
    /// GET, POST, PATCH or DELETE
    method: String,
    /// The address: /api/skills?sort=name
    path: String,
    /// The body, as JSON; - reads it from the input.
    body: Option<String>,
}

/// How long the caller that is made up may take.
const TTL_S: u32 = 60;

pub(crate) fn run(arguments: &Arguments, project: &Project, output: Output) -> Outcome {
    let schema = Arc::new(project.schema()?);
    let caller = caller(arguments, &schema)?;
    let body = body(arguments)?;
    let store = build::reading_store(project)?;
    Way::to_schema(&store, &schema)?.require_done()?;
    let core = build::core(project, schema, store.clone(), Mode::Development)?;
    let request = Request {
        caller,
        time_micros: now_micros(),
        ip: "127.0.0.1".into(),
        method: arguments.method.to_ascii_uppercase().into(),
        host: "localhost".into(),
        once: None,
    };
    let explaining = mainstay_http::explain(&core, &request, &arguments.path, body.as_bytes());
    let explained = build::runtime(project)?.block_on(explaining);
    store.close();
    let explanation =
        explained.map_err(|refused| Failure { hint: refused.hint, ..Failure::new(refused.code, refused.message) })?;
    output.result(text(&explanation), &explanation);
    Ok(ExitCode::SUCCESS)
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

/// The explanation for people.
fn text(explanation: &Explanation) -> String {
    let mut text = format!("{}, asked by {}\n", explanation.operation, explanation.caller);
    if let Some(refused) = &explanation.refused {
        let _ = writeln!(text, "refused: {refused}");
    }
    section(&mut text, "rules", explanation.rules.iter().map(rule));
    section(&mut text, "SQL", explanation.sql.iter().cloned());
    section(&mut text, "query plan", explanation.plan.iter().cloned());
    let missing = explanation.missing_indexes.iter();
    section(
        &mut text,
        "indexes that would help",
        missing.map(|index| format!("type {} {}: {}", index.collection, index.directive, index.reason)),
    );
    text.truncate(text.trim_end().len());
    text
}

fn section(text: &mut String, title: &str, entries: impl Iterator<Item = String>) {
    for (at, entry) in entries.enumerate() {
        if at == 0 {
            let _ = writeln!(text, "\n{title}");
        }
        for line in entry.lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
}

pub(super) fn rule(rule: &RuleExplained) -> String {
    let shown = rule.text.as_deref().unwrap_or("no rule: admins only");
    let mut text = format!("{:<12} {}: {shown}", verdict(rule.outcome), rule.name);
    for clause in &rule.clauses {
        let values: Vec<String> =
            clause.values.iter().map(|value| format!("{} is {}", value.name, value.value)).collect();
        let values = if values.is_empty() { String::new() } else { format!("   ({})", values.join(", ")) };
        let _ = write!(text, "\n  {:<12} {}{values}", verdict(clause.outcome), clause.text);
    }
    text
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::True => "true",
        Verdict::False => "false",
        Verdict::Error => "error",
        Verdict::PerRecord => "per record",
        Verdict::Skipped => "skipped",
    }
}
