//! Text to a syntax tree, by the CEL crate where it is not quite plain: the only module that knows it. Macros stay unexpanded.
mod ast;
mod convert;
mod quick;
mod spans;

pub(crate) use self::ast::{Ast, Kind};
use self::convert::Convert;
use crate::{limits::Limits, problem::Problem, types::Span};

/// Parses one expression within the limits of length, depth and nodes.
pub(crate) fn parse(text: &str, limits: &Limits) -> Result<Ast, Vec<Problem>> {
    let whole = Span { start: 0, end: u32::try_from(text.len()).unwrap_or(u32::MAX) };
    if text.len() > limits.length_max {
        let message = format!("the expression is {} bytes long, at most {} are allowed", text.len(), limits.length_max);
        return Err(vec![Problem::new("too_long", whole, message)]);
    }
    if text.trim().is_empty() {
        return Err(vec![Problem::new("syntax", whole, "the expression is empty")]);
    }
    match quick::parse(text, limits) {
        Some(ast) => Ok(ast),
        None => by_crate(text, limits),
    }
}

/// Parses whatever it is.
fn by_crate(text: &str, limits: &Limits) -> Result<Ast, Vec<Problem>> {
    let program = cel::Env::default().with_optional_support(false).compile(text).map_err(|errors| {
        let mut problems: Vec<Problem> = errors.errors.iter().map(|error| syntax_problem(text, error)).collect();
        problems.dedup_by(|a, b| a.span == b.span);
        problems
    })?;
    let mut convert = Convert::new(text, program.source_info(), limits);
    match convert.expr(program.expression()) {
        Some(ast) if convert.problems.is_empty() => Ok(ast),
        _ => Err(convert.problems),
    }
}

/// The CEL crate's error in our words, at its place.
fn syntax_problem(text: &str, error: &cel::ParseError) -> Problem {
    let start = offset_of(text, error.pos);
    let message = error.msg.strip_prefix("Syntax error: ").unwrap_or(&error.msg);
    if message.contains("ecursion limit") {
        return Problem::new("too_deep", span_of(text, 0, text.len()), "the expression is nested too deeply");
    }
    let (message, len) = reworded(message, &text[start..]);
    Problem::new("syntax", span_of(text, start, start + len), message)
}

/// The message in our words, and how many bytes of `rest`, the text from its place on, it is about.
fn reworded(message: &str, rest: &str) -> (String, usize) {
    let token = message.split_once('\'').and_then(|(_, rest)| rest.split_once('\'')).map_or("", |(token, _)| token);
    if message.starts_with("missing") {
        return (format!("missing \"{token}\""), 0);
    }
    if message.contains("'<EOF>'") {
        return ("the expression ends too early".to_owned(), 0);
    }
    if message.starts_with("token recognition error") {
        return unrecognised(rest);
    }
    if message.starts_with("mismatched input") || message.starts_with("extraneous input") {
        return (format!("unexpected \"{token}\""), token.len());
    }
    if message.starts_with("no viable alternative") {
        let word = rest.chars().take_while(|c| c.is_alphanumeric()).map(char::len_utf8).sum();
        return ("this does not read as an expression".to_owned(), word);
    }
    // The crate's own words go on with what it holds in memory.
    if message.starts_with("invalid string literal") || message.starts_with("invalid bytes literal") {
        return ("an escape in this text stands for no character".to_owned(), literal_len(rest));
    }
    (lower_first(message), rest.chars().next().map_or(0, char::len_utf8))
}

/// How many bytes a literal has, up to the quote that closes it.
fn literal_len(rest: &str) -> usize {
    let Some(start) = rest.find(['\'', '"']) else { return rest.len() };
    let quote = &rest[start..=start];
    let mut escaped = false;
    for (at, c) in rest[start + 1..].char_indices() {
        if c.to_string() == quote && !escaped {
            return start + 1 + at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    rest.len()
}

/// What is wrong where no token begins.
fn unrecognised(rest: &str) -> (String, usize) {
    match rest.chars().next() {
        Some('\'' | '"') => ("a text without its closing quote".to_owned(), rest.len()),
        Some('=') => ("unexpected \"=\"; equality is \"==\"".to_owned(), 1),
        Some(sign @ ('&' | '|')) => (format!("unexpected \"{sign}\"; it is written \"{sign}{sign}\""), 1),
        Some(found) => (format!("unexpected character \"{found}\""), found.len_utf8()),
        None => ("the expression ends too early".to_owned(), 0),
    }
}

/// The byte offset of a line and a column, both from 1; the column in characters.
fn offset_of(text: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line).unwrap_or(1).max(1);
    let column = usize::try_from(column).unwrap_or(1).max(1);
    let line_start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let rest = &text[line_start..];
    line_start + rest.char_indices().nth(column - 1).map_or(rest.len(), |(offset, _)| offset)
}

fn span_of(text: &str, start: usize, end: usize) -> Span {
    Span { start: spans::to_u32(start, text), end: spans::to_u32(end, text) }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// Whether the quick way tells the same as the whole parser wherever it tells anything; whether it does.
#[cfg(test)]
pub(crate) fn check_quick(text: &str, limits: &Limits) -> bool {
    let Some(quick) = quick::parse(text, limits) else { return false };
    assert_eq!(Ok(quick), by_crate(text, limits), "{text}");
    true
}

#[cfg(test)]
mod tests;
