//! A server in this process, and one connection to it: made-up requests go through the real router, the real core and a real
//! database. A panic anywhere ends the program, and so does an answer that says "something went wrong on our side".
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::OnceLock,
    time::Duration,
};

use mainstay_auth::NewToken;
use mainstay_core::{
    AdminPass,
    import::{self, Format, Input, MissingLinks, Options, Source},
};
use mainstay_testing::TestApp;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use tokio::runtime::Runtime;

/// A schema with something of everything.
const SCHEMA: &str = include_str!("schema.graphql");
/// Longer than any run.
const TOKEN_TTL_S: u32 = 86_400;
/// A connection that is silent for so long hangs.
const HUNG: Duration = Duration::from_secs(30);
/// Failures of the server itself.
const OUR_SIDE: [&str; 1] = ["500"];

/// The server, for as long as the program runs.
struct World {
    runtime: Runtime,
    app: TestApp,
    token: String,
    id: String,
}

static WORLD: OnceLock<World> = OnceLock::new();

fn world() -> &'static World {
    WORLD.get_or_init(|| {
        let runtime = Runtime::new().expect("a runtime");
        let (app, token, id) = runtime.block_on(async {
            let app = TestApp::with_schema(SCHEMA).await;
            let roles = ["editor".to_owned()];
            let token = app.token(&NewToken { sub: "anna", roles: &roles, ttl_s: TOKEN_TTL_S, ..NewToken::default() });
            let shelf = app.bearer(&token).post("/api/shelves", SHELF.parse().expect("JSON")).await;
            assert_eq!(shelf.status, 201, "{}", shelf.text);
            let id = shelf.json()["id"].as_str().expect("an id").to_owned();
            (app, token, id)
        });
        World { runtime, app, token, id }
    })
}

/// The one record that is there from the beginning.
const SHELF: &str = r#"{"name": "first"}"#;

/// `GET /api/things?NAME=TEXT`: text that is no UTF-8 is sent as it is.
pub fn ask(name: &str, text: &[u8]) {
    let text = percent_encode(text, NON_ALPHANUMERIC);
    send(&format!("GET /api/things?{name}={text}"), &[]);
}

/// `GET /api/things?group=…&select=…`: what stands before and behind the first line break.
pub fn group(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n').map(|part| percent_encode(part, NON_ALPHANUMERIC).to_string());
    let (group, select) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    send(&format!("GET /api/things?group={group}&select={select}"), &[]);
}

/// A body for one path.
pub fn post(path: &str, body: &[u8]) {
    send(&format!("POST {path}"), body);
}

/// A file to import; the first byte chooses its form, its collection, and what becomes of links.
pub fn import(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let world = world();
    let core = world.app.app().core();
    let format = [Format::Csv, Format::Ndjson, Format::Json, Format::Csv][usize::from(choice % 4)];
    let path = ["things", "shelves"][usize::from(choice >> 2) % 2];
    let named = format != Format::Json || choice & 8 != 0;
    let collection = named.then(|| world.app.schema().by_path[path]);
    let missing_links = if choice & 16 != 0 { MissingLinks::Null } else { MissingLinks::Refuse };
    let options = Options { missing_links, ..Options::default() };
    let source = Source { name: "file".to_owned(), input: Input::Bytes(bytes.to_vec()), format, collection };
    let pass = AdminPass::for_command("made-up files");
    let mut unwatched = |_| {};
    let loaded = import::import(&core, pass, vec![source], &options, &mut unwatched);
    if let Err(error) = world.runtime.block_on(loaded) {
        assert!(error.kind != mainstay_core::ErrorKind::Internal, "{error:?}");
    }
}

/// A body for a call that writes; the first byte chooses which.
pub fn write(bytes: &[u8]) {
    let Some((choice, body)) = bytes.split_first() else { return };
    let id = &world().id;
    match choice % 4 {
        0 => send("POST /api/things", body),
        1 => send("POST /api/shelves", body),
        2 => send(&format!("PATCH /api/shelves/{id}"), body),
        _ => send("POST /api/batch", body),
    }
}

/// Sends whole bytes as they are, and closes.
pub fn raw(bytes: &[u8]) {
    let mut stream = TcpStream::connect(world().app.address()).expect("a connection");
    stream.set_read_timeout(Some(HUNG)).expect("a time limit");
    // A server may close while bytes are still on their way to it.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    judge(&answer, bytes);
}

fn send(line: &str, body: &[u8]) {
    let token = &world().token;
    let mut request = format!(
        "{line} HTTP/1.1\r\nhost: fuzz\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    raw(&request);
}

fn judge(answer: &[u8], request: &[u8]) {
    let status = answer.get(9..12).map(String::from_utf8_lossy).unwrap_or_default();
    if OUR_SIDE.contains(&status.as_ref()) {
        panic!("{}\nfor\n{}", String::from_utf8_lossy(answer), String::from_utf8_lossy(request));
    }
}
