//! `mainstay import`: records from files.
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::{Args, ValueEnum};
use mainstay_core::{
    AdminPass, Core,
    import::{self, Format, MissingLinks, Options, Report, Source},
};
use mainstay_schema::{CollectionId, Schema, nearest};

use super::Outcome;
use crate::{
    build, database::Way, failure::Failure, keys::Mode, loading, output::Output, progress::Progress, project::Project,
};

/// Load records from JSON, NDJSON or CSV files, linked by unique fields
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mainstay import seed/skillmap.json\n  mainstay import skills more-skills.csv\n  mainstay import data/ --null NA --missing-links null --skip-bad bad.ndjson\n\nA JSON file holds an object of arrays by collection, or one array. NDJSON and CSV files, and arrays, are of the collection\nthat is named first, or of the one that the file is named after: skills.ndjson. \"-\" is the standard input. An import that was\ninterrupted goes on when it is run again."
)]
pub(crate) struct Arguments {
    /// The collection, if the files do not say it, and the files or folders.
    #[arg(required = true, value_name = "[COLLECTION] FILE")]
    names: Vec<String>,
    /// The form of the files, where their names do not say it.
    #[arg(long, value_enum)]
    format: Option<Form>,
    /// Change the record that has the same value in this unique field, instead of creating another; as often as needed, of one type as
    /// Type.FIELD.
    #[arg(long, value_name = "FIELD")]
    upsert: Vec<String>,
    /// Write records in which something is wrong into this file, with the reasons, and go on.
    #[arg(long, value_name = "FILE")]
    skip_bad: Option<PathBuf>,
    /// What becomes of optional links to records that are not there.
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Missing::Refuse)]
    missing_links: Missing,
    /// A cell of CSV that is null, instead of the empty one; as often as needed.
    #[arg(long, value_name = "TEXT")]
    null: Vec<String>,
    /// The field that a name in the file is; without a field it is left out. As often as needed.
    #[arg(long, value_name = "NAME=FIELD", value_parser = renamed)]
    map: Vec<(String, Option<String>)>,
    /// Load what was loaded before once more.
    #[arg(long)]
    again: bool,
}

/// The form of a file.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// An object in each line.
    Ndjson,
    /// An object of arrays, or one array.
    Json,
    /// A line of names, then a line for each record.
    Csv,
}

/// What becomes of links to records that are not there.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Missing {
    /// The record is wrong.
    Refuse,
    /// The link becomes null, a list goes without it.
    Null,
}

fn renamed(text: &str) -> Result<(String, Option<String>), String> {
    let (from, to) = text.split_once('=').ok_or("expected NAME=FIELD, or NAME= to leave it out")?;
    Ok((from.to_owned(), (!to.is_empty()).then(|| to.to_owned())))
}

impl Arguments {
    fn options(&self) -> Options {
        Options {
            nulls: if self.null.is_empty() { vec![String::new()] } else { self.null.clone() },
            names: self.map.clone(),
            upsert: self.upsert.clone(),
            missing_links: match self.missing_links {
                Missing::Refuse => MissingLinks::Refuse,
                Missing::Null => MissingLinks::Null,
            },
            resumable: true,
            again: self.again,
            bad: self.skip_bad.clone(),
            ..Options::default()
        }
    }

    fn format(&self) -> Option<Format> {
        self.format.map(|form| match form {
            Form::Ndjson => Format::Ndjson,
            Form::Json => Format::Json,
            Form::Csv => Format::Csv,
        })
    }
}

pub(crate) fn run(arguments: &Arguments, project: &Project, output: Output) -> Outcome {
    let schema = Arc::new(project.schema()?);
    let (collection, files) = split(&arguments.names, &schema)?;
    let files = in_folders(files)?;
    if let Some(bad) = arguments.skip_bad.as_ref().filter(|bad| is_among(bad, &files)) {
        return Err(Failure::new(
            "usage",
            format!("{} is loaded, so that nothing can be written to it", bad.display()),
        ));
    }
    if let Some(twice) = files.iter().enumerate().find_map(|(at, file)| is_among(file, &files[..at]).then_some(file)) {
        return Err(Failure::new("usage", format!("{} is named twice", twice.display())));
    }
    let source =
        |file: &PathBuf| loading::source(file, &file.display().to_string(), collection, arguments.format(), &schema);
    let sources = files.iter().map(source).collect::<Result<Vec<Source>, Failure>>()?;
    if !arguments.null.is_empty() && sources.iter().all(|source| source.format != Format::Csv) {
        return Err(Failure::new(
            "usage",
            "--null says which cells of CSV are null, and nothing that is loaded is CSV",
        )
        .hint("JSON and NDJSON say null themselves"));
    }
    let store = build::loading_store(project)?;
    Way::to_schema(&store, &schema)?.require_done()?;
    let core = build::core(project, schema, store.clone(), Mode::Production)?;
    let result = build::runtime(project)?.block_on(load(&core, sources, &arguments.options(), output));
    store.close();
    let report = result?;
    let mut lines = loading::lines(&report);
    if let Some(bad) = arguments.skip_bad.as_ref().filter(|_| report.bad > 0) {
        lines.push(format!("{}: {} bad records, with the reasons", bad.display(), report.bad));
    }
    output.result(lines.join("\n"), &report);
    Ok(if report.errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether a file is one of these, however it is named.
fn is_among(file: &Path, files: &[PathBuf]) -> bool {
    let whole = |path: &Path| path.canonicalize().ok();
    let file = whole(file);
    file.is_some() && files.iter().any(|other| whole(other) == file)
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
                None => failure.hint(format!("the collections are {}", named(schema))),
            })
        }
    }
}

/// The files, with those of each folder in the order of their names.
fn in_folders(paths: Vec<PathBuf>) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        if !path.is_dir() {
            files.push(path);
            continue;
        }
        let failed = |error: std::io::Error| Failure::io(path.display(), &error);
        let entries = std::fs::read_dir(&path).map_err(failed)?;
        let mut inside = Vec::new();
        for entry in entries {
            let file = entry.map_err(failed)?.path();
            let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            if file.is_file() && ["json", "ndjson", "jsonl", "csv"].contains(&ending) {
                inside.push(file);
            }
        }
        if inside.is_empty() {
            return Err(Failure::new("usage", format!("{} holds no .json, .ndjson or .csv file", path.display())));
        }
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}

async fn load(core: &Core, sources: Vec<Source>, options: &Options, output: Output) -> Result<Report, Failure> {
    let mut shown = Progress::start(output, true);
    let mut progress = |progress: import::Progress| {
        shown.set_length(progress.bytes_all);
        shown.set(progress.records, progress.bytes);
    };
    let pass = AdminPass::for_command("mainstay import");
    let report = loading::load(core, pass, sources, options, &mut progress).await;
    shown.finish();
    report
}

/// The collections of a schema, the first of them where there are many.
fn named(schema: &Schema) -> String {
    const NAMED_MAX: usize = 20;
    let paths: Vec<&str> = schema.collections.iter().map(|of| of.path.as_str()).take(NAMED_MAX).collect();
    let more = if schema.collections.len() > NAMED_MAX { ", …" } else { "" };
    format!("{}{more}", paths.join(", "))
}
