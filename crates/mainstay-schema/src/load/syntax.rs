//! Text to syntax trees, and what the parser says about it.
use apollo_compiler::{
    ast::Document,
    diagnostic::ToCliReport as _,
    parser::{FileId, Parser},
    validation::DiagnosticList,
};

use super::{Source, files::Place, report::Report};
use crate::names::nearest;

/// Most tokens of one file.
const TOKENS_MAX: usize = 1_000_000;

/// Parses every file; what could be read of a wrong one is left out.
pub(super) fn parse(sources: &[Source<'_>], report: &mut Report) -> Vec<Document> {
    sources.iter().filter_map(|source| parse_one(source, report)).collect()
}

fn parse_one(source: &Source<'_>, report: &mut Report) -> Option<Document> {
    let is_empty = source.text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    if is_empty {
        return None;
    }
    match Parser::new().token_limit(TOKENS_MAX).parse_ast(source.text, source.name) {
        Ok(document) => {
            report.files.add(source, file_id(&document)?);
            Some(document)
        }
        Err(failed) => {
            report.files.add(source, file_id(&failed.partial)?);
            tell(source, &failed.errors, report);
            None
        }
    }
}

fn file_id(document: &Document) -> Option<FileId> {
    document.sources.keys().next().copied()
}

/// One wrong mark makes the parser stumble to the end of the file: what is told is where it stumbled first, and every escape
/// that is none.
fn tell(source: &Source<'_>, errors: &DiagnosticList, report: &mut Report) {
    let mut is_told = false;
    for error in errors.iter() {
        let place = report.files.place(error.error.location());
        let text = error.error.to_string();
        let message = text.strip_prefix("syntax error: ").unwrap_or(&text);
        if let Some(escape) = wrong_escape(source.text, place, message) {
            report.error(escape, "syntax", "a plain string has no such escape").hint(
                "write the expression in a block string, where a backslash is a backslash: \"\"\"name.matches(r'\\d+')\"\"\"",
            );
        } else if is_told {
            continue;
        } else if message.contains("This extension cannot be applied") && source.text[place.start..].starts_with('"') {
            let told = report.error(place, "syntax", "a description does not belong on an extension");
            told.hint("write it as a comment: # …");
        } else {
            let told = report.error(place, "syntax", readable(&named_tokens(message)));
            if let Some(hint) = likely_cause(source.text, place) {
                told.hint(hint);
            }
        }
        is_told = true;
    }
}

/// What most likely went wrong where the parser stumbled.
fn likely_cause(text: &str, place: Place) -> Option<String> {
    const WORDS: [&str; 3] = ["type", "enum", "extend"];
    let (before, from) = (text.get(..place.start)?, text.get(place.start..)?);
    let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if WORDS.iter().any(|word| line.trim_end() == *word) {
        return Some(String::from("is the \"}\" missing of what stands before?"));
    }
    // `"a == "x""`: the word, or the quotes behind it.
    if before.trim_end_matches(is_name).ends_with('"') && from.starts_with(|c| is_name(c) || c == '"') {
        return Some(String::from("inside of an expression a text stands in single quotes: 'text'"));
    }
    let word = &from[..from.find(|c| !is_name(c)).unwrap_or(from.len())];
    let near = nearest(word, WORDS).filter(|near| line.is_empty() && *near != word)?;
    Some(format!("did you mean \"{near}\"?"))
}

/// The parser's names of tokens as what they look like.
fn named_tokens(message: &str) -> String {
    const TOKENS: [(&str, &str); 9] = [
        ("L_CURLY", "\"{\""),
        ("R_CURLY", "\"}\""),
        ("L_PAREN", "\"(\""),
        ("R_PAREN", "\")\""),
        ("L_BRACK", "\"[\""),
        ("R_BRACK", "\"]\""),
        ("COLON", "\":\""),
        ("BANG", "\"!\""),
        ("EOF", "the end of the file"),
    ];
    TOKENS.iter().fold(message.to_owned(), |message, (token, shown)| message.replace(token, shown))
}

/// The place of the backslash and the letter behind it, when that is what the parser stumbled over.
fn wrong_escape(text: &str, place: Place, message: &str) -> Option<Place> {
    if !message.contains("escaped character") {
        return None;
    }
    let token = text.get(place.start..)?;
    let mut at = 0;
    while let Some(found) = token[at..].find('\\') {
        let letter = token[at + found + 1..].chars().next()?;
        let start = place.start + at + found;
        if !"\"\\/bfnrtu".contains(letter) {
            return Some(Place { file: place.file, start, end: start + 1 + letter.len_utf8() });
        }
        at += found + 2;
    }
    None
}

/// The parser's words, as ours: lower case, no full stop, double quotes.
pub(super) fn readable(message: &str) -> String {
    let mut message = message.trim_end_matches('.').replace('`', "\"");
    if message.chars().nth(1).is_some_and(|second| !second.is_uppercase())
        && let Some(first) = message.get_mut(..1)
    {
        first.make_ascii_lowercase();
    }
    message
}
