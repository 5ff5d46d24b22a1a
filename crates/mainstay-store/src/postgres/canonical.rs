//! The text of a `jsonb` in our canonical form: keys sorted by their bytes, no white space, numbers as we write them.
use std::{borrow::Cow, ops::Range};

use mainstay_schema::json_float;

/// Deeper than anything that we write; what others nest deeper stays as the server writes it.
const DEPTH_MAX: usize = 200;

/// Appends the canonical form of a text that the server wrote.
pub(crate) fn write(json: &str, out: &mut Vec<u8>) {
    let start = out.len();
    if (Reader { rest: json }).value(out, 0).is_none() {
        out.truncate(start);
        out.extend_from_slice(json.as_bytes());
    }
}

/// A member of an object: its key, and where it was written.
type Member<'j> = (Cow<'j, str>, Range<usize>);

/// What is not yet read.
struct Reader<'j> {
    rest: &'j str,
}

impl<'j> Reader<'j> {
    fn value(&mut self, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.skip();
        match self.rest.as_bytes().first()? {
            b'{' => self.object(out, depth),
            b'[' => self.array(out, depth),
            b'"' => {
                let text = self.string()?;
                out.extend_from_slice(text.as_bytes());
                Some(())
            }
            b'-' | b'0'..=b'9' => self.number(out),
            _ => {
                let word = ["null", "true", "false"].into_iter().find(|word| self.rest.starts_with(word))?;
                self.take(word.len());
                out.extend_from_slice(word.as_bytes());
                Some(())
            }
        }
    }

    fn array(&mut self, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        self.take(1);
        out.push(b'[');
        let mut first = true;
        while !self.ends(b']', first)? {
            if !first {
                out.push(b',');
            }
            first = false;
            self.value(out, depth + 1)?;
        }
        out.push(b']');
        Some(())
    }

    fn object(&mut self, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        self.take(1);
        out.push(b'{');
        let begin = out.len();
        let mut members: Vec<Member<'j>> = Vec::new();
        while !self.ends(b'}', members.is_empty())? {
            if !members.is_empty() {
                out.push(b',');
            }
            self.skip();
            let start = out.len();
            let key = self.string()?;
            out.extend_from_slice(key.as_bytes());
            self.skip();
            self.rest = self.rest.strip_prefix(':')?;
            out.push(b':');
            self.value(out, depth + 1)?;
            members.push((unescaped(key)?, start..out.len()));
        }
        if !members.is_sorted_by(|(a, _), (b, _)| a <= b) {
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            let parts: Vec<&[u8]> = members.iter().filter_map(|(_, range)| out.get(range.clone())).collect();
            let sorted = parts.join(&b',');
            out.truncate(begin);
            out.extend_from_slice(&sorted);
        }
        out.push(b'}');
        Some(())
    }

    /// Whether the array or object ends here; else the next element begins.
    fn ends(&mut self, bracket: u8, first: bool) -> Option<bool> {
        self.skip();
        let byte = *self.rest.as_bytes().first()?;
        if byte == bracket {
            self.take(1);
            return Some(true);
        }
        if !first {
            self.rest = self.rest.strip_prefix(',')?;
        }
        Some(false)
    }

    /// A string with its quotes and escapes: the server escapes as we do.
    fn string(&mut self) -> Option<&'j str> {
        let inside = self.rest.strip_prefix('"')?;
        let mut bytes = inside.bytes().enumerate();
        loop {
            match bytes.next()? {
                (_, b'\\') => drop(bytes.next()?),
                (at, b'"') => return Some(self.take(at + 2)),
                _ => {}
            }
        }
    }

    fn number(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let is_part = |byte: u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let length = self.rest.bytes().position(|byte| !is_part(byte)).unwrap_or(self.rest.len());
        let token = self.take(length);
        match token.parse::<i64>() {
            Ok(_) => out.extend_from_slice(token.as_bytes()),
            Err(_) => json_float(out, token.parse().ok().filter(|float: &f64| float.is_finite())?),
        }
        Some(())
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\n', '\r', '\t']);
    }

    fn take(&mut self, length: usize) -> &'j str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }
}

/// What a string stands for.
fn unescaped(string: &str) -> Option<Cow<'_, str>> {
    match string.contains('\\') {
        true => serde_json::from_str::<String>(string).ok().map(Cow::Owned),
        false => string.get(1..string.len() - 1).map(Cow::Borrowed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &str) {
        let mut out = Vec::new();
        write(json, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[test]
    fn keys_are_sorted_and_nothing_stands_between() {
        check(
            r#"{"b": [1, 2, {}], "aa": {"z": null, "\u0001": true}}"#,
            r#"{"aa":{"\u0001":true,"z":null},"b":[1,2,{}]}"#,
        );
        check(r#"["a, b", " \" ", []]"#, r#"["a, b"," \" ",[]]"#);
        check("{}", "{}");
        check("null", "null");
    }

    #[test]
    fn numbers_are_as_we_write_them() {
        let large = format!("1797693134862315{}", "0".repeat(293));
        check(&large, "1.797693134862315e308");
        check(
            "[9223372036854775807, 9223372036854775808, 100000.0]",
            "[9223372036854775807,9.223372036854776e18,100000.0]",
        );
        check("[0.30000000000000004, 0.000001, -0.0, 10000000000000000.0]", "[0.30000000000000004,1e-6,-0.0,1e16]");
    }

    #[test]
    fn what_is_no_json_stays_as_it_is() {
        check("{\"a\": ", "{\"a\": ");
        check(&"[".repeat(300), &"[".repeat(300));
    }
}
