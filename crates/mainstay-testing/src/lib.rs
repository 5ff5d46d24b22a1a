//! Starts a server on a fresh database, seeds it, acts as a caller: through real sockets, the real router, a real database.
//!
//! For tests only: whatever goes wrong here panics with the reason.

mod app;
mod client;
mod reply;

pub use app::{Setup, TestApp, refused_schema};
pub use client::Client;
pub use reply::Reply;
