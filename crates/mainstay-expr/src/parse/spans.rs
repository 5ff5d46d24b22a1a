//! Whole ranges of written expressions, from the places of their tokens.
use crate::types::Span;

/// The range from the earlier start to the later end.
pub(super) fn join(a: Span, b: Span) -> Span {
    Span { start: a.start.min(b.start), end: a.end.max(b.end) }
}

/// The end of the name that follows a dot.
pub(super) fn name_end(text: &str, dot: u32, name: &str) -> u32 {
    let after = dot as usize + 1;
    let blank = text.get(after..).map_or(0, |rest| rest.len() - rest.trim_start().len());
    to_u32(after + blank + name.len(), text)
}

/// The start of the name that stands before an opening parenthesis.
pub(super) fn name_start(text: &str, open: u32, name: &str) -> u32 {
    let before = text.get(..open as usize).unwrap_or("").trim_end();
    to_u32(before.len().saturating_sub(name.len()), text)
}

/// The start of the minus sign before a number.
pub(super) fn minus_start(text: &str, number: u32) -> u32 {
    let before = text.get(..number as usize).unwrap_or("").trim_end();
    if before.ends_with('-') { to_u32(before.len() - 1, text) } else { number }
}

/// One past the bracket that closes the one at `open`; texts are skipped.
pub(super) fn close_end(text: &str, open: u32) -> Option<u32> {
    let mut depth = 0_usize;
    let mut quote: Option<u8> = None;
    let mut escaped = false;
    for (offset, byte) in text.bytes().enumerate().skip(open as usize) {
        match (quote, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(mark), _) if byte == mark => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'(' | b'[') => depth += 1,
            (None, b')' | b']') if depth <= 1 => return Some(to_u32(offset + 1, text)),
            (None, b')' | b']') => depth -= 1,
            (None, _) => {}
        }
    }
    None
}

/// The offset, inside of the text and never inside of a character.
pub(super) fn to_u32(offset: usize, text: &str) -> u32 {
    u32::try_from(text.floor_char_boundary(offset)).unwrap_or(u32::MAX)
}
