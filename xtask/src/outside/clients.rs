//! Clients generated from the description: each creates, reads, updates and deletes.
use std::{fs, process::Command};

use super::{example::Example, run, setup::Tools};
use crate::steps::Outcome;

/// Who the clients call as.
const CALLERS: &[(&str, &str, Option<&str>)] =
    &[("ANNA", "anna", None), ("BERT", "bert", None), ("EDITOR", "eva", Some("editor"))];

/// openapi-typescript makes types of the description, tsc checks the client against them, node runs it.
pub(super) fn typescript(tools: &Tools, example: &Example) -> Outcome {
    take(tools, &["crud.ts", "tsconfig.json"])?;
    run(tools.npm("openapi-typescript").arg(example.openapi()).args(["--output", "api.d.ts"]), &tools.cache)?;
    fs::write(tools.cache.join("package.json"), r#"{"type": "module"}"#).map_err(|error| vec![error.to_string()])?;
    run(tools.npm("tsc").args(["--project", "tsconfig.json"]), &tools.cache)?;
    run(signed_in(Command::new("node").arg("crud.js"), tools, example)?.arg(&example.address), &tools.cache)
}

/// openapi-generator makes a package of the description, a script uses it.
pub(super) fn python(tools: &Tools, example: &Example) -> Outcome {
    take(tools, &["crud.py"])?;
    let package = example.folder.join("client");
    let mut generate = tools.python("openapi-generator-cli");
    generate.args(["generate", "--generator-name", "python", "--package-name", "skillmap"]);
    generate.arg("--input-spec").arg(example.openapi()).arg("--output").arg(&package);
    run(&mut generate, &tools.cache)?;
    let mut script = tools.python("python");
    script.arg("crud.py").env("PYTHONPATH", package);
    run(signed_in(&mut script, tools, example)?.arg(&example.address), &tools.cache)
}

/// Copies scripts to where their packages are.
fn take(tools: &Tools, names: &[&str]) -> Outcome {
    for name in names {
        let copied = fs::copy(tools.here.join(name), tools.cache.join(name));
        copied.map_err(|error| vec![format!("tests/outside/{name}: {error}")])?;
    }
    Ok(())
}

/// Gives a command the tokens of the callers.
fn signed_in<'c>(command: &'c mut Command, tools: &Tools, example: &Example) -> Result<&'c mut Command, Vec<String>> {
    for (variable, sub, role) in CALLERS {
        command.env(variable, example.token(tools, sub, *role)?);
    }
    Ok(command)
}
