//! One keep-alive HTTP/1.1 connection that knows as much of the protocol as a load generator needs.
//!
//! Answers must carry `Content-Length` (or have no body): anything else is an error, never a wrong figure.
use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Poll, ready},
};

use tokio::{
    io::{AsyncRead as _, AsyncWrite as _, ReadBuf},
    net::TcpStream,
};

const BUFFER_BYTES: usize = 64 * 1024;
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A connection to a server, with the buffer that answers are read into.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer; its body stays readable until the next request.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The status.
    pub status: u16,
    /// The bytes of the body.
    pub body: &'a [u8],
}

/// What the first lines of an answer say.
#[derive(Debug, PartialEq)]
struct Head {
    status: u16,
    /// Where the body begins.
    start: usize,
    body: usize,
}

impl Connection {
    /// Connects, without Nagle's delay.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: vec![0; BUFFER_BYTES] })
    }

    /// Sends a whole request and waits for the whole answer; a connection that breaks before its end is an error.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.send(request).await?;
        let mut filled = 0;
        let head = loop {
            filled += self.receive(filled).await?;
            if let Some(head) = parse_head(&self.buffer[..filled])? {
                break head;
            }
        };
        let end = head.start + head.body;
        while filled < end {
            filled += self.receive(filled).await?;
        }
        if filled > end {
            return Err(invalid("the answer is longer than its content-length"));
        }
        Ok(Answer { status: head.status, body: &self.buffer[head.start..end] })
    }

    async fn send(&mut self, request: &[u8]) -> io::Result<()> {
        let mut sent = 0;
        while sent < request.len() {
            sent += poll_fn(|cx| Pin::new(&mut self.stream).poll_write(cx, &request[sent..])).await?;
        }
        Ok(())
    }

    async fn receive(&mut self, filled: usize) -> io::Result<usize> {
        if filled == self.buffer.len() {
            if filled >= ANSWER_BYTES_MAX {
                return Err(invalid("the answer is too long"));
            }
            self.buffer.resize(filled * 2, 0);
        }
        let (stream, buffer) = (&mut self.stream, &mut self.buffer);
        let count = poll_fn(|cx| {
            let mut space = ReadBuf::new(&mut buffer[filled..]);
            ready!(Pin::new(&mut *stream).poll_read(cx, &mut space))?;
            Poll::Ready(Ok::<usize, io::Error>(space.filled().len()))
        })
        .await?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended within an answer"));
        }
        Ok(count)
    }
}

/// The text of a request, for those that are not written a million times.
pub fn request(method: &str, path: &str, token: Option<&str>, body: &str) -> String {
    let auth = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let kind = if body.is_empty() { "" } else { "content-type: application/json\r\n" };
    let length = if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{auth}{kind}{length}\r\n{body}")
}

/// A text as part of an address.
pub fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// None while the head is not whole.
fn parse_head(bytes: &[u8]) -> io::Result<Option<Head>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let status = match bytes {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', _, b' ', digits @ ..] if digits.len() > 2 => number(&digits[..3])?,
        _ => return Err(invalid("this is not an HTTP/1.1 answer")),
    };
    let mut length = None;
    for line in bytes[..end].split(|byte| *byte == b'\n').skip(1) {
        // The first letter spares the comparison on most lines.
        match line.first() {
            Some(b'c' | b'C') => length = header(line, b"content-length").map(number).transpose()?.or(length),
            Some(b't' | b'T') if header(line, b"transfer-encoding").is_some() => {
                return Err(invalid("the answer has a transfer-encoding, no content-length"));
            }
            _ => {}
        }
    }
    let body = match length {
        Some(length) => length,
        None if status == 204 || status == 304 => 0,
        None => return Err(invalid("the answer has no content-length")),
    };
    Ok(Some(Head { status: status as u16, start: end + 4, body }))
}

fn header<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = line.split_at_checked(name.len())?;
    let value = rest.strip_prefix(b":")?;
    start.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

fn number(digits: &[u8]) -> io::Result<usize> {
    std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()).ok_or_else(|| invalid("this is no number"))
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Option<(u16, usize, usize)>, String> {
        let head = parse_head(text.as_bytes()).map_err(|error| error.to_string())?;
        Ok(head.map(|head| (head.status, head.start, head.body)))
    }

    #[test]
    fn heads_are_read_whole_or_not_at_all() {
        assert_eq!(parsed("HTTP/1.1 200 OK\r\ncontent-le"), Ok(None));
        assert_eq!(parsed("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"), Ok(Some((200, 39, 12))));
        assert_eq!(parsed("HTTP/1.1 204 No Content\r\ncache: x\r\n\r\n"), Ok(Some((204, 37, 0))));
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        for text in [
            "SSH-2.0-x\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ndate: today\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
            "HTTP/1.1 2\r\n\r\n",
        ] {
            assert!(parsed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn requests_and_addresses_are_written() {
        let text = request("POST", "/x", Some("t"), "{}");
        assert!(text.starts_with("POST /x HTTP/1.1\r\n") && text.ends_with("content-length: 2\r\n\r\n{}"), "{text}");
        assert!(text.contains("authorization: Bearer t\r\n"));
        assert_eq!(percent_encode("run == 7"), "run%20%3D%3D%207");
    }
}
