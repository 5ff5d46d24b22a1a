//! `mainstay apply`: carries out the steps of a plan.
use std::{
    fs,
    io::{self, BufRead, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Args;
use mainstay_schema::{Schema, Snapshot};
use mainstay_store::Store;
use serde_json::{Value, json};

use super::{
    Outcome,
    plan::{FORM, PlanFile},
};
use crate::{
    build,
    database::{ATTEMPTS_MAX, Allowed, Way, difference},
    failure::{Detail, Failure},
    output::Output,
    project::Project,
};

/// Bring the database to the schema, or carry out a plan that was made before; all or nothing
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mainstay apply --yes\n  mainstay plan --out p.json; mainstay apply p.json\n\nA plan is carried out only while the database and the schema are still those that it was made for. Steps that lose data need --destructive."
)]
pub(crate) struct Arguments {
    /// A plan that `mainstay plan --out` wrote.
    plan: Option<PathBuf>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Carry out steps that lose data too.
    #[arg(long)]
    destructive: bool,
}

pub(crate) fn run(arguments: &Arguments, project: &Project, output: Output) -> Outcome {
    let schema = Arc::new(project.schema()?);
    let store = build::store(project)?;
    let mut outcome = carry_out(arguments, &store, &schema, output);
    // A plan in a file is for the database that it was made for, and no other.
    for _ in 1..if arguments.plan.is_some() { 1 } else { ATTEMPTS_MAX } {
        match &outcome {
            Err(failure) if failure.code == "plan_stale" => {
                output.remark("the database has changed meanwhile: looked at again");
                outcome = carry_out(arguments, &store, &schema, output);
            }
            _ => break,
        }
    }
    let (way, json) = outcome?;
    let count = way.steps().len();
    let text = match count {
        0 => "the database matches the schema: nothing to do".to_owned(),
        1 => "1 step carried out".to_owned(),
        _ => format!("{count} steps carried out"),
    };
    output.result(text, &json!({"applied": count, "steps": json["steps"]}));
    Ok(ExitCode::SUCCESS)
}

/// Finds the way, asks whether it is the right one, and goes it.
fn carry_out(
    arguments: &Arguments,
    store: &Store,
    schema: &Arc<Schema>,
    output: Output,
) -> Result<(Way, Value), Failure> {
    let way = Way::to_schema(store, schema)?;
    let json = way.to_json(store)?;
    if let Some(path) = &arguments.plan {
        check_plan(path, &way, schema, &json)?;
    }
    let allowed = if arguments.destructive { Allowed::ALL } else { Allowed::LOSSLESS };
    if !way.is_done() && arguments.plan.is_none() && !arguments.yes && !confirmed(&way.to_text(store)?, output)? {
        return Err(Failure::new("not_confirmed", "nothing was done"));
    }
    way.apply(store, allowed)?;
    Ok((way, json))
}

/// Whether a plan file is what is to be done now: the database is where it begins, the schema is where it leads to.
fn check_plan(path: &Path, way: &Way, schema: &Schema, json: &Value) -> Result<(), Failure> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| Failure::io(&name, &error))?;
    let broken = |error: &dyn std::fmt::Display| Failure::new("plan", format!("{name}: this is no plan: {error}"));
    let file: PlanFile = serde_json::from_str(&text).map_err(|error| broken(&error))?;
    if file.form != FORM {
        return Err(broken(&format!("its form is {}, this version reads {FORM}", file.form)));
    }
    let stale = |what: &str, lines: Vec<String>| {
        let failure = Failure::new("plan_stale", format!("{name}: {what}"));
        let names = json!(lines.iter().map(|line| line.trim()).collect::<Vec<_>>());
        Err(failure.hint("mainstay plan --out makes a new one").detail(Detail::Lines(lines, names)))
    };
    let from = file.snapshot.as_ref().map(|snapshot| Snapshot::from_json(&snapshot.to_string())).transpose();
    let from = from.map_err(|error| broken(&error))?;
    if way.from() != file.from {
        // In the words of what the schema asks for now: steps that are gone are done, others are new.
        let planned = difference(from.as_ref(), schema);
        let now: Vec<String> = way.steps().iter().map(|step| format!("  {step}")).collect();
        let mut lines: Vec<String> = planned
            .iter()
            .filter(|step| !now.contains(step))
            .map(|step| format!("  no longer to do: {}", step.trim()))
            .collect();
        lines.extend(
            now.iter().filter(|step| !planned.contains(step)).map(|step| format!("  now to do: {}", step.trim())),
        );
        return stale("the database is no longer what the plan was made for", lines);
    }
    if way.tables != file.tables {
        let lines = way.drift.iter().map(|drift| format!("  {}: {}", drift.what, drift.meaning)).collect();
        return stale("the tables were changed by hand since the plan was made", lines);
    }
    if way.to() != file.to {
        let planned = file.steps.as_array().into_iter().flatten().filter_map(|step| step["step"].as_str());
        let planned: Vec<&str> = planned.collect();
        let now: Vec<&str> = way.steps().iter().map(|step| step.text.as_str()).collect();
        let mut lines: Vec<String> = planned
            .iter()
            .filter(|step| !now.contains(step))
            .map(|step| format!("  only in the plan: {step}"))
            .collect();
        lines.extend(
            now.iter().filter(|step| !planned.contains(step)).map(|step| format!("  only in the schema: {step}")),
        );
        return stale("the schema is no longer what the plan leads to", lines);
    }
    if json["steps"] != file.steps || json["sql"] != file.sql {
        return stale("the steps of the plan are not the ones that lead to its end", Vec::new());
    }
    Ok(())
}

fn confirmed(steps: &str, output: Output) -> Result<bool, Failure> {
    if !output.for_people() || !io::stdin().is_terminal() {
        return Err(
            Failure::new("not_confirmed", "nothing was done: there is nobody to ask").hint("--yes does not ask")
        );
    }
    output.remark(steps);
    let mut terminal = io::stderr().lock();
    let _ = write!(terminal, "Carry them out? [y/N] ");
    let _ = terminal.flush();
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(|error| Failure::io("the terminal", &error))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
