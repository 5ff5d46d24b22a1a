//! From bytes of a string's value back to bytes of the file: through escapes and the stripped indentation of block strings.

/// Where in a literal each byte of its value comes from.
#[derive(Debug)]
pub(super) struct TextMap {
    value: Vec<u8>,
    /// For each byte of the value, the first byte of its piece of the literal and one past the last.
    pieces: Vec<(usize, usize)>,
    end: usize,
}

impl TextMap {
    /// Of a literal with its quotes, as it stands in the file.
    pub(super) fn new(literal: &str) -> TextMap {
        match literal.strip_prefix("\"\"\"") {
            Some(rest) => block(rest.strip_suffix("\"\"\"").unwrap_or(rest)),
            None => plain(literal),
        }
    }

    /// The range of the literal that a range of the value comes from; the whole inside when the value is another one.
    pub(super) fn range(&self, value: &str, start: usize, end: usize) -> (usize, usize) {
        if value.as_bytes() != self.value {
            return (self.pieces.first().map_or(self.end, |piece| piece.0), self.end);
        }
        let first = self.pieces.get(start).map_or(self.end, |piece| piece.0);
        let last = end.checked_sub(1).filter(|last| *last >= start).and_then(|last| self.pieces.get(last));
        (first, last.map_or(first, |piece| piece.1))
    }

    /// Adds a character that `length` bytes of the literal stand for.
    fn push(&mut self, c: char, offset: usize, length: usize) {
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            self.value.push(byte);
            self.pieces.push((offset, offset + length));
        }
    }
}

fn plain(literal: &str) -> TextMap {
    let end = literal.len().saturating_sub(1).max(1);
    let inner = literal.get(1..end).unwrap_or("");
    let mut map = TextMap { value: Vec::new(), pieces: Vec::new(), end };
    let mut at = 0;
    while let Some(c) = inner[at..].chars().next() {
        let (c, length) = if c == '\\' { escape(&inner[at..]) } else { (c, c.len_utf8()) };
        map.push(c, at + 1, length);
        at += length;
    }
    map
}

/// The character of an escape at the start of `text`, and how long it is written.
fn escape(text: &str) -> (char, usize) {
    let simple = |c| (c, 2);
    match text[1..].chars().next() {
        Some('n') => simple('\n'),
        Some('t') => simple('\t'),
        Some('r') => simple('\r'),
        Some('b') => simple('\u{8}'),
        Some('f') => simple('\u{c}'),
        Some('u') => unicode(text),
        Some(c) => (c, 1 + c.len_utf8()),
        None => ('\\', 1),
    }
}

fn unicode(text: &str) -> (char, usize) {
    let hex = |digits: Option<&str>| digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    if let Some(rest) = text.strip_prefix("\\u{") {
        let length = rest.find('}').unwrap_or(0);
        let c = hex(rest.get(..length)).and_then(char::from_u32);
        return (c.unwrap_or('\u{fffd}'), length + 4);
    }
    let first = hex(text.get(2..6)).unwrap_or(0xfffd);
    let second = text.get(6..8).filter(|mark| *mark == "\\u").and_then(|_| hex(text.get(8..12)));
    match (first, second) {
        (0xd800..=0xdbff, Some(second @ 0xdc00..=0xdfff)) => {
            let c = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            (char::from_u32(c).unwrap_or('\u{fffd}'), 12)
        }
        _ => (char::from_u32(first).unwrap_or('\u{fffd}'), 6.min(text.len())),
    }
}

/// The value of a block string, by the rules of GraphQL: common indentation gone, empty lines at both ends gone.
fn block(inner: &str) -> TextMap {
    const QUOTES: usize = 3;
    let mut map = TextMap { value: Vec::new(), pieces: Vec::new(), end: QUOTES + inner.len() };
    let lines = split_lines(inner);
    let is_blank = |line: &&(usize, &str)| line.1.chars().all(|c| c == ' ' || c == '\t');
    let indent_of = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let indented = lines.iter().skip(1).filter(|line| !is_blank(line));
    let common = indented.map(|(_, line)| indent_of(line)).min().unwrap_or(0);
    let Some(first) = lines.iter().position(|line| !is_blank(&line)) else { return map };
    let last = lines.iter().rposition(|line| !is_blank(&line)).unwrap_or(first);
    for (at, (start, line)) in lines.iter().enumerate().take(last + 1).skip(first) {
        let indent = if at == 0 { 0 } else { common.min(line.len()) };
        if at > first {
            map.push('\n', QUOTES + start.saturating_sub(1), 1);
        }
        push_block_line(&mut map, &line[indent..], QUOTES + start + indent);
    }
    map
}

fn push_block_line(map: &mut TextMap, line: &str, offset: usize) {
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        if line[at..].starts_with("\\\"\"\"") {
            (0..3).for_each(|quote| map.push('"', offset + at + 1 + quote, 1));
            at += 4;
        } else {
            map.push(c, offset + at, c.len_utf8());
            at += c.len_utf8();
        }
    }
}

/// The lines with their offsets; `\r\n`, `\n` and `\r` end one.
fn split_lines(text: &str) -> Vec<(usize, &str)> {
    let mut lines = Vec::new();
    let mut start = 0;
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'\n' || bytes[at] == b'\r' {
            lines.push((start, &text[start..at]));
            at += usize::from(bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n'));
            start = at + 1;
        }
        at += 1;
    }
    lines.push((start, &text[start..]));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(literal: &str, value: &str, needle: &str) -> String {
        let map = TextMap::new(literal);
        assert_eq!(String::from_utf8_lossy(&map.value), value);
        let at = value.find(needle).unwrap_or(0);
        let (start, end) = map.range(value, at, at + needle.len());
        literal[start..end].to_owned()
    }

    #[test]
    fn plain_strings_map_through_escapes() {
        assert_eq!(found(r#""a == b""#, "a == b", "b"), "b");
        assert_eq!(found(r#""a\n\"é\" x""#, "a\n\"é\" x", "x"), "x");
        assert_eq!(found(r#""\u00e9\u{1F600} x y""#, "é😀 x y", "x y"), "x y");
        assert_eq!(found(r#""\uD83D\uDE00 x""#, "😀 x", "😀"), r"\uD83D\uDE00");
        assert_eq!(found(r#""""#, "", ""), "");
    }

    #[test]
    fn block_strings_map_through_indentation() {
        let literal = "\"\"\"\n      a &&\n        bé\n\n      c \\\"\"\" d\n    \"\"\"";
        let value = "a &&\n  bé\n\nc \"\"\" d";
        assert_eq!(found(literal, value, "bé"), "bé");
        assert_eq!(found(literal, value, "d"), "d");
        assert_eq!(found("\"\"\"x == 'é'\"\"\"", "x == 'é'", "'é'"), "'é'");
        assert_eq!(found("\"\"\"\r\n  x\r\n  y\"\"\"", "x\ny", "y"), "y");
    }
}
