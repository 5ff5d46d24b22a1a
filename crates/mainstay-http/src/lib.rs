//! The wire: routes, REST, OpenAPI, problem details, static files.
//!
//! ```text
//! parts of a request --router, params, fields--> Operation --core--> Answer --reply--> response
//! ```
//!
//! This crate knows no SQL and no engine: it reads what was asked, asks the core, and says what came back.

mod app;
mod body;
mod compress;
mod cors;
mod docs;
mod etag;
mod fields;
mod files;
mod forwarded;
mod metrics;
pub mod openapi;
mod params;
mod prefer;
pub mod problem;
mod reply;
mod rest;
mod router;
mod serve;
mod service;
mod settings;
mod stall;

pub use app::App;
pub use forwarded::{ForwardedHeader, ForwardedSettings};
pub use metrics::Metrics;
pub use rest::{Asked, Explained, Refused, coverage, explain};
pub use serve::serve;
pub use settings::{CorsSettings, HttpSettings};
