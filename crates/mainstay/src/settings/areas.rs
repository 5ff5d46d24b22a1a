//! The areas of the settings, each setting with its default. Names are those of `mainstay.toml`.
use std::{path::PathBuf, time::Duration};

use mainstay_core::Limits;
use mainstay_http::HttpSettings;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// `[server]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServerArea {
    /// The address; port 0 takes a free one.
    pub(crate) listen: String,
    /// The name of the API in its description.
    pub(crate) title: String,
    /// Threads that answer; 0: one per core.
    pub(crate) threads: usize,
    /// Connections that are open at the same time.
    pub(crate) connections_max: usize,
    /// Bytes of a request's first line and headers.
    pub(crate) header_bytes_max: usize,
    /// Headers of one request.
    pub(crate) headers_max: usize,
    /// How long a client may take to send headers.
    pub(crate) header_timeout_ms: u64,
    /// Bytes of a request's body.
    pub(crate) body_bytes_max: usize,
    /// How long a client may take to send a body.
    pub(crate) body_timeout_ms: u64,
    /// How deep the JSON of a body may nest.
    pub(crate) json_depth_max: usize,
    /// How long running requests may take to finish after a stop.
    pub(crate) drain_timeout_ms: u64,
    /// Requests that take longer are logged.
    pub(crate) slow_request_ms: u64,
}

impl Default for ServerArea {
    fn default() -> ServerArea {
        let http = HttpSettings::default();
        ServerArea {
            listen: "127.0.0.1:8090".into(),
            title: http.title,
            threads: 0,
            connections_max: http.connections_max,
            header_bytes_max: http.header_bytes_max,
            headers_max: http.headers_max,
            header_timeout_ms: millis(http.header_timeout),
            body_bytes_max: http.body_bytes_max,
            body_timeout_ms: millis(http.body_timeout),
            json_depth_max: http.json_depth_max,
            drain_timeout_ms: millis(http.drain_timeout),
            slow_request_ms: millis(http.slow_request),
        }
    }
}

impl ServerArea {
    /// For the wire; `public` is the folder of static files, if there is one.
    pub(crate) fn http(&self, public: Option<PathBuf>) -> HttpSettings {
        HttpSettings {
            connections_max: self.connections_max,
            header_bytes_max: self.header_bytes_max,
            headers_max: self.headers_max,
            header_timeout: Duration::from_millis(self.header_timeout_ms),
            body_bytes_max: self.body_bytes_max,
            body_timeout: Duration::from_millis(self.body_timeout_ms),
            json_depth_max: self.json_depth_max,
            drain_timeout: Duration::from_millis(self.drain_timeout_ms),
            slow_request: Duration::from_millis(self.slow_request_ms),
            public,
            title: self.title.clone(),
            ..HttpSettings::default()
        }
    }
}

/// `[database]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DatabaseArea {
    /// `sqlite:PATH`, the path from the project's folder.
    pub(crate) url: String,
    /// Whether an answer waits until its write is on disk. `false` may lose acknowledged writes: for benches and tests.
    pub(crate) durable: bool,
    /// How long a statement may run.
    pub(crate) statement_ms_max: u64,
    /// How long a read may run on the thread that took the request before it moves to the pool, in microseconds.
    pub(crate) inline_budget_us: u64,
    /// Threads for reads that take longer.
    pub(crate) readers: usize,
    /// Reads that may wait for those threads.
    pub(crate) readers_queue_max: usize,
    /// Writes that are committed together at most.
    pub(crate) group_max: usize,
    /// Writes that may wait.
    pub(crate) writer_queue_max: usize,
    /// Page cache per connection, in KiB.
    pub(crate) cache_kib: u32,
    /// Prepared statements kept per connection.
    pub(crate) statements_max: usize,
    /// Records that one delete may reach through cascades.
    pub(crate) cascade_max: usize,
}

impl Default for DatabaseArea {
    fn default() -> DatabaseArea {
        let store = mainstay_store::Settings::at("");
        DatabaseArea {
            url: "sqlite:data/mainstay.db".into(),
            durable: store.durable,
            statement_ms_max: store.statement_ms_max,
            inline_budget_us: store.inline_budget_us,
            readers: store.readers,
            readers_queue_max: store.readers_queue_max,
            group_max: store.group_max,
            writer_queue_max: store.writer_queue_max,
            cache_kib: store.cache_kib,
            statements_max: store.statements_max,
            cascade_max: store.cascade_max,
        }
    }
}

impl DatabaseArea {
    /// The path of the embedded database. Fails for every other kind, by name.
    pub(crate) fn path(&self) -> Result<&str, Failure> {
        let wrong = |message: String| Err(Failure::new("settings", message).hint("sqlite:data/mainstay.db"));
        match self.url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(path),
            Some(("sqlite", _)) => wrong("database.url: it names no file".into()),
            // The rest of the address is not shown: it may hold a password.
            Some((scheme, _)) => wrong(format!("database.url: databases of kind \"{scheme}\" are not available yet")),
            None => wrong("database.url: it has no kind".into()),
        }
    }

    /// For the store.
    pub(crate) fn store(&self, path: PathBuf) -> mainstay_store::Settings {
        mainstay_store::Settings {
            durable: self.durable,
            statement_ms_max: self.statement_ms_max,
            inline_budget_us: self.inline_budget_us,
            readers: self.readers,
            readers_queue_max: self.readers_queue_max,
            group_max: self.group_max,
            writer_queue_max: self.writer_queue_max,
            cache_kib: self.cache_kib,
            statements_max: self.statements_max,
            cascade_max: self.cascade_max,
            ..mainstay_store::Settings::at(path)
        }
    }
}

/// `[auth]`
#[derive(Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AuthArea {
    /// A secret shared with whoever makes tokens (HS256): at least 32 bytes. `"env:NAME"` takes it from the environment.
    pub(crate) jwt_secret: String,
    /// The file of an Ed25519 public key in PEM form (EdDSA).
    pub(crate) jwt_public_key_file: String,
    /// The file of a JSON Web Key Set.
    pub(crate) jwks_file: String,
    /// Whether `admin: true` counts in tokens made with a key of the set.
    pub(crate) jwks_admin: bool,
    /// The issuers of whom one must stand in a token, a text or a list; none: not looked at.
    #[serde(deserialize_with = "one_or_many")]
    pub(crate) issuer: Vec<String>,
    /// The audiences of whom one must stand in a token, a text or a list; none: not looked at.
    #[serde(deserialize_with = "one_or_many")]
    pub(crate) audience: Vec<String>,
    /// How far clocks may differ, in seconds.
    pub(crate) leeway_s: u32,
    /// Verified tokens that are remembered.
    pub(crate) tokens_max: usize,
    /// Bytes of a token.
    pub(crate) token_length_max: usize,
    /// Whether `serve` starts without any key: then nobody can sign in.
    pub(crate) anonymous_only: bool,
}

impl Default for AuthArea {
    fn default() -> AuthArea {
        let auth = mainstay_auth::AuthSettings::default();
        AuthArea {
            jwt_secret: String::new(),
            jwt_public_key_file: String::new(),
            jwks_file: String::new(),
            jwks_admin: auth.jwks_admin,
            issuer: auth.issuers,
            audience: auth.audiences,
            leeway_s: auth.leeway_s,
            tokens_max: auth.cache_max,
            token_length_max: auth.token_length_max,
            anonymous_only: false,
        }
    }
}

impl std::fmt::Debug for AuthArea {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("AuthArea").field("has_key", &self.has_key()).finish_non_exhaustive()
    }
}

impl AuthArea {
    /// Whether there is any key to verify tokens with.
    pub(crate) fn has_key(&self) -> bool {
        [&self.jwt_secret, &self.jwt_public_key_file, &self.jwks_file].iter().any(|setting| !setting.is_empty())
    }
}

/// `[limits]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LimitsArea {
    /// Records of a page, when the caller says nothing.
    pub(crate) page_default: u32,
    /// Records of a page.
    pub(crate) page_max: u32,
    /// Records of a nested list, when the caller says nothing.
    pub(crate) nested_default: u32,
    /// Records of a nested list.
    pub(crate) nested_max: u32,
    /// How deep links may be selected.
    pub(crate) depth_max: usize,
    /// Parts of a selection, all levels together.
    pub(crate) selection_max: usize,
    /// Sort keys.
    pub(crate) sort_max: usize,
    /// Conditions of one request.
    pub(crate) filters_max: usize,
    /// Records of one create.
    pub(crate) batch_max: usize,
    /// Keys in one change of a to-many link.
    pub(crate) links_max: usize,
    /// Bytes of one filter.
    pub(crate) expression_length_max: usize,
    /// Plans kept.
    pub(crate) plans_max: usize,
}

impl Default for LimitsArea {
    fn default() -> LimitsArea {
        let limits = Limits::default();
        LimitsArea {
            page_default: limits.page_default,
            page_max: limits.page_max,
            nested_default: limits.nested_default,
            nested_max: limits.nested_max,
            depth_max: limits.depth_max,
            selection_max: limits.selection_max,
            sort_max: limits.sort_max,
            filters_max: limits.filters_max,
            batch_max: limits.batch_max,
            links_max: limits.links_max,
            expression_length_max: limits.expression_length_max,
            plans_max: limits.plans_max,
        }
    }
}

impl LimitsArea {
    /// For the core.
    pub(crate) fn core(&self) -> Limits {
        Limits {
            page_default: self.page_default,
            page_max: self.page_max,
            nested_default: self.nested_default,
            nested_max: self.nested_max,
            depth_max: self.depth_max,
            selection_max: self.selection_max,
            sort_max: self.sort_max,
            filters_max: self.filters_max,
            batch_max: self.batch_max,
            links_max: self.links_max,
            expression_length_max: self.expression_length_max,
            plans_max: self.plans_max,
        }
    }
}

/// `[log]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogSettings {
    /// `error`, `warn`, `info`, `debug`, `trace`, or directives like `info,mainstay_store=debug`.
    pub(crate) level: String,
}

impl Default for LogSettings {
    fn default() -> LogSettings {
        LogSettings { level: "info".into() }
    }
}

fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a text or a list of texts")]
    enum Texts {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Texts::deserialize(deserializer)? {
        Texts::One(text) => vec![text],
        Texts::Many(texts) => texts,
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
