//! JSON documents, value by value: finds where each begins and ends without holding more than one.
use std::{
    collections::HashSet,
    io::{BufRead, BufReader, Read},
};

use mainstay_schema::{Json, JsonLimits};

use super::{Body, RECORD_BYTES_MAX, Raw};
use crate::{
    Error,
    import::{invalid, unreadable},
};

/// Names of an object of arrays are short.
const NAME_BYTES_MAX: usize = 1_024;

/// A member of the document's object.
pub(in crate::import) struct Member {
    pub(in crate::import) name: String,
    pub(in crate::import) kind: &'static str,
    pub(in crate::import) start: u64,
    pub(in crate::import) end: u64,
    pub(in crate::import) line: u64,
}

/// Reads a document byte by byte.
pub(in crate::import) struct Scanner<'a> {
    input: BufReader<Box<dyn Read + Send + 'a>>,
    name: String,
    position: u64,
    line: u64,
    line_start: u64,
}

impl<'a> Scanner<'a> {
    pub(in crate::import) fn new(
        input: Box<dyn Read + Send + 'a>,
        name: &str,
        position: u64,
        line: u64,
    ) -> Scanner<'a> {
        let input = BufReader::with_capacity(64 * 1024, input);
        Scanner { input, name: name.to_owned(), position, line, line_start: position }
    }

    fn byte(&mut self) -> Result<Option<u8>, Error> {
        let buffer = self.input.fill_buf().map_err(|error| unreadable(&self.name, &error))?;
        Ok(buffer.first().copied())
    }

    fn take(&mut self, byte: u8) {
        self.input.consume(1);
        self.position += 1;
        if byte == b'\n' {
            self.line += 1;
            self.line_start = self.position;
        }
    }

    /// The next byte that is no white space, which stays; a byte order mark at the start is white space too.
    pub(in crate::import) fn peek(&mut self) -> Result<Option<u8>, Error> {
        while let Some(byte) = self.byte()? {
            let mark = self.position < 3 && b"\xEF\xBB\xBF"[self.position as usize] == byte;
            if !byte.is_ascii_whitespace() && !mark {
                return Ok(Some(byte));
            }
            self.take(byte);
        }
        Ok(None)
    }

    fn wrong(&self, what: &str) -> Error {
        let column = self.position - self.line_start + 1;
        invalid(format!("{}: {what} at line {} column {column}", self.name, self.line))
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Error> {
        match self.peek()? {
            Some(byte) if byte == wanted => {
                self.take(byte);
                Ok(())
            }
            Some(_) => Err(self.wrong(&format!("\"{}\" is missing", wanted as char))),
            None => Err(self.wrong("the JSON ends too early")),
        }
    }

    /// Goes over one value; its bytes are kept in `into`, as far as it has no more than `max`. Whether it has more.
    fn value(&mut self, mut into: Option<&mut Vec<u8>>, max: usize) -> Result<bool, Error> {
        let (mut depth, mut quoted, mut escaped, mut kept, mut any) = (0_usize, false, false, 0_usize, false);
        loop {
            let Some(byte) = self.byte()? else {
                let whole = any && depth == 0 && !quoted;
                return if whole { Ok(kept > max) } else { Err(self.wrong("the JSON ends too early")) };
            };
            let outside = !quoted && depth == 0;
            if outside && any && (byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}' | b':')) {
                return Ok(kept > max);
            }
            if outside && !any && matches!(byte, b',' | b']' | b'}' | b':') {
                return Err(self.wrong("this is no JSON value"));
            }
            (any, kept) = (true, kept + 1);
            if let Some(into) = into.as_deref_mut().filter(|_| kept <= max) {
                into.push(byte);
            }
            self.take(byte);
            match (quoted, byte) {
                (true, _) if escaped => escaped = false,
                (true, b'\\') => escaped = true,
                (_, b'"') => quoted = !quoted,
                (false, b'{' | b'[') => depth += 1,
                (false, b'}' | b']') => depth -= 1,
                _ => {}
            }
            if depth == 0 && !quoted && matches!(byte, b'"' | b'}' | b']') {
                return Ok(kept > max);
            }
        }
    }

    /// What kind of value comes next, for messages.
    pub(in crate::import) fn kind(&mut self) -> Result<&'static str, Error> {
        Ok(match self.peek()? {
            Some(b'[') => "an array",
            Some(b'{') => "an object",
            Some(b'"') => "a text",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            Some(b'-' | b'0'..=b'9') => "a number",
            Some(_) => return Err(self.wrong("this is no JSON value")),
            None => return Err(self.wrong("the JSON ends too early")),
        })
    }

    /// Goes over the whole document, which is an object, and tells where its members are.
    pub(in crate::import) fn members(&mut self) -> Result<Vec<Member>, Error> {
        self.expect(b'{')?;
        let (mut members, mut names) = (Vec::new(), HashSet::new());
        while self.peek()? != Some(b'}') {
            if !members.is_empty() {
                self.expect(b',')?;
            }
            let name = self.member_name()?;
            if !names.insert(name.clone()) {
                return Err(self.wrong(&format!("the key {name:?} comes twice")));
            }
            self.expect(b':')?;
            let kind = self.kind()?;
            let (start, line) = (self.position, self.line);
            self.value(None, usize::MAX)?;
            members.push(Member { name, kind, start, end: self.position, line });
        }
        self.expect(b'}')?;
        match self.peek()? {
            None => Ok(members),
            Some(_) => Err(self.wrong("something stands behind the JSON value")),
        }
    }

    fn member_name(&mut self) -> Result<String, Error> {
        self.peek()?;
        let mut bytes = Vec::new();
        let too_long = self.value(Some(&mut bytes), NAME_BYTES_MAX)?;
        match Json::parse(&bytes, JsonLimits::default()) {
            Ok(Json::Text(name)) if !too_long => Ok(name.into_owned()),
            _ => Err(self.wrong("a name in quotes is missing")),
        }
    }
}

/// The elements of an array.
pub(super) struct Elements<'a> {
    scanner: Scanner<'a>,
    /// How many there were so far.
    count: u64,
    /// Whether the array stands alone: then nothing may stand behind it.
    alone: bool,
    begun: bool,
    ended: bool,
}

impl<'a> Elements<'a> {
    /// From the start of the array, or from behind its `count`-th element.
    pub(super) fn new(scanner: Scanner<'a>, count: u64, alone: bool) -> Elements<'a> {
        Elements { scanner, count, alone, begun: count > 0, ended: false }
    }

    /// The next element.
    pub(super) fn next(&mut self) -> Result<Option<Raw>, Error> {
        if self.ended {
            return Ok(None);
        }
        if !std::mem::replace(&mut self.begun, true) {
            self.scanner.expect(b'[')?;
        }
        if self.scanner.peek()? == Some(b']') {
            self.scanner.take(b']');
            self.ended = true;
            return match (self.alone, self.scanner.peek()?) {
                (true, Some(_)) => Err(self.scanner.wrong("something stands behind the JSON value")),
                _ => Ok(None),
            };
        }
        if self.count > 0 {
            self.scanner.expect(b',')?;
        }
        self.scanner.peek()?;
        let (line, mut bytes) = (self.scanner.line, Vec::new());
        let too_long = self.scanner.value(Some(&mut bytes), RECORD_BYTES_MAX)?;
        let at = self.count;
        self.count += 1;
        let body = if too_long { Body::TooLong } else { Body::Json(bytes) };
        Ok(Some(Raw { line, at, end: self.scanner.position, next_line: self.scanner.line, body }))
    }
}
