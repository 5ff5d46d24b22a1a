//! A server for one test.
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use mainstay_auth::{AuthSettings, Authenticator, NewToken, SigningKey, TokenMaker};
use mainstay_core::{Core, CoreSettings, Limits};
use mainstay_http::{App, HttpSettings};
use mainstay_schema::{Schema, Source};
use mainstay_store::{Settings, Store};
use mainstay_test_db::TestDatabase;
use serde_json::Value as Json;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{Client, Reply};

/// What tokens are signed with in tests.
const SECRET: &str = "a secret that is only good for tests, long enough";

/// How long a token of a test holds, in seconds.
const TOKEN_TTL_S: u32 = 3_600;

/// What a test wants to be different from the defaults.
pub struct Setup {
    sdl: String,
    http: HttpSettings,
    limits: Limits,
    store: Box<dyn FnOnce(&mut Settings) + Send>,
    explain_refusals: bool,
}

impl Setup {
    /// The defaults for a schema.
    pub fn new(sdl: &str) -> Setup {
        Setup {
            sdl: sdl.to_owned(),
            http: HttpSettings::default(),
            limits: Limits::default(),
            store: Box::new(|_| {}),
            explain_refusals: false,
        }
    }

    /// Changes settings of the wire.
    #[must_use]
    pub fn http(mut self, change: impl FnOnce(&mut HttpSettings)) -> Setup {
        change(&mut self.http);
        self
    }

    /// Changes limits of the core.
    #[must_use]
    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Setup {
        change(&mut self.limits);
        self
    }

    /// Changes settings of the database.
    #[must_use]
    pub fn store(mut self, change: impl FnOnce(&mut Settings) + Send + 'static) -> Setup {
        self.store = Box::new(change);
        self
    }

    /// Has refusals explained, as in development.
    #[must_use]
    pub fn explained(mut self) -> Setup {
        self.explain_refusals = true;
        self
    }

    /// Starts the server.
    pub async fn start(self) -> TestApp {
        let database = TestDatabase::new();
        let schema = load(&self.sdl);
        let store = Arc::new(open(&database, &schema, self.store));
        let settings =
            CoreSettings { limits: self.limits, cursor_key: [7; 32], explain_refusals: self.explain_refusals };
        let core = Arc::new(Core::new(schema.clone(), store, settings));
        let auth = AuthSettings { secret: Some(SECRET.into()), ..AuthSettings::default() };
        let authenticator = Authenticator::new(&auth, &schema.claims).expect("the test's keys");
        let app = Arc::new(App::new(core, Arc::new(authenticator), self.http));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("the port");
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = mainstay_http::serve(listener, app.clone(), async move {
            let _ = stopped.await;
        });
        TestApp {
            address,
            http: reqwest::Client::builder().no_proxy().build().expect("a client"),
            tokens: TokenMaker::new(&SigningKey::Secret(SECRET), &schema.claims).expect("the test's key"),
            app,
            schema,
            stop: Some(stop),
            server: tokio::spawn(serving),
            database,
        }
    }
}

/// What is told of a schema that is refused.
pub fn refused_schema(sdl: &str) -> String {
    match Schema::load(&[Source { name: "schema.graphql", text: sdl }]) {
        Ok(_) => panic!("the test's schema is accepted:\n{sdl}"),
        Err(diagnostics) => diagnostics.to_string(),
    }
}

fn load(sdl: &str) -> Arc<Schema> {
    match Schema::load(&[Source { name: "schema.graphql", text: sdl }]) {
        Ok(schema) => Arc::new(schema),
        Err(diagnostics) => panic!("the test's schema is wrong:\n{diagnostics}"),
    }
}

fn open(database: &TestDatabase, schema: &Arc<Schema>, change: impl FnOnce(&mut Settings)) -> Store {
    let mut settings = database.settings();
    change(&mut settings);
    let store = Store::open(settings).expect("a fresh database");
    store.follow(schema).expect("the tables of the schema");
    store
}

/// A running server on a fresh database; it ends with the value.
pub struct TestApp {
    address: SocketAddr,
    http: reqwest::Client,
    tokens: TokenMaker,
    app: Arc<App>,
    schema: Arc<Schema>,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<usize>,
    database: TestDatabase,
}

impl TestApp {
    /// A server for a schema, with the defaults.
    pub async fn with_schema(sdl: &str) -> TestApp {
        Setup::new(sdl).start().await
    }

    /// Somebody without a token.
    pub fn anonymous(&self) -> Client {
        self.client(None)
    }

    /// Somebody with a verified token.
    pub fn user(&self, id: &str) -> Client {
        self.user_with(id, &[], &[])
    }

    /// Somebody with roles and claims.
    pub fn user_with(&self, id: &str, roles: &[&str], claims: &[(&str, &str)]) -> Client {
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        let claims: Vec<(String, String)> =
            claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.client(Some(self.token(&NewToken {
            sub: id,
            roles: &roles,
            claims: &claims,
            admin: false,
            ttl_s: TOKEN_TTL_S,
        })))
    }

    /// Somebody who may do everything.
    pub fn admin(&self) -> Client {
        self.client(Some(self.token(&NewToken {
            sub: "admin",
            admin: true,
            ttl_s: TOKEN_TTL_S,
            ..NewToken::default()
        })))
    }

    /// Somebody with whatever token.
    pub fn bearer(&self, token: &str) -> Client {
        self.client(Some(token.to_owned()))
    }

    /// A signed token.
    pub fn token(&self, of: &NewToken<'_>) -> String {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
        let now_micros = i64::try_from(since.as_micros()).expect("a clock before the year 294247");
        self.tokens.make(of, now_micros).expect("a token")
    }

    fn client(&self, token: Option<String>) -> Client {
        Client::new(self.http.clone(), format!("http://{}", self.address), token)
    }

    /// Creates records as an admin; their ids in the same order.
    pub async fn seed(&self, path: &str, records: impl IntoIterator<Item = Json>) -> Vec<String> {
        let records: Vec<Json> = records.into_iter().collect();
        let reply = self.admin().post(&format!("/api/{path}"), Json::Array(records)).await;
        assert_eq!(reply.status, 201, "seeding {path}: {}", reply.text);
        let created = reply.json();
        let ids = created.as_array().into_iter().flatten();
        ids.map(|record| record["id"].as_str().expect("an id").to_owned()).collect()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The running server.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// The schema.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The database.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// Asks the server to stop, and goes on at once.
    pub fn begin_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// Stops the server; how many connections had to be cut off.
    pub async fn stop(mut self) -> usize {
        self.begin_stop();
        (&mut self.server).await.expect("the server ends")
    }

    /// A reply to a raw request: whatever bytes come back until the server closes the connection.
    pub async fn raw(&self, request: &[u8]) -> String {
        use std::io::{Read as _, Write as _};
        let (address, request) = (self.address, request.to_owned());
        let exchange = move || {
            let mut stream = std::net::TcpStream::connect(address).expect("a connection");
            stream.write_all(&request).expect("the request goes out");
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            String::from_utf8_lossy(&answer).into_owned()
        };
        tokio::task::spawn_blocking(exchange).await.expect("the exchange")
    }

    /// Reads `GET path` as nobody.
    pub async fn get(&self, path: &str) -> Reply {
        self.anonymous().get(path).await
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.begin_stop();
        self.server.abort();
    }
}
