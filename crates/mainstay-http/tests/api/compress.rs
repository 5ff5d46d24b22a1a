//! Answers as gzip, and bodies of requests that come so.
use std::io::{Read as _, Write as _};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use mainstay_testing::{Setup, TestApp};
use serde_json::json;

const NOTES: &str = r#"type Note @rules(read: "true", write: "true") { text: String! }"#;

/// An answer as it comes over the connection.
struct Raw {
    head: String,
    body: Vec<u8>,
}

impl Raw {
    fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).next().unwrap_or_default()
    }

    fn inflated(&self) -> String {
        let mut text = String::new();
        GzDecoder::new(&*self.body).read_to_string(&mut text).expect("gzip");
        text
    }
}

async fn raw(app: &TestApp, first_line: &str, headers: &str, body: &[u8]) -> Raw {
    let mut request = format!("{first_line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n").into_bytes();
    request.extend_from_slice(body);
    let address = app.address();
    let exchange = move || {
        let mut stream = std::net::TcpStream::connect(address).expect("a connection");
        stream.write_all(&request).expect("the request goes out");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    };
    let answer = tokio::task::spawn_blocking(exchange).await.expect("the exchange");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("an end of the headers");
    Raw { head: String::from_utf8_lossy(&answer[..end]).into_owned(), body: answer[end + 4..].to_vec() }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

async fn send(app: &TestApp, encoding: &str, body: &[u8]) -> Raw {
    let headers =
        format!("content-type: application/json\r\ncontent-encoding: {encoding}\r\ncontent-length: {}\r\n", body.len());
    raw(app, "POST /api/notes", &headers, body).await
}

#[tokio::test]
async fn large_answers_are_compressed_for_those_who_ask() {
    let app = TestApp::with_schema(NOTES).await;
    let ids = app.seed("notes", [json!({"text": "x".repeat(2_000)}), json!({"text": "small"})]).await;
    let (large, small) = (format!("GET /api/notes/{}", ids[0]), format!("GET /api/notes/{}", ids[1]));
    let plain = raw(&app, &large, "", b"").await;
    assert_eq!((plain.header("content-encoding"), plain.header("etag")), ("", "\"1\""));
    assert_eq!(plain.header("vary"), "authorization, accept-encoding");
    let text = String::from_utf8(plain.body).expect("a text");
    for accept in ["gzip", "br;q=1.0, gzip;q=0.8, *;q=0.1", "*", "identity;q=0, gzip"] {
        let zipped = raw(&app, &large, &format!("accept-encoding: {accept}\r\n"), b"").await;
        assert_eq!((zipped.header("content-encoding"), zipped.header("etag")), ("gzip", "\"1-gzip\""), "{accept}");
        assert_eq!(zipped.header("vary"), "authorization, accept-encoding", "{accept}");
        assert_eq!(zipped.header("content-length"), zipped.body.len().to_string(), "{accept}");
        assert!(zipped.body.len() < 300, "{accept}");
        assert_eq!(zipped.inflated(), text, "{accept}");
        let head = raw(&app, &large.replace("GET", "HEAD"), &format!("accept-encoding: {accept}\r\n"), b"").await;
        assert_eq!(head.body, b"", "{accept}");
        for name in ["content-encoding", "content-length", "etag", "vary"] {
            assert_eq!(head.header(name), zipped.header(name), "{accept} {name}");
        }
    }
    for accept in ["br", "gzip;q=0", "identity", "gzip;q=0.5, identity;q=1", "gzip;q=3", "*;q=0"] {
        let plain = raw(&app, &large, &format!("accept-encoding: {accept}\r\n"), b"").await;
        assert_eq!((plain.header("content-encoding"), plain.header("etag")), ("", "\"1\""), "{accept}");
    }
    let plain = raw(&app, &small, "accept-encoding: gzip\r\n", b"").await;
    assert_eq!((plain.header("content-encoding"), plain.header("etag")), ("", "\"1\""));
    // Small as it is: the plain form is not taken.
    let zipped = raw(&app, &small, "accept-encoding: gzip, identity;q=0\r\n", b"").await;
    assert_eq!(zipped.header("content-encoding"), "gzip");
    assert!(zipped.inflated().contains("small"));
}

#[tokio::test]
async fn conditions_know_both_forms() {
    let app = TestApp::with_schema(NOTES).await;
    let id = app.seed("notes", [json!({"text": "x".repeat(2_000)})]).await.remove(0);
    let one = format!("GET /api/notes/{id}");
    let status = |raw: &Raw| raw.head.get(9..12).unwrap_or_default().to_owned();
    for (sent, accept, expected, tag) in [
        ("\"1-gzip\"", "gzip", "304", "\"1-gzip\""),
        ("\"1-gzip\"", "br", "200", "\"1\""),
        ("\"1\"", "gzip", "304", "\"1\""),
        ("\"1\", \"1-gzip\"", "br", "304", "\"1\""),
        ("\"2-gzip\"", "gzip", "200", "\"1-gzip\""),
        ("*", "gzip", "304", "\"1\""),
    ] {
        let headers = format!("if-none-match: {sent}\r\naccept-encoding: {accept}\r\n");
        let answer = raw(&app, &one, &headers, b"").await;
        assert_eq!((status(&answer).as_str(), answer.header("etag")), (expected, tag), "{sent} {accept}");
    }
    // What came compressed may be changed by its tag.
    let path = format!("/api/notes/{id}");
    let changed = app.anonymous().header("if-match", "\"1-gzip\"").patch(&path, json!({"text": "y"})).await;
    assert_eq!((changed.status, changed.header("etag")), (200, "\"2\""), "{}", changed.text);
    let late = app.anonymous().header("if-match", "\"1-gzip\"").patch(&path, json!({"text": "z"})).await;
    assert_eq!(late.code(), "version_mismatch");
    // A page has one weak tag in all its forms.
    app.seed("notes", (0..50).map(|_| json!({"text": "page"}))).await;
    let zipped = raw(&app, "GET /api/notes", "accept-encoding: gzip\r\n", b"").await;
    assert_eq!(zipped.header("content-encoding"), "gzip");
    assert_eq!(zipped.header("etag"), raw(&app, "GET /api/notes", "", b"").await.header("etag"));
    let headers = format!("accept-encoding: gzip\r\nif-none-match: {}\r\n", zipped.header("etag"));
    assert_eq!(status(&raw(&app, "GET /api/notes", &headers, b"").await), "304");
}

#[tokio::test]
async fn a_megabyte_comes_back_whole_and_the_limit_is_a_setting() {
    let app = Setup::new(NOTES).http(|http| http.compress_bytes_min = 0).start().await;
    app.seed("notes", (0..1_000).map(|at| json!({"text": format!("{at} ").repeat(200)}))).await;
    let never = raw(&app, "GET /api/notes?limit=1000", "accept-encoding: gzip, identity;q=0\r\n", b"").await;
    assert_eq!(never.header("content-encoding"), "");
    let app = Setup::new(NOTES).http(|http| http.compress_bytes_min = 100).start().await;
    app.seed("notes", (0..1_000).map(|at| json!({"text": format!("{at} ").repeat(200)}))).await;
    let zipped = raw(&app, "GET /api/notes?limit=1000&fields=text", "accept-encoding: gzip\r\n", b"").await;
    let plain = raw(&app, "GET /api/notes?limit=1000&fields=text", "", b"").await;
    assert_eq!(zipped.inflated().as_bytes(), plain.body);
    assert!(zipped.body.len() * 10 < plain.body.len());
}

#[tokio::test]
async fn problems_are_never_compressed() {
    let app = Setup::new(NOTES).http(|http| http.compress_bytes_min = 1).start().await;
    let refused = raw(&app, "GET /api/notes?filter=nothing", "accept-encoding: gzip, identity;q=0\r\n", b"").await;
    assert_eq!(refused.header("content-encoding"), "");
    assert!(refused.head.starts_with("HTTP/1.1 400"), "{}", refused.head);
}

#[tokio::test]
async fn bodies_of_requests_may_be_compressed() {
    let app = TestApp::with_schema(NOTES).await;
    for encoding in ["gzip", "x-gzip", "GZIP"] {
        let created = send(&app, encoding, &gzip(br#"{"text": "zipped"}"#)).await;
        assert!(created.head.starts_with("HTTP/1.1 201"), "{}", created.head);
    }
    // Two members of gzip are one text.
    let two = [gzip(br#"{"text": "#), gzip(br#""two"}"#)].concat();
    assert!(send(&app, "gzip", &two).await.head.starts_with("HTTP/1.1 201"));
    assert_eq!(app.get("/api/notes").await.column("text"), ["zipped", "zipped", "zipped", "two"]);
    for encoding in ["br", "gzip, gzip", "deflate", ""] {
        let refused = send(&app, encoding, &gzip(br#"{"text": "x"}"#)).await;
        assert!(refused.head.starts_with("HTTP/1.1 415"), "{encoding}: {}", refused.head);
        assert_eq!(refused.header("accept-encoding"), "gzip", "{encoding}");
    }
    let mut broken = gzip(br#"{"text": "x"}"#);
    broken.truncate(20);
    for wrong in [&broken[..], b"{\"text\": \"x\"}", b"\x1f\x8b", b""] {
        let refused = send(&app, "gzip", wrong).await;
        let text = String::from_utf8_lossy(&refused.body).into_owned();
        assert!(refused.head.starts_with("HTTP/1.1 400") && text.contains("invalid_body"), "{text}");
    }
    assert_eq!(app.get("/api/notes").await.items().len(), 4);
}

#[tokio::test]
async fn what_would_become_too_large_is_refused_before_it_has() {
    let app = Setup::new(NOTES).http(|http| http.body_bytes_max = 2 * 1024 * 1024).start().await;
    // A gigabyte of zeros in a megabyte: 64 members of 16 MiB.
    let bomb = gzip(&vec![0; 16 * 1024 * 1024]).repeat(64);
    assert!(bomb.len() < 1_100_000, "{}", bomb.len());
    let refused = send(&app, "gzip", &bomb).await;
    assert!(refused.head.starts_with("HTTP/1.1 413"), "{}", refused.head);
    let mut fits = r#"{"text": "x"}"#.to_owned();
    fits += &" ".repeat(2 * 1024 * 1024 - fits.len());
    assert_eq!(fits.len(), 2 * 1024 * 1024);
    let taken = send(&app, "gzip", &gzip(fits.as_bytes())).await;
    assert!(taken.head.starts_with("HTTP/1.1 201"), "{} {}", taken.head, String::from_utf8_lossy(&taken.body[..200]));
    let over = fits + " ";
    assert!(send(&app, "gzip", &gzip(over.as_bytes())).await.head.starts_with("HTTP/1.1 413"));
}
