//! Static files: what lies in `public/`, and nothing else.
use std::{
    fs::{File, Metadata},
    io::Read as _,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header, request::Parts};
use tokio::sync::mpsc;

use crate::{
    app::App,
    body::Body,
    etag,
    params::decode_path,
    problem::{Code, Outcome, Problem},
    reply::{self, NO_CACHE, Response},
};

/// A file goes out in pieces of so many bytes; one that is no larger goes out whole.
const PIECE_BYTES: usize = 64 * 1024;

/// Pieces that are read ahead of the client.
const PIECES_AHEAD: usize = 2;

/// What a path names.
enum Found {
    File(Opened),
    /// A folder with an `index.html`, named without the slash that its own links need.
    Folder,
}

struct Opened {
    file: File,
    length: u64,
    tag: String,
    content_type: &'static str,
}

/// Answers with a file of the public folder.
pub(crate) async fn answer(app: &App, parts: &Parts) -> Outcome<Response> {
    let path = parts.uri.path();
    let not_found = || Problem::new(Code::UnknownPath, format!("nothing is served at {path:?}"));
    let Some(root) = app.settings().public.clone() else { return Err(not_found()) };
    let relative = safe_path(path)?.ok_or_else(not_found)?;
    let as_folder = path.ends_with('/');
    let found = tokio::task::spawn_blocking(move || find(&root, &relative, as_folder)).await;
    match found.map_err(|error| unreadable(&error))?.map_err(|error| unreadable(&error))? {
        None => Err(not_found()),
        Some(Found::Folder) => Ok(moved(path)),
        Some(Found::File(opened)) => send(parts, opened).await,
    }
}

fn unreadable(error: &dyn std::error::Error) -> Box<Problem> {
    let mut problem = Problem::new(Code::Internal, "");
    problem.cause = Some(format!("a public file cannot be read: {error}"));
    problem
}

/// The path inside of the folder; `None` when a segment could lead elsewhere or is hidden.
fn safe_path(path: &str) -> Outcome<Option<PathBuf>> {
    let mut relative = PathBuf::new();
    let Some(path) = path.strip_prefix('/') else { return Ok(None) };
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Ok(Some(relative));
    }
    for segment in path.split('/') {
        let segment = decode_path(segment, "the path")?;
        let plain = !segment.is_empty() && !segment.starts_with('.') && !segment.contains(['/', '\\', ':']);
        if !plain {
            return Ok(None);
        }
        relative.push(&*segment);
    }
    Ok(Some(relative))
}

/// Looks the file up; what is not there is no error.
fn find(root: &Path, relative: &Path, as_folder: bool) -> std::io::Result<Option<Found>> {
    match open(root, relative, as_folder) {
        Err(error) if is_absence(error.kind()) => Ok(None),
        other => other,
    }
}

/// A link that leads out of the folder is not followed.
fn open(root: &Path, relative: &Path, as_folder: bool) -> std::io::Result<Option<Found>> {
    let root = root.canonicalize()?;
    let mut path = root.join(relative).canonicalize()?;
    let is_folder = path.is_dir();
    if is_folder != as_folder {
        return Ok((is_folder && path.join("index.html").is_file()).then_some(Found::Folder));
    }
    if is_folder {
        path = path.join("index.html").canonicalize()?;
    }
    if !path.starts_with(&root) {
        return Ok(None);
    }
    let file = File::open(&path)?;
    let metadata = file.metadata()?;
    let opened = Opened { file, length: metadata.len(), tag: tag(&metadata), content_type: content_type(&path) };
    Ok(metadata.is_file().then_some(Found::File(opened)))
}

fn is_absence(kind: std::io::ErrorKind) -> bool {
    use std::io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound};
    matches!(kind, NotFound | NotADirectory | InvalidFilename | InvalidInput)
}

fn tag(metadata: &Metadata) -> String {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    format!("\"{:x}-{:x}\"", metadata.len(), modified.unwrap_or_default().as_nanos())
}

fn moved(path: &str) -> Response {
    let mut response = reply::empty(StatusCode::PERMANENT_REDIRECT);
    if let Ok(location) = HeaderValue::try_from(format!("{path}/")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

async fn send(parts: &Parts, opened: Opened) -> Outcome<Response> {
    let tag = HeaderValue::try_from(opened.tag.as_str()).unwrap_or_else(|_| HeaderValue::from_static("\"\""));
    let content_type = opened.content_type;
    let held = etag::none_match(&parts.headers, &tag);
    let mut response = if held.is_some() {
        reply::empty(StatusCode::NOT_MODIFIED)
    } else {
        reply::with_body(StatusCode::OK, file_body(opened).await?)
    };
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    out.insert(header::ETAG, held.unwrap_or(tag));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    out.insert(header::CACHE_CONTROL, NO_CACHE);
    out.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

async fn file_body(opened: Opened) -> Outcome<Body> {
    let Opened { mut file, length, .. } = opened;
    if length <= PIECE_BYTES as u64 {
        let whole = tokio::task::spawn_blocking(move || read_piece(&mut file, length as usize)).await;
        let whole = whole.map_err(|error| unreadable(&error))?.map_err(|error| unreadable(&error))?;
        return Ok(Body::Ready(whole));
    }
    let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
    tokio::spawn(send_pieces(file, length, sender));
    Ok(Body::Stream { pieces, left: length })
}

/// Reads pieces as fast as the client takes them; a slow client holds no thread.
async fn send_pieces(mut file: File, mut left: u64, sender: mpsc::Sender<std::io::Result<Bytes>>) {
    while left > 0 {
        let length = left.min(PIECE_BYTES as u64);
        let read = tokio::task::spawn_blocking(move || {
            let piece = read_piece(&mut file, length as usize);
            (file, piece)
        });
        let Ok((same, piece)) = read.await else { return };
        let failed = piece.is_err();
        if sender.send(piece).await.is_err() || failed {
            return;
        }
        file = same;
        left -= length;
    }
}

/// Reads exactly so many bytes: a file that became shorter is an error, not a shorter answer.
fn read_piece(file: &mut File, length: usize) -> std::io::Result<Bytes> {
    let mut piece = vec![0; length];
    file.read_exact(&mut piece)?;
    Ok(piece.into())
}

fn content_type(path: &Path) -> &'static str {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        "md" => "text/markdown; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "xml" => "application/xml",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "woff" => "font/woff",
        "ttf" => "font/ttf",
        "wasm" => "application/wasm",
        "pdf" => "application/pdf",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "mp3" => "audio/mpeg",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_folder() {
        let check = |path: &str| safe_path(path).ok().flatten().map(|path| path.display().to_string());
        assert_eq!(check("/"), Some(String::new()));
        assert_eq!(check("/a/b%20c.html"), Some("a/b c.html".into()));
        for path in [
            "/..",
            "/a/../b",
            "/%2e%2e/b",
            "/a%2fb",
            "//a",
            "/a//b",
            "/.env",
            "/a/.git/b",
            "/a\\b",
            "/c:/x",
            "*",
            "/%00",
            "/%ff",
        ] {
            assert_eq!(check(path), None, "{path}");
        }
    }
}
