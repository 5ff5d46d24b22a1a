//! The schema files, and places in them.
use std::{collections::HashMap, sync::Arc};

use apollo_compiler::parser::{FileId, SourceSpan};

use super::Source;
use crate::Location;

/// A range of bytes in a file; ordered as the files are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) file: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The texts, by the parser's ids.
#[derive(Debug, Default)]
pub(super) struct Files {
    files: Vec<File>,
    by_id: HashMap<FileId, usize>,
}

#[derive(Debug)]
struct File {
    name: Arc<str>,
    text: String,
    line_starts: Vec<usize>,
}

impl Files {
    pub(super) fn add(&mut self, source: &Source<'_>, id: FileId) {
        let ends = source.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(ends).collect();
        self.by_id.insert(id, self.files.len());
        self.files.push(File { name: source.name.into(), text: source.text.to_owned(), line_starts });
    }

    /// The place of a node; the start of the first file when it has none of ours.
    pub(super) fn place(&self, span: Option<SourceSpan>) -> Place {
        let own = span.and_then(|span| Some((span, *self.by_id.get(&span.file_id())?)));
        own.map_or(Place::default(), |(span, file)| Place { file, start: span.offset(), end: span.end_offset() })
    }

    /// Whether a node stands in one of these files, and not in the prelude.
    pub(super) fn holds(&self, span: Option<SourceSpan>) -> bool {
        span.is_some_and(|span| self.by_id.contains_key(&span.file_id()))
    }

    /// The text at a place.
    pub(super) fn text(&self, place: Place) -> &str {
        self.files.get(place.file).and_then(|file| file.text.get(place.start..place.end)).unwrap_or("")
    }

    /// The line and column of a byte, counted from 1, the column in characters.
    pub(super) fn line_column(&self, file: usize, at: usize) -> (u32, u32) {
        let Some(file) = self.files.get(file) else { return (1, 1) };
        let line = file.line_starts.partition_point(|start| *start <= at).max(1);
        let before = file.text.get(file.line_starts[line - 1]..at.min(file.text.len())).unwrap_or("");
        (line as u32, before.chars().count() as u32 + 1)
    }

    /// A line without its end, counted from 1.
    pub(super) fn line(&self, file: usize, line: u32) -> &str {
        let Some(file) = self.files.get(file) else { return "" };
        let start = file.line_starts.get(line as usize - 1).copied().unwrap_or(0);
        file.text[start..].lines().next().unwrap_or("")
    }

    pub(super) fn name(&self, file: usize) -> &str {
        self.files.get(file).map_or("", |file| &file.name)
    }

    /// A place for people.
    pub(super) fn location(&self, place: Place) -> Location {
        let (line, column) = self.line_column(place.file, place.start);
        let file = self.files.get(place.file).map(|file| file.name.clone());
        Location { file: file.unwrap_or_default(), line, column }
    }
}

impl Files {
    /// The place of `length` bytes at a location.
    pub(super) fn place_of(&self, at: &Location, length: usize) -> Place {
        let Some(file) = self.files.iter().position(|file| file.name == at.file) else { return Place::default() };
        let start = self.files[file].line_starts.get((at.line as usize).saturating_sub(1)).copied().unwrap_or(0);
        let line = &self.files[file].text[start..];
        let before: usize = line.chars().take((at.column as usize).saturating_sub(1)).map(char::len_utf8).sum();
        Place { file, start: start + before, end: start + before + length }
    }
}
