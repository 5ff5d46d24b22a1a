//! Files of records into the database: for `import` and the seed of `dev`.
use std::{fs, path::Path};

use mainstay_core::{
    AdminPass, Core,
    import::{Format, Progress, Report, Source, import},
};
use mainstay_schema::{CollectionId, Schema, nearest};

use crate::failure::Failure;

/// Bytes of one file at most: it is read whole.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// What loading a file did.
pub(crate) struct Loaded {
    pub(crate) report: Report,
}

impl Loaded {
    /// What it did, for people, a line each.
    pub(crate) fn lines(&self, file: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for collection in &self.report.collections {
            let skipped = match collection.skipped {
                0 => String::new(),
                count => format!(", {count} not written"),
            };
            lines.push(format!("{file}: {} {} created{skipped}", collection.created, collection.collection));
        }
        lines.extend(self.report.notes.iter().map(|note| format!("{file}: {note}")));
        for problem in &self.report.errors {
            let line = problem.line.map_or_else(String::new, |line| format!(":{line}"));
            lines.push(format!("{file}{line}: {} {}: {}", problem.collection, problem.pointer, problem.message));
            lines.extend(problem.hint.iter().map(|hint| format!(" hint: {hint}")));
        }
        lines
    }
}

/// Loads one file. Its form is told by its name; its collection by `collection`, by its content (an object of arrays), or by
/// its name.
pub(crate) async fn load(
    core: &Core,
    pass: AdminPass,
    path: &Path,
    collection: Option<CollectionId>,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Loaded, Failure> {
    let name = path.display().to_string();
    let format = format_of(path)?;
    let length = fs::metadata(path).map_err(|error| Failure::io(&name, &error))?.len();
    if length > FILE_BYTES_MAX {
        return Err(Failure::new("too_large", format!("{name}: it has more than {FILE_BYTES_MAX} bytes"))
            .hint("cut it into several files"));
    }
    let bytes = fs::read(path).map_err(|error| Failure::io(&name, &error))?;
    let collection = match collection {
        None if says_itself(format, &bytes) => None,
        None => Some(named_after(path, core.schema())?),
        given => given,
    };
    let source = Source { name: &name, bytes: &bytes, format, collection };
    let report = import(core, pass, source, progress).await.map_err(|error| {
        let failure = Failure::new("import", format!("{name}: {}", error.cause.as_ref().unwrap_or(&error.message)));
        match error.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })?;
    Ok(Loaded { report })
}

fn format_of(path: &Path) -> Result<Format, Failure> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => Ok(Format::Json),
        Some("ndjson" | "jsonl") => Ok(Format::Ndjson),
        Some("csv") => Ok(Format::Csv),
        _ => Err(Failure::new("usage", format!("{}: its form is not known", path.display()))
            .hint("files end with .json, .ndjson or .csv")),
    }
}

/// Whether a file says itself which collections it holds: a JSON object does.
fn says_itself(format: Format, bytes: &[u8]) -> bool {
    format == Format::Json && bytes.trim_ascii_start().first() == Some(&b'{')
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
