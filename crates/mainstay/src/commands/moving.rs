//! `mainstay move`: everything into another database, while servers run on this one.
use std::{path::Path, process::ExitCode, sync::Arc, time::Duration};

use clap::Args;
use mainstay_schema::Schema;
use mainstay_store::{Location, MoveError, MoveSettings, MoveStep, Moved, Settings, Severity, Store};
use serde_json::{Value, json};

use super::Outcome;
use crate::{build, database::Way, failure::Failure, output::Output, progress::Progress, project::Project};

/// Move everything into another database, SQLite or PostgreSQL, while servers run on this one
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mainstay move --to postgres://app@db.example/app\n  mainstay move --to env:NEW_DATABASE\n  mainstay move --to sqlite:data/back.db\n\nWriters wait for a moment at the end; then this database takes no writes any more. A move that was stopped goes on where it was."
)]
pub(crate) struct Arguments {
    /// The other database, as `database.url` would name it; `env:NAME` takes it from the environment.
    #[arg(long, value_name = "URL", required_unless_present = "reopen")]
    to: Option<String>,
    /// Copy everything anew, whatever an unfinished move has copied.
    #[arg(long)]
    restart: bool,
    /// Let this database take writes again after it was moved.
    #[arg(long, conflicts_with_all = ["to", "restart"])]
    reopen: bool,
}

pub(crate) fn run(arguments: &Arguments, project: &Project, output: Output) -> Outcome {
    let Some(to) = &arguments.to else { return reopen(project, output) };
    let schema = Arc::new(project.schema()?);
    let settings = target(to, project)?;
    let store = build::reading_store(project)?;
    check(&store, &schema, output)?;
    let target = Store::open_target(settings).map_err(failure)?;
    let moving = MoveSettings { restart: arguments.restart, ..MoveSettings::default() };
    let mut teller = Teller { progress: Progress::start(output, false), output };
    let moved = store.move_to(&target, &schema, &moving, &mut |step| teller.tell(step));
    teller.progress.finish();
    target.close();
    store.close();
    let moved = moved.map_err(failure)?;
    output.result(to_text(&moved), &to_json(&moved));
    Ok(ExitCode::SUCCESS)
}

/// How the target is opened. Fails where it is the database that the project has.
fn target(to: &str, project: &Project) -> Result<Settings, Failure> {
    let url = match to.strip_prefix("env:") {
        Some(name) => std::env::var(name)
            .ok()
            .filter(|url| !url.is_empty())
            .ok_or_else(|| Failure::new("usage", format!("--to: the variable \"{name}\" is not set")))?,
        None => to.to_owned(),
    };
    let at = project.settings.database.location_of(&url, "--to", &project.root)?;
    let same = match (&at, project.database()?) {
        (Location::File(new), Location::File(old)) => new == &old || is_same_file(new, &old),
        (Location::Postgres(new), Location::Postgres(old)) => *new == old,
        _ => false,
    };
    if same { Err(failure(MoveError::Same)) } else { Ok(project.settings.store(at)) }
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Fails unless the database is what the schema says. What was changed by hand and does no harm is told: it does not come along.
fn check(store: &Store, schema: &Arc<Schema>, output: Output) -> Result<(), Failure> {
    if store.has_moved().map_err(failure)? {
        // A move that was stopped behind its last step is brought to its end.
        return Ok(());
    }
    let way = Way::to_schema(store, schema)?;
    way.require_done()?;
    way.require_sound(|drift| output.remark(format!("changed by hand, and not moved: {drift}")))?;
    let lost = way.drift.iter().filter(|drift| drift.severity != Severity::Broken).count();
    if lost > 0 && output.for_programs() {
        output.note(&json!({"notMoved": way.drift}));
    }
    Ok(())
}

fn reopen(project: &Project, output: Output) -> Outcome {
    let store = build::reading_store(project)?;
    let moved = store.has_moved().map_err(failure)?;
    if moved {
        store.reopen().map_err(failure)?;
    }
    store.close();
    let text = if moved { "this database takes writes again" } else { "this database was not moved" };
    output.result(text, &json!({"reopened": moved}));
    Ok(ExitCode::SUCCESS)
}

/// Tells how far it is.
struct Teller {
    progress: Progress,
    output: Output,
}

impl Teller {
    fn tell(&mut self, step: MoveStep<'_>) {
        let phase = match step {
            MoveStep::Begins { records, resumed, apart } => {
                self.progress.set_length(records);
                if resumed {
                    self.remark("it goes on where an earlier move was stopped", &json!({"phase": "resume"}));
                }
                if !apart.is_empty() {
                    let names = apart.join(", ");
                    self.remark(
                        &format!(
                            "compared while writers are paused, because the feed does not tell their changes: {names}"
                        ),
                        &json!({"phase": "apart", "collections": apart}),
                    );
                }
                ("copying", json!({"phase": "copy", "records": records}))
            }
            MoveStep::Copied(records) => return self.progress.add(records),
            MoveStep::Follows(0) => return,
            MoveStep::Follows(count) => {
                ("copying what was written meanwhile", json!({"phase": "follow", "records": count}))
            }
            MoveStep::Indexes => ("making indexes and references", json!({"phase": "indexes"})),
            MoveStep::Compares => ("comparing", json!({"phase": "compare"})),
            MoveStep::Pauses => ("pausing writers", json!({"phase": "pause"})),
        };
        self.remark(phase.0, &phase.1);
    }

    fn remark(&self, text: &str, json: &Value) {
        if self.output.for_programs() { self.output.note(json) } else { self.output.remark(text) }
    }
}

fn to_text(moved: &Moved) -> String {
    let mut lines: Vec<String> = moved
        .collections
        .iter()
        .map(|of| format!("{}: {} records, checksum {}", of.name, of.records, of.checksum))
        .collect();
    let all: u64 = moved.collections.iter().map(|of| of.records).sum();
    lines.push(format!(
        "moved {all} records in {}; {} copied in {}, {} a second",
        shown(moved.took),
        moved.copied,
        shown(moved.copying),
        rate(moved)
    ));
    lines.push(match moved.paused {
        Some(paused) => format!("writers were paused for {}", shown(paused)),
        None => "an earlier move had paused writers; this one brought it to its end".to_owned(),
    });
    lines.push(
        "this database takes no writes any more: set database.url to the new one, and start the servers again"
            .to_owned(),
    );
    lines.join("\n")
}

fn to_json(moved: &Moved) -> Value {
    let one = |of: &mainstay_store::MovedCollection| json!({"collection": of.name, "records": of.records, "checksum": of.checksum});
    json!({
        "collections": moved.collections.iter().map(one).collect::<Vec<_>>(),
        "copied": moved.copied,
        "copyMs": millis(moved.copying),
        "perSecond": rate(moved),
        "pausedMs": moved.paused.map(millis),
        "tookMs": millis(moved.took),
    })
}

fn rate(moved: &Moved) -> u64 {
    moved.copied.saturating_mul(1_000) / millis(moved.copying).max(1)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn shown(time: Duration) -> String {
    if time < Duration::from_secs(10) { format!("{} ms", millis(time)) } else { format!("{:.1} s", time.as_secs_f64()) }
}

fn failure(error: MoveError) -> Failure {
    let hint = match &error {
        MoveError::Used(_) => "name an empty database, or drop what is in it",
        MoveError::Same => "--to names another one",
        MoveError::Elsewhere | MoveError::OtherSchema => "empty the target, or move back to what it was begun with",
        MoveError::Unfit(_) => "this database goes on as before; empty the target, and move again",
        MoveError::Held => "wait for it, or stop it",
        MoveError::Sealed => "mainstay move --reopen lets it take writes again",
        MoveError::ChangesGone => {
            "mainstay move --restart copies everything anew; changes.keep and changes.size_max_mib say how much is kept"
        }
        MoveError::NoPause(_) => "this database goes on as before; the same move again goes on where this one was",
        MoveError::Differs { .. } => {
            "somebody else has changed one of the two; this database goes on as before, and --restart copies everything anew"
        }
        MoveError::Open(_) | MoveError::Migrate(_) => return Failure::new("move", error.to_string()),
        MoveError::Store(_) => "this database goes on as before; the same move again goes on where this one was",
    };
    Failure::new("move", error.to_string()).hint(hint)
}
