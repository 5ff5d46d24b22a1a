//! `mainstay nodes`: who serves this database.
use std::process::ExitCode;

use clap::Args;
use mainstay_expr::wire::{TIMESTAMP_LEN, format_timestamp};
use mainstay_schema::Snapshot;
use mainstay_store::{BEHIND_MAX, Fitness, NodeSeen};
use serde_json::{Value, json};

use super::Outcome;
use crate::{build, failure::Failure, output::Output, project::Project};

/// List the nodes that serve this database: who is elected, and who is behind
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mainstay nodes --json\n\nIt works beside running servers. A node that was killed is listed until it is given up."
)]
pub(crate) struct Arguments {}

/// Characters of a fingerprint that are shown.
const SHOWN: usize = 12;

pub(crate) fn run(project: &Project, output: Output) -> Outcome {
    let store = build::reading_store(project)?;
    let nodes = store.nodes().map_err(Failure::database)?;
    let schema = store.snapshot().map_err(Failure::database)?.as_ref().map(Snapshot::fingerprint);
    let json = json!({
        "schema": schema,
        "nodes": nodes.iter().map(|node| to_json(node, schema.as_deref())).collect::<Vec<_>>(),
    });
    output.result(to_text(&nodes, schema.as_deref()), &json);
    Ok(ExitCode::SUCCESS)
}

/// Whether a node serves the schema that the database has.
fn is_current(of: &NodeSeen, schema: Option<&str>) -> bool {
    schema == Some(of.node.schema.as_str())
}

fn to_json(of: &NodeSeen, schema: Option<&str>) -> Value {
    json!({
        "id": of.node.id,
        "name": of.node.name,
        "version": of.node.version,
        "since": since(of),
        "seenMs": u64::try_from(of.seen.as_millis()).unwrap_or(u64::MAX),
        "leader": of.elected,
        "schema": of.node.schema,
        "current": is_current(of, schema),
        "stepsBehind": of.fitness.steps(),
        "unfit": of.fitness.unfit(),
        "position": of.position.map(|position| position.to_string()),
        "changesBehind": of.behind,
    })
}

fn to_text(nodes: &[NodeSeen], schema: Option<&str>) -> String {
    if nodes.is_empty() {
        return "no node serves this database".to_owned();
    }
    let mut rows = vec![["name", "role", "version", "since", "seen", "feed", "schema"].map(str::to_owned)];
    rows.extend(nodes.iter().map(|of| {
        [
            of.node.name.clone(),
            if of.elected { "leader" } else { "follower" }.to_owned(),
            of.node.version.clone(),
            since(of),
            format!("{:.1} s ago", of.seen.as_secs_f64()),
            feed(of),
            schema_of(of, schema),
        ]
    }));
    let widths: Vec<usize> =
        (0..rows[0].len()).map(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0)).collect();
    let line = |row: &[String; 7]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// How far the feed has gone on since the node saw it.
fn feed(of: &NodeSeen) -> String {
    match of.behind {
        None => "unknown".to_owned(),
        Some(0) => "at its end".to_owned(),
        Some(BEHIND_MAX) => format!("{BEHIND_MAX} behind, or more"),
        Some(changes) => format!("{changes} behind"),
    }
}

/// The beginning of its schema, and what follows where the database has another one.
fn schema_of(of: &NodeSeen, schema: Option<&str>) -> String {
    let short = of.node.schema.get(..SHOWN).unwrap_or(&of.node.schema);
    if is_current(of, schema) {
        return short.to_owned();
    }
    match &of.fitness {
        Fitness::Same => format!("{short} (not the database's)"),
        Fitness::Behind(1) => format!("{short} (not the database's: a step behind)"),
        Fitness::Behind(steps) => format!("{short} (not the database's: {steps} steps behind)"),
        Fitness::Unfit(why) => format!("{short} (not the database's, answers nothing: {why})"),
    }
}

fn since(of: &NodeSeen) -> String {
    let mut text = [0; TIMESTAMP_LEN];
    format_timestamp(of.started_micros, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}
