//! JSON as it goes out: straight into bytes.
use crate::json::Json;

/// How each byte is written inside a JSON text: 0 as it is, `u` as `\u00XX`, any other as `\` and itself.
const ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = b'u';
        byte += 1;
    }
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0a] = b'n';
    table[0x0c] = b'f';
    table[0x0d] = b'r';
    table
};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends a text in quotes, escaped as little as JSON allows.
pub fn json_string(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut plain_from = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let escape = ESCAPES[*byte as usize];
        if escape == 0 {
            continue;
        }
        out.extend_from_slice(&bytes[plain_from..at]);
        plain_from = at + 1;
        out.extend_from_slice(&[b'\\', escape]);
        if escape == b'u' {
            out.extend_from_slice(&[b'0', b'0', HEX[(byte >> 4) as usize], HEX[(byte & 15) as usize]]);
        }
    }
    out.extend_from_slice(&bytes[plain_from..]);
    out.push(b'"');
}

/// Appends a whole number.
pub fn json_int(out: &mut Vec<u8>, value: i64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends the shortest number that reads back as the same float; `null` for what JSON has no number for.
pub fn json_float(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
    } else {
        out.extend_from_slice(b"null");
    }
}

impl Json<'_> {
    /// Appends the canonical form: keys sorted by their bytes, no white space.
    pub fn write_canonical(&self, out: &mut Vec<u8>) {
        match self {
            Json::Null => out.extend_from_slice(b"null"),
            Json::Bool(true) => out.extend_from_slice(b"true"),
            Json::Bool(false) => out.extend_from_slice(b"false"),
            Json::Int(value) => json_int(out, *value),
            Json::Float(_) | Json::Rounded(_) => json_float(out, self.as_float().unwrap_or(f64::NAN)),
            Json::Text(text) => json_string(out, text),
            Json::Array(items) => write_joined(out, b'[', b']', items, |out, item| item.write_canonical(out)),
            Json::Object(members) => {
                let mut sorted: Vec<_> = members.iter().collect();
                sorted.sort_by(|a, b| a.0.cmp(&b.0));
                write_joined(out, b'{', b'}', &sorted, |out, (key, value)| {
                    json_string(out, key);
                    out.push(b':');
                    value.write_canonical(out);
                });
            }
        }
    }

    /// The canonical form as a text.
    pub fn to_canonical(&self) -> String {
        let mut out = Vec::new();
        self.write_canonical(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }
}

/// Appends `items` between two brackets, with commas.
pub(crate) fn write_joined<T>(out: &mut Vec<u8>, open: u8, close: u8, items: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    out.push(open);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(close);
}
