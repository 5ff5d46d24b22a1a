//! Lines of JSON.
use std::io::{BufRead, BufReader, Read};

use super::{Body, RECORD_BYTES_MAX, Raw};
use crate::{Error, import::unreadable};

/// The lines of a source.
pub(super) struct Lines<'a> {
    input: BufReader<Box<dyn Read + Send + 'a>>,
    name: String,
    position: u64,
    /// The number of the next line.
    line: u64,
    count: u64,
}

impl<'a> Lines<'a> {
    pub(super) fn new(input: Box<dyn Read + Send + 'a>, name: &str, position: u64, line: u64, count: u64) -> Lines<'a> {
        Lines { input: BufReader::with_capacity(64 * 1024, input), name: name.to_owned(), position, line, count }
    }

    /// The next line that is not empty.
    pub(super) fn next(&mut self) -> Result<Option<Raw>, Error> {
        loop {
            let mut bytes = Vec::new();
            let (line, Some(too_long)) = (self.line, self.line_into(&mut bytes)?) else { return Ok(None) };
            let first = line == 1 && self.count == 0;
            let mark = if first && bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
            if !too_long && bytes[mark..].trim_ascii().is_empty() {
                continue;
            }
            bytes.drain(..mark);
            let at = self.count;
            self.count += 1;
            let body = if too_long { Body::TooLong } else { Body::Json(bytes) };
            return Ok(Some(Raw { line, at, end: self.position, next_line: self.line, body }));
        }
    }

    /// Reads a line, as far as it has no more bytes than a record may; whether it has more. `None` at the end.
    fn line_into(&mut self, into: &mut Vec<u8>) -> Result<Option<bool>, Error> {
        let (mut length, mut ended) = (0, false);
        while !ended {
            let buffer = self.input.fill_buf().map_err(|error| unreadable(&self.name, &error))?;
            if buffer.is_empty() {
                break;
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(buffer.len(), |end| end + 1);
            let room = RECORD_BYTES_MAX.saturating_sub(into.len());
            into.extend_from_slice(&buffer[..end.unwrap_or(taken).min(room)]);
            self.input.consume(taken);
            length += taken;
            ended = end.is_some();
        }
        if length == 0 {
            return Ok(None);
        }
        self.position += length as u64;
        self.line += 1;
        Ok(Some(length - usize::from(ended) > RECORD_BYTES_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_so_many_bytes_at_most_with_an_end_and_without() {
        let is_long = |bytes: usize, end: &str| {
            let text = format!("{}{end}", "1".repeat(bytes));
            let mut lines = Lines::new(Box::new(text.as_bytes()), "lines", 0, 1, 0);
            let raw = lines.next().expect("it is read").expect("a line");
            assert!(lines.next().expect("the end").is_none());
            matches!(raw.body, Body::TooLong)
        };
        for end in ["", "\n"] {
            assert!(!is_long(RECORD_BYTES_MAX, end), "{end:?}");
            assert!(is_long(RECORD_BYTES_MAX + 1, end), "{end:?}");
        }
    }
}
