//! Numbers that a 64-bit float takes for zero and that are none, as `1e-400`: found in the text, where what was written still stands.
use mainstay_expr::wire;

use crate::json::JsonError;

/// The first such number of a text that is JSON, as an error with its place.
pub(crate) fn lost_number(text: &str) -> Option<JsonError> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at = match byte {
            b'"' => text_end(bytes, at + 1),
            b'0'..=b'9' => {
                let end = bytes[at..].iter().position(|byte| !is_of_number(*byte)).map_or(bytes.len(), |len| at + len);
                if let Err(message) = wire::parse_float(&text[at..end]) {
                    return Some(error(bytes, at, message));
                }
                end
            }
            _ => at + 1,
        };
    }
    None
}

fn is_of_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-')
}

/// Behind the quote that ends the text which begins at `at`.
fn text_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

fn error(bytes: &[u8], at: usize, message: String) -> JsonError {
    let line_start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
    JsonError { message, line, column: at - line_start + 1 }
}
