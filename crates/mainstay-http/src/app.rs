//! What a server hangs on: the core, the authenticator, the settings, the counters. No globals.
use std::{
    pin::pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use mainstay_auth::Authenticator;
use mainstay_core::{Core, Selection};
use parking_lot::RwLock;
use quick_cache::sync::Cache;
use tokio::sync::Notify;

use crate::{fields, metrics::Metrics, openapi, problem::Outcome, reply::X_REQUEST_ID, settings::HttpSettings};

/// Texts of `fields=` that are longer are not kept.
const SELECTION_KEPT_BYTES_MAX: usize = 1_024;

/// Characters of a request id that a client may choose.
const REQUEST_ID_LENGTH_MAX: usize = 64;

/// Stands for a clock that runs.
const CLOCK_RUNS: i64 = i64::MIN;

/// One server: shared by all its connections.
pub struct App {
    world: RwLock<Arc<World>>,
    settings: HttpSettings,
    metrics: Metrics,
    methods: [(Method, Arc<str>); 5],
    /// Begins every request id, so that those of two processes differ.
    request_prefix: String,
    request_count: AtomicU64,
    /// What the time is said to be; `CLOCK_RUNS` where it is the system's.
    clock_micros: AtomicI64,
    leaving: AtomicBool,
    /// Why nothing is answered from the database, where that is so.
    unfit: RwLock<Option<Arc<str>>>,
    is_unfit: AtomicBool,
    left: Notify,
    node: Option<HeaderValue>,
}

/// Everything that follows from one schema: swapped whole. A running request keeps the one it began with.
pub(crate) struct World {
    pub(crate) core: Arc<Core>,
    pub(crate) authenticator: Arc<Authenticator>,
    openapi: OnceLock<Bytes>,
    selections: Cache<String, Arc<Selection>>,
    /// No part of a record.
    pub(crate) nothing: Arc<Selection>,
}

impl App {
    /// A server for a core.
    pub fn new(core: Arc<Core>, authenticator: Arc<Authenticator>, settings: HttpSettings) -> App {
        let world = World::new(core, authenticator, &settings);
        let methods = [Method::GET, Method::HEAD, Method::POST, Method::PATCH, Method::DELETE];
        App {
            world: RwLock::new(Arc::new(world)),
            node: settings.node.as_deref().and_then(|node| HeaderValue::from_str(node).ok()),
            settings,
            metrics: Metrics::default(),
            methods: methods.map(|method| (method.clone(), Arc::from(method.as_str()))),
            request_prefix: uuid::Uuid::now_v7().simple().to_string()[16..].to_owned(),
            request_count: AtomicU64::new(0),
            clock_micros: AtomicI64::new(CLOCK_RUNS),
            leaving: AtomicBool::new(false),
            unfit: RwLock::default(),
            is_unfit: AtomicBool::new(false),
            left: Notify::new(),
        }
    }

    /// Serves another core from the next request on: the schema has changed.
    pub fn swap(&self, core: Arc<Core>, authenticator: Arc<Authenticator>) {
        *self.world.write() = Arc::new(World::new(core, authenticator, &self.settings));
    }

    /// Stops the clock: every request from now on has this time, in microseconds since 1970. For tests.
    pub fn freeze(&self, time_micros: i64) {
        self.clock_micros.store(time_micros, Relaxed);
    }

    /// Says from now on that nothing more should be sent here: `/readyz` refuses, and each answer closes its connection.
    pub(crate) fn leave(&self) {
        self.leaving.store(true, Relaxed);
        self.left.notify_waiters();
    }

    /// Waits until it is about to go.
    pub(crate) async fn left(&self) {
        let mut left = pin!(self.left.notified());
        left.as_mut().enable();
        if !self.is_leaving() {
            left.await;
        }
    }

    /// Says why nothing can be answered from the database, such as that its tables are no longer those of the schema; `None`: it
    /// can. Until then requests for records are refused with 503, and so is `/readyz`.
    pub fn set_unfit(&self, why: Option<&str>) {
        let mut unfit = self.unfit.write();
        self.is_unfit.store(why.is_some(), Relaxed);
        *unfit = why.map(Arc::from);
    }

    /// Why nothing is answered from the database.
    pub(crate) fn unfit(&self) -> Option<Arc<str>> {
        if self.is_unfit.load(Relaxed) { self.unfit.read().clone() } else { None }
    }

    /// The name of this node, where it is told.
    pub(crate) fn node(&self) -> Option<&HeaderValue> {
        self.node.as_ref()
    }

    /// Whether it is about to go.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.load(Relaxed)
    }

    /// Microseconds since 1970.
    pub(crate) fn now_micros(&self) -> i64 {
        match self.clock_micros.load(Relaxed) {
            CLOCK_RUNS => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
            }
            frozen => frozen,
        }
    }

    /// The core that the next request gets.
    pub fn core(&self) -> Arc<Core> {
        self.world.read().core.clone()
    }

    /// The settings.
    pub fn settings(&self) -> &HttpSettings {
        &self.settings
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(crate) fn world(&self) -> Arc<World> {
        self.world.read().clone()
    }

    /// The method as the core has it, without asking the allocator for the usual ones.
    pub(crate) fn method(&self, method: &Method) -> Arc<str> {
        let usual = self.methods.iter().find(|(usual, _)| usual == method);
        usual.map_or_else(|| Arc::from(method.as_str()), |(_, name)| name.clone())
    }

    /// The id of a request: the client's, if it is a sane one, else a new one.
    pub(crate) fn request_id(&self, headers: &HeaderMap) -> HeaderValue {
        let sane = |id: &&HeaderValue| {
            let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
            (1..=REQUEST_ID_LENGTH_MAX).contains(&id.len()) && id.as_bytes().iter().all(plain)
        };
        if let Some(id) = headers.get(X_REQUEST_ID).filter(sane) {
            return id.clone();
        }
        let count = self.request_count.fetch_add(1, Relaxed);
        let mut id = String::with_capacity(self.request_prefix.len() + 17);
        id.push_str(&self.request_prefix);
        id.push('-');
        write_hex(&mut id, count);
        HeaderValue::from_maybe_shared(Bytes::from(id)).unwrap_or_else(|_| HeaderValue::from_static("none"))
    }
}

fn write_hex(out: &mut String, mut number: u64) {
    let mut digits = [b'0'; 16];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
        if number == 0 {
            break;
        }
    }
    out.extend(digits[at..].iter().map(|digit| char::from(*digit)));
}

impl World {
    fn new(core: Arc<Core>, authenticator: Arc<Authenticator>, settings: &HttpSettings) -> World {
        World {
            core,
            authenticator,
            openapi: OnceLock::new(),
            selections: Cache::new(settings.selections_max),
            nothing: Arc::default(),
        }
    }

    /// The description of the API, written once.
    pub(crate) fn openapi(&self, title: &str) -> Bytes {
        let write = || Bytes::from(openapi::document(self.core.schema(), self.core.limits(), title).to_json());
        self.openapi.get_or_init(write).clone()
    }

    /// The selection of a `fields` text: read once, then kept.
    pub(crate) fn selection(&self, text: &str) -> Outcome<Arc<Selection>> {
        if let Some(selection) = self.selections.get(text) {
            return Ok(selection);
        }
        let selection = Arc::new(fields::parse_fields(text, self.core.limits())?);
        if text.len() <= SELECTION_KEPT_BYTES_MAX {
            self.selections.insert(text.to_owned(), selection.clone());
        }
        Ok(selection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_written_without_leading_zeros() {
        for (number, text) in [(0, "0"), (255, "ff"), (u64::MAX, "ffffffffffffffff"), (0x1_0000, "10000")] {
            let mut out = String::new();
            write_hex(&mut out, number);
            assert_eq!(out, text);
        }
    }
}
