//! The file of records in which something is wrong: a line of JSON for each, with the reasons and the record as it is.
use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::Path,
};

use serde_json::json;

use super::{Problem, Source, invalid};
use crate::Error;

/// Where bad records go.
pub(super) struct BadFile {
    file: File,
    name: String,
    bytes: u64,
}

impl BadFile {
    /// Opens the file; keeps what an earlier run of the same import wrote, and nothing else. A file that holds anything that no import
    /// of these sources wrote is refused.
    pub(super) fn open(path: &Path, keep: u64, sources: &[Source]) -> Result<BadFile, Error> {
        let name = path.display().to_string();
        let failed = |error: std::io::Error| invalid(format!("{name} cannot be written: {error}"));
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let begins: Vec<String> = sources.iter().map(beginning).collect();
        if !is_about(&file, &begins).map_err(failed)? {
            return Err(invalid(format!("{name} holds {length} bytes that no import of these files wrote"))
                .with_hint("name a new file for bad records, or remove this one"));
        }
        let keep = keep.min(length);
        file.set_len(keep).map_err(failed)?;
        file.seek(SeekFrom::Start(keep)).map_err(failed)?;
        Ok(BadFile { file, name, bytes: keep })
    }

    /// Takes out what it tells of some records: sources and collections.
    pub(super) fn forget(&mut self, of: &[(&Source, &str)]) -> Result<(), Error> {
        let begins: Vec<String> = of
            .iter()
            .map(|(source, collection)| format!("{}\"collection\":\"{collection}\",", beginning(source)))
            .collect();
        self.keep_lines(|line| !begins.iter().any(|begins| line.starts_with(begins.as_bytes())))
            .map_err(|error| invalid(format!("{} cannot be written: {error}", self.name)))
    }

    /// Lines only move to the front, so that reading is never behind writing.
    fn keep_lines(&mut self, keep: impl Fn(&[u8]) -> bool) -> std::io::Result<()> {
        let (mut read, mut kept, mut line) = (0, 0, Vec::new());
        let mut reader = BufReader::new(self.file.try_clone()?);
        loop {
            reader.seek(SeekFrom::Start(read))?;
            line.clear();
            let count = reader.read_until(b'\n', &mut line)?;
            if count == 0 {
                break;
            }
            read += count as u64;
            if keep(&line) {
                self.file.seek(SeekFrom::Start(kept))?;
                self.file.write_all(&line)?;
                kept += count as u64;
            }
        }
        self.file.set_len(kept)?;
        self.file.seek(SeekFrom::Start(kept))?;
        self.bytes = kept;
        Ok(())
    }

    /// Adds a record with what is wrong with it.
    pub(super) fn add(&mut self, problems: &[Problem], record: &str) -> Result<(), Error> {
        let Some(first) = problems.first() else { return Ok(()) };
        let reasons: Vec<_> = problems
            .iter()
            .map(|problem| json!({"pointer": problem.pointer, "message": problem.message, "hint": problem.hint}))
            .collect();
        let line = json!({
            "source": first.source,
            "collection": first.collection,
            "line": first.line,
            "errors": reasons,
            "record": record,
        });
        let text = format!("{line}\n");
        self.file
            .write_all(text.as_bytes())
            .map_err(|error| invalid(format!("{} cannot be written: {error}", self.name)))?;
        self.bytes += text.len() as u64;
        Ok(())
    }

    /// How many bytes it has.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// What each line about a source begins with.
fn beginning(source: &Source) -> String {
    let object = json!({ "source": source.name }).to_string();
    object.trim_end_matches('}').to_owned() + ","
}

/// Whether each line begins so; of the last one a run that was killed may have written only a part. Only beginnings are held: what no
/// import wrote may have no lines.
fn is_about(file: impl Read, begins: &[String]) -> std::io::Result<bool> {
    let longest = begins.iter().map(String::len).max().unwrap_or(0) as u64;
    let (mut reader, mut line) = (BufReader::new(file), Vec::new());
    loop {
        line.clear();
        if reader.by_ref().take(longest).read_until(b'\n', &mut line)? == 0 {
            return Ok(true);
        }
        let fits = |begins: &String| line.starts_with(begins.as_bytes()) || begins.as_bytes().starts_with(&line);
        if !begins.iter().any(fits) {
            return Ok(false);
        }
        if line.last() != Some(&b'\n') {
            reader.skip_until(b'\n')?;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, repeat};

    use super::is_about;

    #[test]
    fn of_a_file_without_lines_only_the_beginning_is_read() {
        let begins = [r#"{"source":"a.csv","#, r#"{"source":"another.csv","#].map(str::to_owned);
        let mut other = repeat(b'x').take(1 << 20);
        assert!(matches!(is_about(&mut other, &begins), Ok(false)));
        assert!(other.limit() > 0);
        let long = format!("{}{}", begins[0], "x".repeat(100_000));
        for (text, about) in [
            (String::new(), true),
            (format!("{long}\n{long}\n{}", begins[1]), true),
            (format!("{long}\n{long}\n{}", &begins[1][..5]), true),
            (format!("{long}\nx\n{long}"), false),
            (format!("{}\n{long}", &begins[1][..5]), false),
        ] {
            assert_eq!(is_about(text.as_bytes(), &begins).ok(), Some(about));
        }
    }
}
