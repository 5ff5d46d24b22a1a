//! Static files: `public/` at `/`.
use std::{fs, path::Path};

use mainstay_testing::{Setup, TestApp};

async fn served(fill: impl FnOnce(&Path)) -> (TestApp, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let public = folder.path().join("public");
    fs::create_dir(&public).expect("the public folder");
    fs::write(folder.path().join("secret.txt"), "secret").expect("a file beside it");
    fill(&public);
    let app = Setup::new("type Note { text: String! }").http(|http| http.public = Some(public)).start().await;
    (app, folder)
}

#[tokio::test]
async fn nothing_outside_of_the_folder_is_served() {
    let (app, _folder) = served(|public| {
        fs::write(public.join(".hidden"), "hidden").expect("a hidden file");
        std::os::unix::fs::symlink(public.join("../secret.txt"), public.join("link.txt")).expect("a link");
    })
    .await;
    for path in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/link.txt",
        "/.hidden",
        "//secret.txt",
        "/%00",
        "/nothing",
        "/",
    ] {
        let raw = app.raw(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await;
        assert!(raw.starts_with("HTTP/1.1 404 ") || raw.starts_with("HTTP/1.1 400 "), "{path}: {raw}");
    }
}

#[tokio::test]
async fn files_come_with_their_type_and_tag() {
    let (app, _folder) = served(|public| {
        fs::write(public.join("index.html"), "<h1>home</h1>").expect("a page");
        fs::create_dir(public.join("sub folder")).expect("a folder");
        fs::write(public.join("sub folder/index.html"), "sub").expect("a page");
        fs::write(public.join("app.js"), "1").expect("a script");
        fs::write(public.join("empty.txt"), "").expect("an empty file");
    })
    .await;
    let home = app.get("/").await;
    assert_eq!(
        (home.status, home.text.as_str(), home.header("content-type")),
        (200, "<h1>home</h1>", "text/html; charset=utf-8")
    );
    assert_eq!(app.anonymous().header("if-none-match", home.header("etag")).get("/").await.status, 304);
    assert_eq!(app.get("/app.js").await.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!((app.get("/empty.txt").await.status, app.get("/empty.txt").await.text), (200, String::new()));
    assert_eq!(app.get("/sub%20folder/").await.text, "sub");
    let raw = app.raw(b"GET /sub%20folder HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(raw.starts_with("HTTP/1.1 308 ") && raw.contains("location: /sub%20folder/"), "{raw}");
    assert_eq!(app.get("/app.js/").await.status, 404);
    // The API and the pages of the server come first.
    assert_eq!(app.get("/healthz").await.text, "ok\n");
}

#[tokio::test]
async fn a_large_file_comes_whole() {
    let content: Vec<u8> = (0..1_000_003_u32).map(|at| b'a' + (at % 26) as u8).collect();
    let large = content.clone();
    let (app, _folder) = served(move |public| fs::write(public.join("large.txt"), large).expect("a large file")).await;
    let reply = app.get("/large.txt").await;
    assert_eq!((reply.status, reply.header("content-length")), (200, "1000003"));
    assert!(reply.text.as_bytes() == content);
    let head = app.anonymous().bytes("HEAD", "/large.txt", "text/plain", Vec::new()).await;
    assert_eq!((head.status, head.header("content-length"), head.text.as_str()), (200, "1000003", ""));
}
