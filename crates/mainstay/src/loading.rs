//! Files of records into the database: for `import` and the seed of `dev`.
use std::{fs::File, io::Read, path::Path};

use mainstay_core::{
    AdminPass, Core,
    import::{CollectionReport, Format, Input, Options, Problem, Progress, Report, Source, import},
};
use mainstay_schema::{CollectionId, Schema, nearest};

use crate::failure::Failure;

/// What loading did, for people, a line each.
pub(crate) fn lines(report: &Report) -> Vec<String> {
    let mut lines: Vec<String> = report.collections.iter().map(line).collect();
    lines.extend(report.notes.iter().cloned());
    for problem in &report.errors {
        lines.push(problem_line(problem));
        lines.extend(problem.hint.iter().map(|hint| format!(" hint: {hint}")));
    }
    lines
}

fn line(of: &CollectionReport) -> String {
    let mut line = format!("{}: {} {} created", of.source, of.created, of.collection);
    let parts = [
        (of.updated, "updated"),
        (of.already, "loaded before (--again loads them once more)"),
        (of.links_left_out, "links left out"),
        (of.incomplete, "without links that are wrong"),
        (of.skipped, "not written"),
    ];
    for (count, what) in parts.into_iter().filter(|(count, _)| *count > 0) {
        line.push_str(&format!(", {count} {what}"));
    }
    line
}

fn problem_line(problem: &Problem) -> String {
    let line = problem.line.map_or_else(String::new, |line| format!(":{line}"));
    let pointer = if problem.pointer.is_empty() { String::new() } else { format!(" {}", problem.pointer) };
    format!("{}{line}: {}{pointer}: {}", problem.source, problem.collection, problem.message)
}

/// Loads files together, in the order in which they link to each other.
pub(crate) async fn load(
    core: &Core,
    pass: AdminPass,
    sources: Vec<Source>,
    options: &Options,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Report, Failure> {
    import(core, pass, sources, options, progress).await.map_err(|error| {
        let failure = Failure::new("import", error.cause.unwrap_or(error.message));
        match error.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })
}

/// A file to load. Its form is told by its name; its collection by `collection`, by its content (an object of arrays), or by its name.
/// It is called as it is `shown`.
pub(crate) fn source(
    path: &Path,
    shown: &str,
    collection: Option<CollectionId>,
    format: Option<Format>,
    schema: &Schema,
) -> Result<Source, Failure> {
    if path == Path::new("-") {
        let format = format.ok_or_else(|| Failure::new("usage", "say what the standard input is: --format csv"))?;
        let input = Input::Stream(Box::new(std::io::stdin()));
        return Ok(Source { name: "the standard input".to_owned(), input, format, collection });
    }
    let format = match format {
        Some(format) => format,
        None => format_of(path)?,
    };
    let collection = match collection {
        None if says_itself(format, path)? => None,
        None => Some(named_after(path, schema)?),
        given => given,
    };
    let input = Input::File(path.to_path_buf());
    Ok(Source { name: shown.to_owned(), input, format, collection })
}

fn format_of(path: &Path) -> Result<Format, Failure> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => Ok(Format::Json),
        Some("ndjson" | "jsonl") => Ok(Format::Ndjson),
        Some("csv") => Ok(Format::Csv),
        _ => Err(Failure::new("usage", format!("{}: its form is not known", path.display()))
            .hint("files end with .json, .ndjson or .csv; --format says another's form")),
    }
}

/// Bytes in which the first sign of a JSON document is looked for.
const HEAD_BYTES: u64 = 64 * 1024;

/// Whether a file says itself which collections it holds: a JSON object does.
fn says_itself(format: Format, path: &Path) -> Result<bool, Failure> {
    let failed = |error: std::io::Error| Failure::io(path.display(), &error);
    let file = File::open(path).map_err(failed)?;
    if format != Format::Json {
        return Ok(false);
    }
    let mut head = Vec::new();
    file.take(HEAD_BYTES).read_to_end(&mut head).map_err(failed)?;
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&head);
    Ok(head.trim_ascii_start().first() != Some(&b'['))
}

/// The collection that a file is named after: `skills.csv`, or `02-skills.csv` to say the order.
fn named_after(path: &Path, schema: &Schema) -> Result<CollectionId, Failure> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let name = stem.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(['-', '_']);
    if let Some(id) = schema.by_path.get(name).or_else(|| schema.by_name.get(name)) {
        return Ok(*id);
    }
    let hint = nearest(name, schema.by_path.keys().map(String::as_str)).map_or_else(
        || "name the collection before the file: mainstay import skills FILE".to_owned(),
        |near| format!("name the collection before the file; do you mean \"{near}\"?"),
    );
    Err(Failure::new("usage", format!("{}: there is no collection \"{name}\"", path.display())).hint(hint))
}
