//! `mainstay changes`: the change feed, one change in a line.
use std::{
    io::{self, ErrorKind, Write},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::Args;
use mainstay_core::{AdminPass, Caller, FeedFrom, write_change};

use super::{Outcome, export::chosen};
use crate::{build, database::Way, failure::Failure, keys::Mode, output::Output, project::Project};

/// Print the changes of records, one JSON object in a line, in the order of their commits
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mainstay changes --collection skills\n  mainstay changes --after end --follow\n\nIt works beside running servers."
)]
pub(crate) struct Arguments {
    /// The position of a change: those behind it; "end": none of those that are there. Without it from the first that is kept.
    #[arg(long, value_name = "POSITION")]
    after: Option<String>,
    /// The changes of one collection alone.
    #[arg(long)]
    collection: Option<String>,
    /// Goes on with what comes, until it is stopped.
    #[arg(long)]
    follow: bool,
}

/// Changes that are read at once, and about how many bytes.
const CHANGES: usize = 5_000;
const BYTES: usize = 4 * 1024 * 1024;

pub(crate) fn run(arguments: &Arguments, project: &Project, output: Output) -> Outcome {
    let from = match arguments.after.as_deref() {
        None => FeedFrom::Start,
        Some("end") => FeedFrom::End,
        Some(text) => text.parse().map(FeedFrom::After).map_err(|()| {
            Failure::new("usage", format!("--after: expected the position of a change, or end; found {text:?}"))
        })?,
    };
    let schema = Arc::new(project.schema()?);
    let of = match &arguments.collection {
        Some(name) => chosen(std::slice::from_ref(name), &schema)?.first().copied(),
        None => None,
    };
    let store = build::reading_store(project)?;
    Way::to_schema(&store, &schema)?.require_done()?;
    let core = build::core(project, schema, store.clone(), Mode::Production)?;
    let poll = Duration::from_millis(project.settings.changes.poll_ms.max(1));
    let told = build::runtime(project)?.block_on(async {
        let pass = core.feed_pass(&Caller::Admin(AdminPass::for_command("mainstay changes"))).map_err(failed)?;
        let mut feed = core.feed(&pass, from, of).await.map_err(failed)?;
        loop {
            let changes = feed.next(CHANGES, BYTES).await.map_err(failed)?;
            let mut lines = Vec::with_capacity(changes.len() * 512);
            for change in &changes {
                write_change(change, &mut lines);
                lines.push(b'\n');
            }
            if !print(&lines)? {
                return Ok(None);
            }
            if !feed.has_more() && !arguments.follow {
                return Ok(Some(feed.position()));
            }
            if changes.is_empty() {
                // Beside a server of the embedded database nobody tells of what comes.
                if let Ok(waited) = tokio::time::timeout(poll, feed.wait()).await {
                    waited.map_err(failed)?;
                }
            }
        }
    });
    store.close();
    if let Some(position) = told? {
        output.remark(format!("up to position {position}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes lines; whether anybody reads on.
fn print(lines: &[u8]) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(lines).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::io("the standard output", &error)),
    }
}

fn failed(error: mainstay_core::Error) -> Failure {
    let failure = Failure::new("changes", error.message);
    match error.hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
