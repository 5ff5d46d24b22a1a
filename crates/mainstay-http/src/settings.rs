//! The settings of the wire: every limit with its name and its default.
use std::{path::PathBuf, time::Duration};

use crate::forwarded::ForwardedSettings;

/// How the server behaves towards its clients.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Connections that are open at the same time; more wait until one closes.
    pub connections_max: usize,
    /// Bytes of a request's first line and headers.
    pub header_bytes_max: usize,
    /// Headers of one request.
    pub headers_max: usize,
    /// How long a client may take to send the headers of a request; a connection that is idle for as long is closed.
    pub header_timeout: Duration,
    /// Bytes of a request's body.
    pub body_bytes_max: usize,
    /// How long a client may take to send a body.
    pub body_timeout: Duration,
    /// How long a client may take nothing of its answer.
    pub answer_timeout: Duration,
    /// Bytes from which an answer is compressed where the client takes that; 0: none is.
    pub compress_bytes_min: usize,
    /// How deep the JSON of a body may nest.
    pub json_depth_max: usize,
    /// Characters of an idempotency key.
    pub idempotency_key_length_max: usize,
    /// How long the server still answers after a stop, saying at `/readyz` that it is about to go: so that proxies send no more.
    pub drain_delay: Duration,
    /// How long running requests may take to finish after that.
    pub drain_timeout: Duration,
    /// Which proxies are believed about the address of a client.
    pub forwarded: ForwardedSettings,
    /// The name of this node, told in each answer as `Mainstay-Node`; `None`, or what no header can hold: it is not told.
    pub node: Option<String>,
    /// Texts of `fields=` whose selections are kept.
    pub selections_max: usize,
    /// Requests that take longer are logged.
    pub slow_request: Duration,
    /// Whether each refused request is logged with what its caller is told: for development.
    pub log_refusals: bool,
    /// The folder of files that are served at `/`; `None`: no files.
    pub public: Option<PathBuf>,
    /// The title of the API in its description.
    pub title: String,
    /// Which pages of other origins may call.
    pub cors: CorsSettings,
}

/// Which pages of other origins may call this server from a browser.
#[derive(Clone, Debug)]
pub struct CorsSettings {
    /// The origins, as `https://app.example.com`; `*` for all, which needs `credentials` to be false. None: no page may.
    pub origins: Vec<String>,
    /// The headers that a page may send.
    pub headers: Vec<String>,
    /// Whether browsers may send cookies along.
    pub credentials: bool,
    /// How long a browser may remember what it was told, in seconds.
    pub max_age_s: u32,
}

impl Default for CorsSettings {
    fn default() -> CorsSettings {
        let headers =
            ["authorization", "content-type", "if-match", "if-none-match", "idempotency-key", "prefer", "x-request-id"];
        let headers = headers.map(str::to_owned).into();
        CorsSettings { origins: Vec::new(), headers, credentials: false, max_age_s: 600 }
    }
}

impl Default for HttpSettings {
    fn default() -> HttpSettings {
        HttpSettings {
            connections_max: 8_192,
            header_bytes_max: 64 * 1024,
            headers_max: HEADERS_MAX_DEFAULT,
            header_timeout: Duration::from_secs(30),
            body_bytes_max: 4 * 1024 * 1024,
            body_timeout: Duration::from_secs(30),
            answer_timeout: Duration::from_secs(30),
            compress_bytes_min: 1024,
            json_depth_max: 32,
            idempotency_key_length_max: 255,
            drain_delay: Duration::ZERO,
            drain_timeout: Duration::from_secs(10),
            forwarded: ForwardedSettings::default(),
            node: None,
            selections_max: 1_000,
            slow_request: Duration::from_secs(1),
            log_refusals: false,
            public: None,
            title: "Mainstay".into(),
            cors: CorsSettings::default(),
        }
    }
}

/// The number of headers that hyper keeps room for without asking the allocator.
pub(crate) const HEADERS_MAX_DEFAULT: usize = 100;
