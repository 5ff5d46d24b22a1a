//! Tools and generated clients from outside that judge the API of the examples: nothing of ours stands between them and the server.
mod attackers;
mod clients;
mod deploy;
mod example;
mod lints;
mod setup;

use std::{env, path::Path, process::Command, time::Instant};

use crate::{cargo::cargo, steps::Outcome, tools};
use example::Example;
use setup::Tools;

/// One judge: its name, the example that it needs, and what it says, a line each.
type Judge = (&'static str, &'static str, fn(&Tools, &Example) -> Outcome);

const JUDGES: &[Judge] = &[
    ("npm graphql takes the prelude and the schema", "skillmap", lints::graphql),
    ("npm graphql takes the schema of tracker", "tracker", lints::graphql),
    ("npm graphql takes the schema of shop", "shop", lints::graphql),
    ("redocly on skillmap", "skillmap", lints::redocly),
    ("redocly on tracker", "tracker", lints::redocly),
    ("redocly on shop", "shop", lints::redocly),
    ("spectral on skillmap", "skillmap", lints::spectral),
    ("spectral on tracker", "tracker", lints::spectral),
    ("spectral on shop", "shop", lints::spectral),
    ("the TypeScript client", "skillmap", clients::typescript),
    ("the types of shop", "shop", clients::types),
    ("the Python client", "skillmap", clients::python),
    ("schemathesis on skillmap, nobody signed in", "skillmap", lints::schemathesis_anonymous),
    ("schemathesis on skillmap, as an editor", "skillmap", lints::schemathesis_editor),
    ("schemathesis on skillmap, as an admin", "skillmap", lints::schemathesis_admin),
    ("schemathesis on tracker, as somebody", "tracker", lints::schemathesis_somebody),
    ("schemathesis on shop, as the staff", "shop", lints::schemathesis_staff),
    ("sqlmap on shop, as the staff", "shop", attackers::sqlmap),
    ("wapiti on shop, as the staff", "shop", attackers::wapiti),
];

/// Runs only the judges with this in their names.
const ONLY_VARIABLE: &str = "MAINSTAY_OUTSIDE_ONLY";

/// Runs every judge, and tells at the end what any of them found.
pub(crate) fn check() -> Outcome {
    tools::install()?;
    cargo(&["build", "--package", "mainstay", "--locked"], &[])?;
    let start = Instant::now();
    let tools = setup::tools()?;
    println!("   the judges are in {}, {:.1} s", tools.cache.display(), start.elapsed().as_secs_f64());
    let mut found = Vec::new();
    let only = env::var(ONLY_VARIABLE).unwrap_or_default();
    for (name, of, judge) in JUDGES.iter().filter(|(name, ..)| name.contains(&only)) {
        let start = Instant::now();
        // Each judge meets a fresh example, so that what one of them writes is not in the way of the next.
        let verdict = Example::start(&tools, of).and_then(|mut example| {
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
    for (name, judge) in deploy::JUDGES.iter().filter(|(name, _)| name.contains(&only)) {
        match judge(&tools) {
            Ok(()) => println!("   {name}: nothing found"),
            Err(lines) => {
                println!("   {name}: FAILED");
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
