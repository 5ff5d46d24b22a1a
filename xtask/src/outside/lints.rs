//! Judges of the description, of the schema's language and of the answers.
use std::{env, process::Command};

use super::{example::Example, run, setup::Tools};
use crate::steps::Outcome;

/// Requests that Schemathesis makes up for each operation and phase; the variable asks for another number.
const EXAMPLES_MAX: &str = "40";
/// The same for the second and third example.
const FURTHER_EXAMPLES_MAX: &str = "8";
const EXAMPLES_VARIABLE: &str = "MAINSTAY_OUTSIDE_EXAMPLES";

/// Where its random numbers begin, so that a run can be repeated; the variable asks for others.
const SEED: &str = "20261121";
const SEED_VARIABLE: &str = "MAINSTAY_OUTSIDE_SEED";

/// The prelude and the schema together are ordinary GraphQL.
pub(super) fn graphql(tools: &Tools, example: &Example) -> Outcome {
    let prelude = example.printed(tools, &["sdl", "--prelude"], "prelude.graphql")?;
    example.take(tools, &["prelude.mjs"])?;
    let schema = example.project.join("schema.graphql");
    run(Command::new("node").arg("prelude.mjs").arg(prelude).arg(schema), &example.work)
}

pub(super) fn redocly(tools: &Tools, example: &Example) -> Outcome {
    let config = tools.here.join("redocly.yaml");
    run(tools.npm("redocly").arg("lint").arg(example.openapi()).arg("--config").arg(config), &example.work)
}

pub(super) fn spectral(tools: &Tools, example: &Example) -> Outcome {
    let description = example.printed(tools, &["openapi"], "openapi.json")?;
    let rules = tools.here.join("spectral.yaml");
    let mut command = tools.npm("spectral");
    command.arg("lint").arg(description).arg("--ruleset").arg(rules).args(["--fail-severity", "warn"]);
    run(&mut command, &example.work)
}

/// Without a token Schemathesis runs as it comes.
pub(super) fn schemathesis_anonymous(tools: &Tools, example: &Example) -> Outcome {
    schemathesis(tools.python("schemathesis").arg("run"), example, EXAMPLES_MAX)
}

pub(super) fn schemathesis_editor(tools: &Tools, example: &Example) -> Outcome {
    schemathesis_as(tools, example, &["--role", "editor"], EXAMPLES_MAX)
}

pub(super) fn schemathesis_admin(tools: &Tools, example: &Example) -> Outcome {
    schemathesis_as(tools, example, &["--admin"], EXAMPLES_MAX)
}

pub(super) fn schemathesis_somebody(tools: &Tools, example: &Example) -> Outcome {
    schemathesis_as(tools, example, &[], FURTHER_EXAMPLES_MAX)
}

pub(super) fn schemathesis_staff(tools: &Tools, example: &Example) -> Outcome {
    schemathesis_as(tools, example, &["--role", "staff"], FURTHER_EXAMPLES_MAX)
}

/// With a token it gets as far as the records; `schemathesis.toml` says what that takes.
fn schemathesis_as(tools: &Tools, example: &Example, more: &[&str], examples_max: &str) -> Outcome {
    let token = example.token(tools, "eva", more)?;
    let mut command = tools.python("schemathesis");
    command.env("SCHEMATHESIS_HOOKS", "hooks").env("PYTHONPATH", &tools.here).env("PYTHONDONTWRITEBYTECODE", "1");
    command.arg("--config-file").arg(tools.here.join("schemathesis.toml")).arg("run");
    schemathesis(command.arg("--header").arg(format!("Authorization: Bearer {token}")), example, examples_max)
}

fn schemathesis(command: &mut Command, example: &Example, examples_max: &str) -> Outcome {
    let wanted = |variable: &str, usual: &str| env::var(variable).unwrap_or_else(|_| usual.to_owned());
    command.args(["--checks", "all", "--continue-on-failure", "--no-color", "--generation-database", "none"]);
    command.args(["--max-examples", &wanted(EXAMPLES_VARIABLE, examples_max), "--seed", &wanted(SEED_VARIABLE, SEED)]);
    run(command.arg(example.openapi()), &example.work)
}
