//! Clients generated from the description: each creates, reads, updates and deletes.
use std::{fs, process::Command};

use super::{example::Example, run, setup::Tools};
use crate::steps::Outcome;

/// Who the clients call as.
const CALLERS: &[(&str, &str, &[&str])] =
    &[("ANNA", "anna", &[]), ("BERT", "bert", &[]), ("EDITOR", "eva", &["--role", "editor"])];

/// openapi-typescript makes types of the description, tsc checks the client against them, node runs it.
pub(super) fn typescript(tools: &Tools, example: &Example) -> Outcome {
    let work = &example.work;
    example.take(tools, &["crud.ts", "tsconfig.json"])?;
    fs::write(work.join("package.json"), r#"{"type": "module"}"#).map_err(|error| vec![error.to_string()])?;
    run(tools.npm("openapi-typescript").arg(example.openapi()).args(["--output", "api.d.ts"]), work)?;
    run(tools.npm("tsc").args(["--project", "tsconfig.json"]), work)?;
    run(signed_in(Command::new("node").arg("crud.js"), tools, example)?.arg(&example.address), work)
}

/// The types that `mainstay types ts` writes: tsc takes what is right by them, and refuses what is wrong.
pub(super) fn types(tools: &Tools, example: &Example) -> Outcome {
    example.take(tools, &["shop.ts"])?;
    example.printed(tools, &["types", "ts"], "types.ts")?;
    run(
        tools.npm("tsc").args([
            "--noEmit",
            "--strict",
            "--target",
            "es2022",
            "--moduleResolution",
            "bundler",
            "--module",
            "es2022",
            "--skipLibCheck",
            "shop.ts",
        ]),
        &example.work,
    )
}

/// openapi-generator makes a package of the description, a script uses it.
pub(super) fn python(tools: &Tools, example: &Example) -> Outcome {
    let work = &example.work;
    example.take(tools, &["crud.py"])?;
    let package = work.join("client");
    let mut generate = tools.python("openapi-generator-cli");
    generate.args(["generate", "--generator-name", "python", "--package-name", "skillmap"]);
    generate.arg("--input-spec").arg(example.openapi()).arg("--output").arg(&package);
    run(&mut generate, work)?;
    let mut script = tools.python("python");
    script.arg("crud.py").env("PYTHONPATH", package);
    run(signed_in(&mut script, tools, example)?.arg(&example.address), work)
}

/// Gives a command the tokens of the callers.
fn signed_in<'c>(command: &'c mut Command, tools: &Tools, example: &Example) -> Result<&'c mut Command, Vec<String>> {
    for (variable, sub, more) in CALLERS {
        command.env(variable, example.token(tools, sub, more)?);
    }
    Ok(command)
}
