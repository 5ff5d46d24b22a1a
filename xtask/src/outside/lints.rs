//! Judges of the description and of the answers: nothing is generated from it here.
use std::process::Command;

use super::{example::Example, run, setup::Tools};
use crate::steps::Outcome;

/// Requests that Schemathesis makes up for each operation.
const EXAMPLES_MAX: &str = "40";
/// Where its random numbers begin, so that a run can be repeated.
const SEED: &str = "20261121";

/// The prelude and the schema together are ordinary GraphQL.
pub(super) fn graphql(tools: &Tools, example: &Example) -> Outcome {
    let prelude = example.printed(tools, &["sdl", "--prelude"], "prelude.graphql")?;
    let script = tools.cache.join("prelude.mjs");
    std::fs::copy(tools.here.join("prelude.mjs"), &script).map_err(|error| vec![error.to_string()])?;
    let schema = example.folder.join("schema.graphql");
    run(Command::new("node").arg(script).arg(prelude).arg(schema), &tools.cache)
}

pub(super) fn redocly(tools: &Tools, example: &Example) -> Outcome {
    let description = example.printed(tools, &["openapi"], "openapi.json")?;
    let config = tools.here.join("redocly.yaml");
    run(tools.npm("redocly").arg("lint").arg(description).arg("--config").arg(config), &tools.cache)
}

pub(super) fn spectral(tools: &Tools, example: &Example) -> Outcome {
    let description = example.printed(tools, &["openapi"], "openapi.json")?;
    let rules = tools.here.join("spectral.yaml");
    let mut command = tools.npm("spectral");
    run(
        command.arg("lint").arg(description).arg("--ruleset").arg(rules).args(["--fail-severity", "warn"]),
        &tools.cache,
    )
}

pub(super) fn schemathesis_anonymous(tools: &Tools, example: &Example) -> Outcome {
    schemathesis(tools.python("schemathesis").arg("run"), tools, example)
}

pub(super) fn schemathesis_editor(tools: &Tools, example: &Example) -> Outcome {
    let token = example.token(tools, "eva", Some("editor"))?;
    let mut command = tools.python("schemathesis");
    command.env("SCHEMATHESIS_HOOKS", "hooks").env("PYTHONPATH", &tools.here);
    command.arg("--config-file").arg(tools.here.join("schemathesis.toml")).arg("run");
    schemathesis(command.arg("--header").arg(format!("Authorization: Bearer {token}")), tools, example)
}

fn schemathesis(command: &mut Command, tools: &Tools, example: &Example) -> Outcome {
    command.args(["--checks", "all", "--max-examples", EXAMPLES_MAX, "--seed", SEED, "--no-color"]);
    run(command.arg(example.openapi()), &tools.cache)
}
