//! `mainstay apply`: carries out the additive steps of a plan.
use std::{
    fs,
    io::{self, BufRead, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use mainstay_schema::Snapshot;
use mainstay_store::Store;
use serde_json::json;

use super::{
    Outcome,
    plan::{FORM, PlanFile},
};
use crate::{build, database::Way, failure::Failure, output::Output, project::Project};

/// Bring the database to the schema, or to a plan that was made before; additive steps only, all or nothing
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mainstay apply --yes\n  mainstay plan --out p.json; mainstay apply p.json\n\nA plan that was made for another state of the database is refused."
)]
pub(crate) struct Arguments {
    /// A plan that `mainstay plan --out` wrote.
    plan: Option<PathBuf>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(arguments: &Arguments, project: &Project, output: Output) -> Outcome {
    let (store, way) = match &arguments.plan {
        Some(path) => {
            let store = build::store(project)?;
            let way = read_plan(path, &store)?;
            (store, way)
        }
        None => {
            let schema = project.schema()?;
            let store = build::store(project)?;
            let way = Way::to_schema(&store, &schema)?;
            (store, way)
        }
    };
    let json = way.to_json(&store)?;
    if !way.is_done() && arguments.plan.is_none() && !arguments.yes && !confirmed(&way.to_text(&store)?, output)? {
        return Err(Failure::new("not_confirmed", "nothing was done"));
    }
    way.apply(&store)?;
    let count = way.steps.len();
    let text = match count {
        0 => "the database matches the schema: nothing to do".to_owned(),
        1 => "1 step carried out".to_owned(),
        _ => format!("{count} steps carried out"),
    };
    output.result(text, &json!({"applied": count, "steps": json["steps"]}));
    Ok(ExitCode::SUCCESS)
}

/// The way of a plan file, if the database is still where the plan begins.
fn read_plan(path: &Path, store: &Store) -> Result<Way, Failure> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| Failure::io(&name, &error))?;
    let broken = |error: &dyn std::fmt::Display| Failure::new("plan", format!("{name}: this is no plan: {error}"));
    let file: PlanFile = serde_json::from_str(&text).map_err(|error| broken(&error))?;
    if file.form != FORM {
        return Err(broken(&format!("its form is {}, this version reads {FORM}", file.form)));
    }
    let to = Snapshot::from_json(&file.to.to_string()).map_err(|error| broken(&error))?;
    let way = Way::to(store, to)?;
    let stale = |what: &str| {
        Err(Failure::new("plan_stale", format!("{name}: {what}")).hint("mainstay plan --out makes a new one"))
    };
    if way.from != file.from {
        return stale("the database is no longer what the plan was made for");
    }
    if way.to_json(store)?["steps"] != file.steps {
        return stale("the steps of the plan are not the ones that lead to its end");
    }
    Ok(way)
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
