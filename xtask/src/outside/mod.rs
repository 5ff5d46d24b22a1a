//! Tools and generated clients from outside that judge the API of the example: nothing of ours stands between them and the server.
mod clients;
mod example;
mod lints;
mod setup;

use std::{path::Path, process::Command, time::Instant};

use crate::{cargo::cargo, steps::Outcome, tools};
use example::Example;
use setup::Tools;

/// One judge: what it needs is a running example, and what it says is a line each.
type Judge = (&'static str, fn(&Tools, &Example) -> Outcome);

const JUDGES: &[Judge] = &[
    ("npm graphql takes the prelude and the schema", lints::graphql),
    ("redocly", lints::redocly),
    ("spectral", lints::spectral),
    ("the TypeScript client", clients::typescript),
    ("the Python client", clients::python),
    ("schemathesis, nobody signed in", lints::schemathesis_anonymous),
    ("schemathesis, as an editor", lints::schemathesis_editor),
    ("schemathesis, as an admin", lints::schemathesis_admin),
];

/// Runs every judge, and tells at the end what any of them found.
pub(crate) fn check() -> Outcome {
    tools::install()?;
    cargo(&["build", "--package", "mainstay", "--locked"], &[])?;
    let start = Instant::now();
    let tools = setup::tools()?;
    println!("   the judges are in {}, {:.1} s", tools.cache.display(), start.elapsed().as_secs_f64());
    let mut found = Vec::new();
    for (name, judge) in JUDGES {
        let start = Instant::now();
        // Each judge meets a fresh example, so that what one of them writes is not in the way of the next.
        let verdict = Example::start(&tools).and_then(|mut example| {
            let verdict = judge(&tools, &example);
            verdict.and_then(|()| example.wrong())
        });
        let seconds = start.elapsed().as_secs_f64();
        match verdict {
            Ok(()) => println!("   {name}: nothing found, {seconds:.1} s"),
            Err(lines) => {
                println!("   {name}: FAILED after {seconds:.1} s");
                found.extend(lines.into_iter().map(|line| format!("{name}: {line}")));
            }
        }
    }
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// Characters of a line that are shown; some tools print whole requests.
const LINE_LENGTH_MAX: usize = 500;

/// Runs a command in a folder; what it prints is shown when it fails.
fn run(command: &mut Command, folder: &Path) -> Outcome {
    let line = format!("{command:?}");
    match command.current_dir(folder).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let text = [output.stdout, output.stderr].concat();
            let text = String::from_utf8_lossy(&text);
            let shown = text.lines().map(|line| line.chars().take(LINE_LENGTH_MAX).collect::<String>());
            Err(vec![format!("{line}: {}\n{}", output.status, shown.collect::<Vec<_>>().join("\n"))])
        }
        Err(error) => Err(vec![format!("{line}: {error}")]),
    }
}
