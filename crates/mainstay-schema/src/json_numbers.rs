//! Numbers of which a 64-bit float does not keep what was written: found in the text, where it still stands.
use std::borrow::Cow;

use mainstay_expr::wire;

use crate::json::{Json, JsonError};

/// The same JSON with each number as it was written where a float keeps only some of its digits. Fails at the first that a
/// float takes for zero and that is none, as `1e-400`.
pub(crate) fn as_written<'a>(mut json: Json<'a>, text: &'a str) -> Result<Json<'a>, JsonError> {
    let mut rounded = rounded(text)?.into_iter().peekable();
    if rounded.peek().is_some() {
        put_back(&mut json, &mut 0, &mut rounded);
    }
    Ok(json)
}

/// The numbers of a text that is JSON that lose digits, each with how many numbers stand before it.
fn rounded(text: &str) -> Result<Vec<(usize, &str)>, JsonError> {
    let (bytes, mut found, mut numbers, mut at) = (text.as_bytes(), Vec::new(), 0, 0);
    while let Some(byte) = bytes.get(at) {
        at = match byte {
            b'"' => text_end(bytes, at + 1),
            b'-' | b'0'..=b'9' => {
                let end = bytes[at..].iter().position(|byte| !is_of_number(*byte)).map_or(bytes.len(), |len| at + len);
                let written = &text[at..end];
                // Whole numbers of 64 bits are no floats.
                if !wire::fits_float(written) && written.parse::<i64>().is_err() {
                    let number = wire::parse_float(written).map_err(|message| error(bytes, at, message))?;
                    if !wire::keeps_digits(written, number) {
                        found.push((numbers, written));
                    }
                }
                numbers += 1;
                end
            }
            _ => at + 1,
        };
    }
    Ok(found)
}

/// Replaces the numbers in the order of the text.
fn put_back<'a>(
    json: &mut Json<'a>,
    numbers: &mut usize,
    rounded: &mut std::iter::Peekable<impl Iterator<Item = (usize, &'a str)>>,
) {
    match json {
        Json::Int(_) | Json::Float(_) | Json::Rounded(_) => {
            if let Some((_, written)) = rounded.next_if(|(number, _)| number == numbers) {
                *json = Json::Rounded(Cow::Borrowed(written));
            }
            *numbers += 1;
        }
        Json::Array(items) => items.iter_mut().for_each(|item| put_back(item, numbers, rounded)),
        Json::Object(members) => members.iter_mut().for_each(|(_, value)| put_back(value, numbers, rounded)),
        Json::Null | Json::Bool(_) | Json::Text(_) => {}
    }
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
