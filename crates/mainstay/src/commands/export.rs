//! `mainstay export`: records into files.
use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::{Args, ValueEnum};
use mainstay_core::{
    AdminPass, Core,
    export::{CsvWriter, Exported},
};
use mainstay_schema::{Collection, CollectionId, Schema, nearest};
use serde_json::json;

use super::Outcome;
use crate::{build, database::Way, failure::Failure, keys::Mode, output::Output, progress::Progress, project::Project};

/// Write records into NDJSON, JSON or CSV files that import to the same database
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mainstay export --out backup\n  mainstay export skills --format csv --out - > skills.csv\n\nIt works while a server runs: all collections are read in one snapshot."
)]
pub(crate) struct Arguments {
    /// The collections; without any, all of them.
    #[arg(value_name = "COLLECTION")]
    collections: Vec<String>,
    /// The form of the files.
    #[arg(long, value_enum, default_value_t = Form::Ndjson)]
    format: Form,
    /// The folder for a file of each collection; "-" writes to the standard output.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What null is written as in CSV, instead of an empty cell.
    #[arg(long, value_name = "TEXT")]
    null: Option<String>,
}

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// An object in each line.
    Ndjson,
    /// One array; several collections on the standard output: an object of arrays.
    Json,
    /// A line of names, then a line for each record.
    Csv,
}

pub(crate) fn run(arguments: &Arguments, project: &Project, output: Output) -> Outcome {
    let schema = Arc::new(project.schema()?);
    let collections = chosen(&arguments.collections, &schema)?;
    let to_stdout = arguments.out == Path::new("-");
    if to_stdout && collections.len() != 1 && arguments.format != Form::Json {
        return Err(Failure::new("usage", "the standard output takes one collection")
            .hint("name one, write into a folder by --out DIR, or say --format json"));
    }
    if arguments.null.is_some() && arguments.format != Form::Csv {
        return Err(Failure::new("usage", "--null says what null is written as in CSV").hint("say --format csv too"));
    }
    let store = build::reading_store(project)?;
    Way::to_schema(&store, &schema)?.require_done()?;
    let core = build::core(project, schema, store.clone(), Mode::Production)?;
    let result = build::runtime(project)?.block_on(export(&core, &collections, arguments, output));
    store.close();
    let counts = result?;
    if !to_stdout {
        tell(&core, &counts, output);
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(core: &Core, counts: &[(CollectionId, PathBuf, u64)], output: Output) {
    let name = |of: CollectionId| core.schema().collection(of).name.as_str();
    let line = |(of, path, count): &(CollectionId, PathBuf, u64)| format!("{}: {count} {}", path.display(), name(*of));
    let one = |(of, path, count): &(CollectionId, PathBuf, u64)| json!({"file": path, "collection": name(*of), "records": count});
    let text: Vec<String> = counts.iter().map(line).collect();
    output.result(text.join("\n"), &json!({ "files": counts.iter().map(one).collect::<Vec<_>>() }));
}

/// The collections that are named, or all.
pub(super) fn chosen(names: &[String], schema: &Schema) -> Result<Vec<CollectionId>, Failure> {
    let mut chosen: Vec<CollectionId> = Vec::new();
    for name in names {
        let Some(id) = schema.by_path.get(name).or_else(|| schema.by_name.get(name)) else {
            let failure = Failure::new("usage", format!("there is no collection \"{name}\""));
            return Err(match nearest(name, schema.by_path.keys().map(String::as_str)) {
                Some(near) => failure.hint(format!("do you mean \"{near}\"?")),
                None => failure,
            });
        };
        if !chosen.contains(id) {
            chosen.push(*id);
        }
    }
    Ok(if names.is_empty() { schema.collections.iter().map(|of| of.id).collect() } else { chosen })
}

async fn export(
    core: &Core,
    collections: &[CollectionId],
    arguments: &Arguments,
    output: Output,
) -> Result<Vec<(CollectionId, PathBuf, u64)>, Failure> {
    let pass = || AdminPass::for_command("mainstay export");
    let mut progress = Progress::start(output, false);
    if progress.is_shown() {
        progress.set_length(core.count(pass(), collections).await.map_err(failed)?);
    }
    let mut export = core.export(pass(), collections).map_err(failed)?;
    let mut written: Vec<(CollectionId, PathBuf, u64)> = Vec::with_capacity(collections.len());
    let mut files = Files { arguments, output, several: collections.len() > 1, file: None };
    while let Some(batch) = export.next().await.map_err(failed)? {
        if written.last().is_none_or(|(of, ..)| *of != batch.collection) {
            let path = files.begin(core.schema().collection(batch.collection), written.is_empty())?;
            written.push((batch.collection, path, 0));
        }
        files.write(&batch)?;
        if let Some((_, _, count)) = written.last_mut() {
            *count += batch.rows as u64;
        }
        progress.add(batch.rows as u64);
    }
    files.end(true)?;
    progress.finish();
    Ok(written)
}

fn failed(error: mainstay_core::Error) -> Failure {
    Failure::new("export", error.cause.unwrap_or(error.message))
}

/// The files, one after the other.
struct Files<'a> {
    arguments: &'a Arguments,
    output: Output,
    several: bool,
    file: Option<Open>,
}

/// A file that is not whole yet; it goes away with this, unless it gets its name.
struct Beside(Option<PathBuf>);

impl Beside {
    /// Gives it its name: it is whole.
    fn rename(&mut self, path: &Path) -> std::io::Result<()> {
        self.0.as_ref().map_or(Ok(()), |beside| std::fs::rename(beside, path))?;
        self.0 = None;
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The file that is written.
struct Open {
    name: String,
    /// Where it is written, and what it is called in the end: a file that is there is whole.
    paths: Option<(Beside, PathBuf)>,
    out: Box<dyn Write + Send>,
    csv: Option<CsvWriter>,
    rows: u64,
}

impl Files<'_> {
    /// Begins the file of a collection, and gives its path.
    fn begin(&mut self, of: &Collection, first: bool) -> Result<PathBuf, Failure> {
        self.end(false)?;
        let mut open = self.open(of)?;
        let head = match (self.arguments.format, open.paths.is_none() && self.several) {
            (Form::Json, true) => format!("{}\n\"{}\": [\n", if first { "{" } else { "," }, of.path),
            (Form::Json, false) => "[\n".to_owned(),
            _ => String::new(),
        };
        open.put(head.as_bytes())?;
        let path = open.paths.as_ref().map_or_else(|| PathBuf::from("-"), |(_, path)| path.clone());
        self.file = Some(open);
        Ok(path)
    }

    fn open(&self, of: &Collection) -> Result<Open, Failure> {
        let csv = (self.arguments.format == Form::Csv)
            .then(|| CsvWriter::new(of, self.arguments.null.as_deref().unwrap_or_default()));
        if self.arguments.out == Path::new("-") {
            let out = Box::new(std::io::stdout());
            return Ok(Open { name: "the standard output".to_owned(), paths: None, out, csv, rows: 0 });
        }
        let folder = &self.arguments.out;
        std::fs::create_dir_all(folder).map_err(|error| Failure::io(folder.display(), &error))?;
        let ending = match self.arguments.format {
            Form::Ndjson => "ndjson",
            Form::Json => "json",
            Form::Csv => "csv",
        };
        let path = folder.join(format!("{}.{ending}", of.path));
        let beside = folder.join(format!(".{}.{ending}.part", of.path));
        if beside.exists() {
            self.output.remark(format!("{}: left by an export that did not end; it is written anew", beside.display()));
        }
        let file = File::create(&beside).map_err(|error| Failure::io(beside.display(), &error))?;
        let beside = Beside(Some(beside));
        let out = Box::new(BufWriter::with_capacity(FILE_BUFFER_BYTES, file));
        Ok(Open { name: path.display().to_string(), paths: Some((beside, path)), out, csv, rows: 0 })
    }

    fn write(&mut self, batch: &Exported) -> Result<(), Failure> {
        let Some(open) = &mut self.file else { return Ok(()) };
        if let Some(csv) = &mut open.csv {
            csv.write(&batch.json).map_err(|error| {
                Failure::new("export", format!("{}: {error}", open.name))
                    .hint("say --null '\\N' here, and on the import")
            })?;
            let lines = csv.take();
            return open.put(&lines);
        }
        if self.arguments.format == Form::Ndjson {
            return open.put(&batch.json);
        }
        let mut out = Vec::with_capacity(batch.json.len() + batch.rows);
        for record in batch.json.split(|byte| *byte == b'\n').filter(|record| !record.is_empty()) {
            out.extend_from_slice(if open.rows == 0 { b"" } else { b",\n" });
            out.extend_from_slice(record);
            open.rows += 1;
        }
        open.put(&out)
    }

    /// Ends the file that is written; the last one of all ends the object too.
    fn end(&mut self, last: bool) -> Result<(), Failure> {
        let Some(mut open) = self.file.take() else { return Ok(()) };
        if self.arguments.format == Form::Json {
            let object_ends = last && open.paths.is_none() && self.several;
            open.put(if object_ends { b"\n]\n}\n" } else { b"\n]\n" })?;
        }
        open.out.flush().map_err(|error| Failure::io(&open.name, &error))?;
        drop(open.out);
        if let Some((beside, path)) = &mut open.paths {
            beside.rename(path).map_err(|error| Failure::io(path.display(), &error))?;
        }
        Ok(())
    }
}

/// Bytes that are gathered before a file is written.
const FILE_BUFFER_BYTES: usize = 256 * 1024;

impl Open {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(|error| Failure::io(&self.name, &error))
    }
}
