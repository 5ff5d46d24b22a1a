//! `[server]`: how the server listens and behaves towards its clients.
use std::{path::PathBuf, time::Duration};

use mainstay_http::{CorsSettings, HttpSettings};
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
    /// How long a client may take nothing of its answer.
    pub(crate) answer_timeout_ms: u64,
    /// Bytes from which an answer is compressed where the client takes that; 0: none is.
    pub(crate) compress_bytes_min: usize,
    /// How deep the JSON of a body may nest.
    pub(crate) json_depth_max: usize,
    /// Characters of an idempotency key.
    pub(crate) idempotency_key_length_max: usize,
    /// How long running requests may take to finish after a stop.
    pub(crate) drain_timeout_ms: u64,
    /// Requests that take longer are logged.
    pub(crate) slow_request_ms: u64,
    /// Which pages of other origins may call.
    pub(crate) cors: CorsArea,
}

/// `[server.cors]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CorsArea {
    /// The origins; `*` for all.
    pub(crate) origins: Vec<String>,
    /// The headers that a page may send.
    pub(crate) headers: Vec<String>,
    /// Whether browsers may send cookies along.
    pub(crate) credentials: bool,
    /// How long a browser may remember what it was told.
    pub(crate) max_age_s: u32,
}

impl Default for CorsArea {
    fn default() -> CorsArea {
        let CorsSettings { origins, headers, credentials, max_age_s } = CorsSettings::default();
        CorsArea { origins, headers, credentials, max_age_s }
    }
}

impl CorsArea {
    /// Fails where every page could act in the name of whoever is signed in.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.credentials && self.origins.iter().any(|origin| origin == "*") {
            let message = "server.cors: origins \"*\" and credentials do not go together";
            return Err(Failure::new("settings", message).hint("name the origins"));
        }
        Ok(())
    }

    fn http(&self) -> CorsSettings {
        CorsSettings {
            origins: self.origins.clone(),
            headers: self.headers.clone(),
            credentials: self.credentials,
            max_age_s: self.max_age_s,
        }
    }
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
            answer_timeout_ms: millis(http.answer_timeout),
            compress_bytes_min: http.compress_bytes_min,
            json_depth_max: http.json_depth_max,
            idempotency_key_length_max: http.idempotency_key_length_max,
            drain_timeout_ms: millis(http.drain_timeout),
            slow_request_ms: millis(http.slow_request),
            cors: CorsArea::default(),
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
            answer_timeout: Duration::from_millis(self.answer_timeout_ms),
            compress_bytes_min: self.compress_bytes_min,
            json_depth_max: self.json_depth_max,
            idempotency_key_length_max: self.idempotency_key_length_max,
            drain_timeout: Duration::from_millis(self.drain_timeout_ms),
            slow_request: Duration::from_millis(self.slow_request_ms),
            public,
            title: self.title.clone(),
            cors: self.cors.http(),
            ..HttpSettings::default()
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
