//! HTTP itself: methods, HEAD, OPTIONS, limits, request ids, connections.
use insta::assert_snapshot;
use mainstay_testing::{Setup, TestApp};
use serde_json::json;

use crate::skills;

const NOTES: &str = r#"type Note @rules(read: "true", create: "true") { text: String! }"#;

#[tokio::test]
async fn paths_that_are_nothing() {
    let app = skills().await;
    assert_snapshot!(app.get("/api/skils").await, @r#"404 {"type":"/docs/errors#unknown_path","title":"no such path","status":404,"code":"unknown_path","detail":"no collection \"skils\"","hint":"did you mean /api/skills?","requestId":"[request]"}"#);
    assert_snapshot!(app.get("/nothing").await.problem(), @r#"404 unknown_path: nothing is served at "/nothing""#);
    assert_snapshot!(app.get("/api").await.problem(), @r#"404 unknown_path: nothing is served at "/api""#);
    assert_snapshot!(app.get("/api/skills/a/b/c").await.problem(), @r#"404 unknown_path: nothing is served at "/api/skills/a/b/c""#);
    assert_snapshot!(app.get("/api/%ff").await.problem(), @"400 invalid_encoding: the path is not percent-encoded UTF-8, or holds U+0000");
}

#[tokio::test]
async fn methods_that_do_not_fit() {
    let app = skills().await;
    let put = app.admin().bytes("PUT", "/api/skills/x", "application/json", b"{}".to_vec()).await;
    assert_snapshot!(put, @r#"405 {"type":"/docs/errors#method_not_allowed","title":"method not allowed","status":405,"code":"method_not_allowed","detail":"PUT is not allowed here","hint":"PATCH changes a record: send the fields that change","requestId":"[request]"}"#);
    assert_eq!(put.header("allow"), "DELETE, GET, HEAD, OPTIONS, PATCH");
    let all = app.admin().bytes("PUT", "/api/skills?filter=true", "application/json", b"{}".to_vec()).await;
    assert_snapshot!(all.problem(), @"405 method_not_allowed: PUT is not allowed here");
    assert_eq!(all.header("allow"), "DELETE, GET, HEAD, OPTIONS, PATCH, POST");
    for (method, path) in [
        ("TRACE", "/api/skills"),
        ("FOO", "/api/skills"),
        ("POST", "/openapi.json"),
        ("DELETE", "/healthz"),
        ("POST", "/"),
        ("POST", "/api/skills/x"),
    ] {
        let reply = app.admin().bytes(method, path, "text/plain", Vec::new()).await;
        assert_eq!((reply.status, reply.code()), (405, "method_not_allowed".into()), "{method} {path}");
        assert!(!reply.header("allow").is_empty());
    }
}

#[tokio::test]
async fn options_list_the_methods() {
    let app = skills().await;
    for (path, allow) in [
        ("/api/skills", "DELETE, GET, HEAD, OPTIONS, PATCH, POST"),
        ("/api/skills/x", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("/docs", "GET, HEAD, OPTIONS"),
    ] {
        let reply = app.anonymous().bytes("OPTIONS", path, "text/plain", Vec::new()).await;
        assert_eq!((reply.status, reply.header("allow"), reply.text.as_str()), (204, allow, ""), "{path}");
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let app = skills().await;
    for path in [
        "/api/skills",
        "/api/skills?group=published",
        "/api/skills/by/slug/rust",
        "/api/skills/x",
        "/openapi.json",
        "/docs",
        "/docs/errors",
        "/docs/page.css",
        "/docs/page.js",
        "/healthz",
        "/readyz",
    ] {
        let get = app.get(path).await;
        let head = app.anonymous().bytes("HEAD", path, "text/plain", Vec::new()).await;
        assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{path}");
        for name in ["etag", "content-type", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
        if path != "/api/skills/x" {
            assert_eq!(head.header("content-length"), get.text.len().to_string(), "{path}");
        }
    }
}

#[tokio::test]
async fn a_body_is_bounded() {
    let app = Setup::new(NOTES).http(|http| http.body_bytes_max = 1_000).start().await;
    let post = async |length: usize| app.anonymous().post("/api/notes", json!({"text": "x".repeat(length)})).await;
    assert_eq!(post(900).await.status, 201);
    let large = post(1_000).await;
    assert_snapshot!(large.problem(), @"413 body_too_large: the body is larger than 1000 bytes");
    assert_eq!(post(1_500_000).await.status, 413);
    let chunked = format!(
        "POST /api/notes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{}0\r\n\r\n",
        format!("100\r\n{}\r\n", "x".repeat(256)).repeat(6)
    );
    assert!(app.raw(chunked.as_bytes()).await.starts_with("HTTP/1.1 413 "));
    // Who asks before sending is told so before it sends.
    let asks = "POST /api/notes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\n\
        content-length: 2000\r\n\r\n";
    assert!(app.raw(asks.as_bytes()).await.starts_with("HTTP/1.1 413 "));
}

#[tokio::test]
async fn a_body_must_come_in_time() {
    let app = Setup::new(NOTES).http(|http| http.body_timeout = std::time::Duration::from_millis(50)).start().await;
    let reply = app
        .raw(b"POST /api/notes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{")
        .await;
    assert!(reply.starts_with("HTTP/1.1 408 "), "{reply}");
    assert!(reply.contains("\"code\":\"body_timeout\""), "{reply}");
}

#[tokio::test]
async fn headers_are_bounded_and_must_come_in_time() {
    let app = Setup::new(NOTES).http(|http| http.header_bytes_max = 4_096).start().await;
    let large = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "x".repeat(5_000));
    let answer = app.raw(large.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer:?}");
    let many = format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(101));
    assert!(app.raw(many.as_bytes()).await.starts_with("HTTP/1.1 431 "));
    let good = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{}\r\n", "a: b\r\n".repeat(90));
    assert!(app.raw(good.as_bytes()).await.starts_with("HTTP/1.1 200 "));
    let app = Setup::new(NOTES).http(|http| http.header_timeout = std::time::Duration::from_millis(50)).start().await;
    // A client that never finishes its headers, and one that never begins: both are closed.
    assert_eq!(app.raw(b"GET /healthz HTTP/1.1\r\nhost").await, "");
    assert_eq!(app.raw(b"").await, "");
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let app = TestApp::with_schema(NOTES).await;
    for garbage in [
        &b"\x16\x03\x01\x00"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST /api/notes HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
    ] {
        let reply = app.raw(garbage).await;
        assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 400 "), "{reply}");
    }
    assert_eq!(app.get("/healthz").await.status, 200);
}

/// What docs/api.md says of signs in an address: these are refused where HTTP is read, before there is a request.
#[tokio::test]
async fn signs_that_no_address_takes() {
    let app = TestApp::with_schema(NOTES).await;
    let ask = async |value: &str| {
        let request = format!("GET /api/notes?filter=id=={value} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        app.raw(request.as_bytes()).await
    };
    for sign in ["\"", "<", ">", " "] {
        let reply = ask(&format!("'a{sign}'")).await;
        assert!(reply.starts_with("HTTP/1.1 400 ") && reply.ends_with("\r\n\r\n"), "{sign:?}: {reply}");
    }
    let id = "01890000-0000-7000-8000-000000000000";
    for text in [format!("'{id}'"), format!("%22{id}%22"), format!("'{id}'#x")] {
        assert!(ask(&text).await.starts_with("HTTP/1.1 200 "), "{text}");
    }
}

#[tokio::test]
async fn a_host_is_named_once() {
    let app = TestApp::with_schema(NOTES).await;
    for (headers, expected) in [
        ("host: x\r\n", "HTTP/1.1 200 "),
        ("host:\r\n", "HTTP/1.1 200 "),
        ("", "HTTP/1.1 400 "),
        ("host: x\r\nhost: x\r\n", "HTTP/1.1 400 "),
    ] {
        let reply = app.raw(format!("GET /api/notes HTTP/1.1\r\nconnection: close\r\n{headers}\r\n").as_bytes()).await;
        assert!(reply.starts_with(expected), "{headers:?}: {reply}");
        assert!(expected != "HTTP/1.1 400 " || reply.contains("\"code\":\"invalid_header\""), "{reply}");
        assert!(reply.contains("connection: close\r\n"), "{reply}");
    }
    let old = app.raw(b"GET /api/notes HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 200 "), "{old}");
}

/// RFC 9112, 3.2.2: of a target in absolute form the header is not looked at.
#[tokio::test]
async fn a_target_in_absolute_form_names_the_host() {
    let app = TestApp::with_schema(
        r#"type Visit @rules(read: "true", create: "true") { host: String! @set(create: "request.host") }"#,
    )
    .await;
    for (target, header, expected) in [
        ("/api/visits", "header.test:81", "header.test:81"),
        ("http://target.test/api/visits", "header.test", "target.test"),
        ("http://anna@target.test:82/api/visits", "header.test", "target.test:82"),
    ] {
        let request = format!(
            "POST {target} HTTP/1.1\r\nhost: {header}\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: 2\r\n\r\n{{}}"
        );
        let reply = app.raw(request.as_bytes()).await;
        assert!(reply.contains(&format!("\"host\":\"{expected}\"")), "{target}: {reply}");
    }
}

#[tokio::test]
async fn a_slash_at_the_end_is_no_record() {
    let app = skills().await;
    for path in ["/api/skills/", "/api/", "/api/skills/by/slug/", "/api/skills/x/"] {
        for method in ["GET", "PATCH", "DELETE"] {
            let reply = app.admin().bytes(method, path, "application/json", b"{}".to_vec()).await;
            assert_eq!((reply.status, reply.code()), (404, "unknown_path".into()), "{method} {path}");
            assert!(reply.json()["hint"].as_str().is_some_and(|hint| hint.contains("slash")), "{}", reply.text);
        }
    }
}

#[tokio::test]
async fn a_request_has_an_id() {
    let app = TestApp::with_schema(NOTES).await;
    let (first, second) = (app.get("/healthz").await, app.get("/nothing").await);
    let ids = (first.header("x-request-id").to_owned(), second.header("x-request-id").to_owned());
    assert!(!ids.0.is_empty() && ids.0 != ids.1, "{ids:?}");
    assert_eq!(second.json()["requestId"], ids.1.as_str());
    let sent = app.anonymous().header("x-request-id", "client-1.a_B").get("/nothing").await;
    assert_eq!((sent.header("x-request-id"), &sent.json()["requestId"]), ("client-1.a_B", &json!("client-1.a_B")));
    for insane in ["a b", "a\"b", "", &"x".repeat(65)] {
        let reply = app.anonymous().header("x-request-id", insane).get("/healthz").await;
        assert_ne!(reply.header("x-request-id"), insane);
    }
}

#[tokio::test]
async fn connections_are_kept_and_pipelined_requests_answered_in_order() {
    let app = TestApp::with_schema(NOTES).await;
    let two = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let reply = app.raw(two).await;
    let (ok, not_found) = (reply.find("HTTP/1.1 200 "), reply.find("HTTP/1.1 404 "));
    assert!(ok.is_some() && ok < not_found, "{reply}");
    let old = app.raw(b"GET /healthz HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 200 "), "{old}");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait() {
    let app = Setup::new(NOTES).http(|http| http.connections_max = 1).start().await;
    use std::io::{Read as _, Write as _};
    let address = app.address();
    let exchange = move || {
        let open = std::net::TcpStream::connect(address).expect("a connection");
        let mut first = &open;
        first.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").expect("sent");
        let mut some = [0; 12];
        first.read_exact(&mut some).expect("answered");
        let mut second = std::net::TcpStream::connect(address).expect("queued by the system");
        second.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("sent");
        second.set_read_timeout(Some(std::time::Duration::from_millis(100))).expect("a timeout");
        assert!(second.read(&mut some).is_err(), "it waits");
        second.set_read_timeout(None).expect("no timeout");
        drop(open);
        second.read_exact(&mut some).expect("answered once there is room");
        some
    };
    let answered = tokio::task::spawn_blocking(exchange).await.expect("the exchange");
    assert_eq!(&answered, b"HTTP/1.1 200");
}

#[tokio::test]
async fn a_stop_lets_running_requests_finish() {
    let mut app = Setup::new(NOTES).http(|http| http.drain_timeout = std::time::Duration::from_secs(5)).start().await;
    use std::io::{Read as _, Write as _};
    let address = app.address();
    let (begun, wait_begun) = std::sync::mpsc::channel();
    let (stopping, wait_stopping) = std::sync::mpsc::channel::<()>();
    let exchange = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(address).expect("a connection");
        stream.write_all(b"POST /api/notes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 12\r\nexpect: 100-continue\r\n\r\n").expect("sent");
        let mut interim = [0; 25];
        stream.read_exact(&mut interim).expect("asked to go on");
        begun.send(()).expect("told");
        wait_stopping.recv().expect("told");
        stream.write_all(b"{\"text\":\"x\"}").expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered and closed");
        answer
    });
    tokio::task::spawn_blocking(move || wait_begun.recv()).await.expect("joined").expect("begun");
    app.begin_stop();
    let stopped = tokio::spawn(app.stop());
    stopping.send(()).expect("told");
    let answer = exchange.await.expect("the exchange");
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!(stopped.await.expect("joined"), 0, "no connection was cut off");
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let app = Setup::new(NOTES).http(|http| http.drain_timeout = std::time::Duration::from_millis(50)).start().await;
    let address = app.address();
    let stalled = tokio::task::spawn_blocking(move || {
        use std::io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect(address).expect("a connection");
        stream.write_all(b"POST /api/notes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 12\r\nexpect: 100-continue\r\n\r\n").expect("sent");
        let mut interim = [0; 25];
        stream.read_exact(&mut interim).expect("asked to go on");
        stream
    });
    let stream = stalled.await.expect("a stalled request");
    assert_eq!(app.stop().await, 1);
    drop(stream);
}

#[tokio::test]
async fn an_answer_reaches_a_client_that_still_sends() {
    let app = TestApp::with_schema(NOTES).await;
    let long = format!("GET /api/notes?filter={} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(500_000));
    let answer = app.raw(long.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 414 ") || answer.starts_with("HTTP/1.1 431 "), "{answer:?}");
}

#[tokio::test]
async fn a_body_that_nobody_wanted_does_not_cost_the_connection() {
    use std::io::{Read as _, Write as _};
    let app = TestApp::with_schema(NOTES).await;
    let mut stream = std::net::TcpStream::connect(app.address()).expect("a connection");
    stream.write_all(b"POST /nothing HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n").expect("sent");
    // Once another request is answered, the server has seen this one without its body.
    assert_eq!(app.get("/healthz").await.status, 200);
    stream.write_all(b"{}GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("sent");
    let read = move || {
        let mut answers = String::new();
        stream.read_to_string(&mut answers).map(|_| answers)
    };
    let answers = tokio::task::spawn_blocking(read).await.expect("the exchange").expect("the answers");
    assert!(answers.starts_with("HTTP/1.1 405 ") && answers.contains("HTTP/1.1 200 "), "{answers}");
    // What is too large to be read for nothing ends the connection, and the answer says so.
    for rest in ["content-length: 1000000", "content-length: 2\r\nexpect: 100-continue"] {
        let answer = app.raw(format!("POST /nothing HTTP/1.1\r\nhost: x\r\n{rest}\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 405 ") && answer.contains("connection: close"), "{answer}");
    }
}
