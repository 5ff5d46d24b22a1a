//! What the load consists of: requests written anew each time, with random ids and bodies that vary.
use std::{io::Write as _, rc::Rc};

use uuid::Uuid;

use crate::random::Random;

/// Bytes of a body, as in the yardstick's seed.
pub const BODY_BYTES: usize = 108;

/// The kind of a request.
#[derive(Clone)]
pub enum Shape {
    /// One record, of these at random.
    Read(Rc<Vec<Uuid>>),
    /// The same address again and again: a page.
    Get(String),
    /// A new message.
    Create,
    /// Another body for one of these at random.
    Patch(Rc<Vec<Uuid>>),
}

/// Requests of one kind, to one collection, by one caller.
#[derive(Clone)]
pub struct Requests {
    shape: Shape,
    /// From the path of the collection on.
    path: String,
    /// Everything between the request line and the body's own headers.
    headers: String,
}

impl Requests {
    /// Requests of this kind for the collection at `path`, with a bearer token if there is one.
    pub fn new(shape: Shape, path: &str, token: Option<&str>) -> Self {
        let auth = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        Requests { shape, path: path.to_owned(), headers: format!(" HTTP/1.1\r\nhost: 127.0.0.1\r\n{auth}") }
    }

    /// Writes the next request in place of the last.
    pub fn write(&self, random: &mut Random, out: &mut Vec<u8>) {
        out.clear();
        match &self.shape {
            Shape::Read(ids) => self.line(out, "GET ", Some(pick(ids, random))),
            Shape::Get(query) => {
                self.line(out, "GET ", None);
                // The address ends before the first space after the method.
                let end = b"GET ".len() + self.path.len();
                out.splice(end..end, query.bytes());
            }
            Shape::Create => {
                self.line(out, "POST ", None);
                let (room, author) = (random.below(100), random.below(1000));
                let body =
                    format!(r#"{{"room":"room-{room}","author":"author-{author:03}","body":"{}"}}"#, text(random));
                return finish(out, &body);
            }
            Shape::Patch(ids) => {
                self.line(out, "PATCH ", Some(pick(ids, random)));
                let body = format!(r#"{{"body":"{}"}}"#, text(random));
                return finish(out, &body);
            }
        }
        out.extend_from_slice(b"\r\n");
    }

    fn line(&self, out: &mut Vec<u8>, method: &str, id: Option<Uuid>) {
        out.extend_from_slice(method.as_bytes());
        out.extend_from_slice(self.path.as_bytes());
        if let Some(id) = id {
            out.push(b'/');
            out.extend_from_slice(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
        }
        out.extend_from_slice(self.headers.as_bytes());
    }
}

fn pick(ids: &[Uuid], random: &mut Random) -> Uuid {
    ids.get(random.below(ids.len() as u64) as usize).copied().unwrap_or_default()
}

/// As long as the seed's text and different each time.
fn text(random: &mut Random) -> String {
    format!("{:0width$}", random.next_u64(), width = BODY_BYTES)
}

fn finish(out: &mut Vec<u8>, body: &str) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(shape: Shape, token: Option<&str>) -> String {
        let mut out = b"what was there before".to_vec();
        Requests::new(shape, "/api/messages", token).write(&mut Random::new(1), &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn reads_and_pages_have_no_body() {
        let id = Uuid::from_u128(7);
        assert_eq!(
            written(Shape::Read(Rc::new(vec![id])), None),
            format!("GET /api/messages/{id} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        );
        assert_eq!(
            written(Shape::Get("?limit=20".into()), Some("t")),
            "GET /api/messages?limit=20 HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer t\r\n\r\n"
        );
    }

    #[test]
    fn writes_say_how_long_they_are_and_vary() {
        let create = written(Shape::Create, None);
        let (head, body) = create.split_once("\r\n\r\n").expect("a body");
        assert!(head.starts_with("POST /api/messages HTTP/1.1\r\n"));
        assert!(head.contains(&format!("content-length: {}", body.len())));
        let value: serde_json::Value = serde_json::from_str(body).expect("json");
        assert_eq!(value["body"].as_str().map(str::len), Some(BODY_BYTES));

        let requests = Requests::new(Shape::Patch(Rc::new(vec![Uuid::nil()])), "/x", None);
        let (mut random, mut one, mut two) = (Random::new(1), Vec::new(), Vec::new());
        requests.write(&mut random, &mut one);
        requests.write(&mut random, &mut two);
        assert_ne!(one, two);
    }
}
