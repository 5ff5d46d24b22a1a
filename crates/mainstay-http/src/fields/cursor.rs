//! A place in a text that is being read, and the errors that name it.
use crate::problem::{Code, Outcome, Problem};

/// A place in the text of one parameter.
pub(super) struct Cursor<'a> {
    what: &'static str,
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(what: &'static str, text: &'a str) -> Cursor<'a> {
        Cursor { what, text, at: 0 }
    }

    /// The place, in bytes.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The next character. White space is none that the grammar knows, outside of expressions.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Steps over a character, if it is the next one.
    pub(super) fn take(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    pub(super) fn expect(&mut self, c: char) -> Outcome<()> {
        if self.take(c) { Ok(()) } else { Err(self.expected(&format!("{:?}", c.to_string()))) }
    }

    /// A name: a letter or `_`, then letters, digits and `_`.
    pub(super) fn name(&mut self, what: &str) -> Outcome<&'a str> {
        let starts = self.peek().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        if !starts {
            return Err(self.expected(what));
        }
        Ok(self.span(|c| c.is_ascii_alphanumeric() || c == '_'))
    }

    pub(super) fn number(&mut self) -> Outcome<u32> {
        if !self.peek().is_some_and(|c| c.is_ascii_digit()) {
            return Err(self.expected("a whole number"));
        }
        let at = self.at;
        let digits = self.span(|c| c.is_ascii_digit());
        digits.parse().map_err(|_| self.wrong_at(at, &format!("the number {digits} is too large")))
    }

    /// A CEL expression, up to the `;` or the closing bracket that ends it: those inside of its brackets, its texts and its
    /// comments do not.
    pub(super) fn expression(&mut self) -> Outcome<&'a str> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut open = Vec::new();
        while let Some(&byte) = bytes.get(self.at) {
            match byte {
                b'\'' | b'"' => self.skip_text(start)?,
                b'/' if bytes.get(self.at + 1) == Some(&b'/') => {
                    self.span(|c| c != '\n');
                }
                b';' | b')' if open.is_empty() => break,
                b'(' | b'[' | b'{' => {
                    open.push(byte);
                    self.at += 1;
                }
                b')' | b']' | b'}' => {
                    open.pop();
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
        let expression = self.text[start..self.at].trim();
        if expression.is_empty() {
            return Err(self.expected("an expression"));
        }
        Ok(expression)
    }

    /// Steps over a CEL text: one or three quotes, raw behind an `r`.
    fn skip_text(&mut self, expression_start: usize) -> Outcome<()> {
        let start = self.at;
        let prefix = self.text[expression_start..start].bytes().rev().take_while(u8::is_ascii_alphanumeric);
        let prefix: Vec<u8> = prefix.take(3).map(|byte| byte.to_ascii_lowercase()).collect();
        let raw = matches!(&prefix[..], b"r" | b"rb" | b"br");
        let one = &self.rest()[..1];
        let three = one.repeat(3);
        let quote = if self.rest().starts_with(&three) { &three } else { one };
        self.at += quote.len();
        while !self.rest().starts_with(quote) {
            let escaped = !raw && self.rest().starts_with('\\');
            match self.rest().chars().nth(usize::from(escaped)) {
                Some(c) => self.at += usize::from(escaped) + c.len_utf8(),
                None => return Err(self.wrong_at(start, "this text is not closed")),
            }
        }
        self.at += quote.len();
        Ok(())
    }

    /// Steps over the characters that fit.
    fn span(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let span = &rest[..rest.find(|c| !fits(c)).unwrap_or(rest.len())];
        self.at += span.len();
        span
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Something else is expected here.
    pub(super) fn expected(&self, what: &str) -> Box<Problem> {
        let found = match self.peek() {
            Some(c) => format!("{:?}", c.to_string()),
            None => "the end".into(),
        };
        self.wrong_at(self.at, &format!("expected {what}, found {found}"))
    }

    /// Something is wrong at a place.
    pub(super) fn wrong_at(&self, at: usize, detail: &str) -> Box<Problem> {
        let character = self.text[..at].chars().count() + 1;
        Problem::new(Code::InvalidArgument, format!("{}: {detail} (at character {character})", self.what))
    }

    /// There is more here than a limit allows.
    pub(super) fn limit(&self, what: &str) -> Box<Problem> {
        let character = self.text[..self.at].chars().count() + 1;
        Problem::new(Code::LimitExceeded, format!("{} has {what} (at character {character})", self.what))
    }
}
