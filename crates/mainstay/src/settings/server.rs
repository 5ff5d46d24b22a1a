//! `[server]`: how the server listens and behaves towards its clients.
use std::{net::IpAddr, path::PathBuf, time::Duration};

use ipnet::IpNet;

use mainstay_http::{CorsSettings, ForwardedHeader, ForwardedSettings, HttpSettings};
use serde::{Deserialize, Serialize};

use super::address::{is_address, is_origin};
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
    /// How long requests are still taken after a stop, while proxies are told that it is about to go.
    pub(crate) drain_delay_ms: u64,
    /// How long running requests may take to finish after that.
    pub(crate) drain_timeout_ms: u64,
    /// The proxies that are believed about the address of a client: addresses and networks.
    pub(crate) trusted_proxies: Vec<String>,
    /// The header in which they tell it.
    pub(crate) forwarded_header: Forwarded,
    /// The name of this node; empty: the machine's.
    pub(crate) node: String,
    /// Whether each answer tells it.
    pub(crate) node_header: bool,
    /// Requests that take longer are logged.
    pub(crate) slow_request_ms: u64,
    /// Which pages of other origins may call.
    pub(crate) cors: CorsArea,
}

/// Which header trusted proxies write.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) enum Forwarded {
    /// What most proxies write.
    #[serde(rename = "x-forwarded-for")]
    XForwardedFor,
    /// The standard one.
    #[serde(rename = "forwarded")]
    Forwarded,
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
        match self.origins.iter().find(|origin| *origin != "*" && !is_origin(origin)) {
            Some(origin) => {
                let message = format!("server.cors.origins: \"{origin}\" is no origin");
                Err(Failure::new("settings", message).hint("as in \"https://app.example.com\""))
            }
            None => Ok(()),
        }
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
            drain_delay_ms: millis(http.drain_delay),
            drain_timeout_ms: millis(http.drain_timeout),
            trusted_proxies: Vec::new(),
            forwarded_header: Forwarded::XForwardedFor,
            node: String::new(),
            node_header: false,
            slow_request_ms: millis(http.slow_request),
            cors: CorsArea::default(),
        }
    }
}

impl ServerArea {
    /// The name of this node.
    pub(crate) fn node(&self) -> String {
        if !self.node.is_empty() {
            return self.node.clone();
        }
        let machine = gethostname::gethostname().into_string().unwrap_or_default();
        if is_node(&machine) { machine } else { "mainstay".to_owned() }
    }

    /// Fails where a name or an address cannot be what it stands for.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.check_listen()?;
        self.cors.check()?;
        self.trusted().map(|_| ())?;
        self.check_node()
    }

    fn check_listen(&self) -> Result<(), Failure> {
        if is_address(&self.listen) {
            return Ok(());
        }
        let message = format!("server.listen: \"{}\" is no address with a port", self.listen);
        Err(Failure::new("settings", message).hint("as in \"127.0.0.1:8090\""))
    }

    /// The networks of the proxies; a single address is a network of its own.
    fn trusted(&self) -> Result<Vec<IpNet>, Failure> {
        let network = |text: &String| {
            let parsed = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
            parsed.ok_or_else(|| {
                let message = format!("server.trusted_proxies: \"{text}\" is neither an address nor a network");
                Failure::new("settings", message).hint("as in \"10.0.0.7\" or \"10.0.0.0/8\"")
            })
        };
        self.trusted_proxies.iter().map(network).collect()
    }

    fn check_node(&self) -> Result<(), Failure> {
        let node = self.node();
        if is_node(&node) {
            return Ok(());
        }
        let message = format!("server.node: \"{node}\" is no name");
        Err(Failure::new("settings", message).hint("letters, digits, \".\", \"-\" and \"_\""))
    }

    /// For the wire; `public` is the folder of static files, if there is one. What [`ServerArea::check`] refuses is left out.
    pub(crate) fn http(&self, public: Option<PathBuf>) -> HttpSettings {
        HttpSettings {
            drain_delay: Duration::from_millis(self.drain_delay_ms),
            forwarded: ForwardedSettings {
                trusted_proxies: self.trusted().unwrap_or_default(),
                header: match self.forwarded_header {
                    Forwarded::XForwardedFor => ForwardedHeader::XForwardedFor,
                    Forwarded::Forwarded => ForwardedHeader::Forwarded,
                },
            },
            node: self.node_header.then(|| self.node()),
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

/// Whether this can be the name of a node.
fn is_node(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
