//! `mainstay import`: records from files.
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use mainstay_core::{AdminPass, Core};
use mainstay_schema::{CollectionId, Schema, nearest};
use serde_json::json;

use super::Outcome;
use crate::{
    build,
    database::Way,
    failure::Failure,
    keys::Mode,
    loading::{self, Loaded},
    output::Output,
    project::Project,
};

/// Load records from JSON, NDJSON or CSV files, linked by unique fields
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mainstay import seed/skillmap.json\n  mainstay import skills more-skills.csv\n\nA JSON file holds an object of arrays by collection, or one array. NDJSON and CSV files, and arrays, are of the collection\nthat is named first, or of the one that the file is named after: skills.ndjson."
)]
pub(crate) struct Arguments {
    /// The collection, if the files do not say it, and the files.
    #[arg(required = true, value_name = "[COLLECTION] FILE")]
    names: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, project: &Project, output: Output) -> Outcome {
    let schema = Arc::new(project.schema()?);
    let (collection, files) = split(&arguments.names, &schema)?;
    let store = build::store(project)?;
    Way::to_schema(&store, &schema)?.require_done()?;
    let core = build::core(project, schema, store.clone(), Mode::Production)?;
    let result = build::runtime(project)?.block_on(import_all(&core, collection, &files, output));
    store.close();
    let loaded = result?;
    let text: Vec<String> = loaded.iter().flat_map(|(file, loaded)| loaded.lines(file)).collect();
    let reports: Vec<_> = loaded.iter().map(|(file, loaded)| json!({"file": file, "report": loaded.report})).collect();
    output.result(text.join("\n"), &json!({ "files": reports }));
    let failed = loaded.iter().any(|(_, loaded)| !loaded.report.errors.is_empty());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The collection, if the first name is one, and the files.
fn split(names: &[String], schema: &Schema) -> Result<(Option<CollectionId>, Vec<PathBuf>), Failure> {
    let paths = |names: &[String]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
    let Some((first, rest)) = names.split_first() else { return Ok((None, Vec::new())) };
    match schema.by_path.get(first).or_else(|| schema.by_name.get(first)) {
        Some(id) if !rest.is_empty() => Ok((Some(*id), paths(rest))),
        Some(_) => Err(Failure::new("usage", format!("collection \"{first}\" is named, and no file"))),
        None if rest.is_empty() || Path::new(first).exists() => Ok((None, paths(names))),
        None => {
            let failure = Failure::new("usage", format!("\"{first}\" is neither a collection nor a file"));
            let known = schema.by_path.keys().chain(schema.by_name.keys()).map(String::as_str);
            Err(match nearest(first, known) {
                Some(near) => failure.hint(format!("do you mean \"{near}\"?")),
                None => failure,
            })
        }
    }
}

async fn import_all(
    core: &Core,
    collection: Option<CollectionId>,
    files: &[PathBuf],
    output: Output,
) -> Result<Vec<(String, Loaded)>, Failure> {
    let mut all = Vec::with_capacity(files.len());
    for file in files {
        let bar = bar(output);
        let pass = AdminPass::for_command("mainstay import");
        let mut progress = |progress: mainstay_core::import::Progress| {
            bar.set_length(progress.total as u64);
            bar.set_position(progress.done as u64);
        };
        let loaded = loading::load(core, pass, file, collection, &mut progress).await;
        bar.finish_and_clear();
        let loaded = loaded?;
        let failed = !loaded.report.errors.is_empty();
        all.push((file.display().to_string(), loaded));
        if failed {
            break;
        }
    }
    Ok(all)
}

fn bar(output: Output) -> ProgressBar {
    if !output.for_people() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} records, {per_sec}, {eta} left");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
