//! A fresh database for one test, on the engine that the environment names.
//!
//! `MAINSTAY_TEST_ENGINE` is `sqlite` (the default) or `postgres`; then `MAINSTAY_TEST_POSTGRES` is the address of a server
//! that may be filled with databases, such as the one that `cargo xtask servers` starts. For tests only: whatever goes wrong
//! here panics with the reason.

pub mod beside;
mod database;
mod engine;
mod held;
mod server;
#[cfg(test)]
mod tests;

pub use database::TestDatabase;
pub use engine::{Engine, engine, is_for};
pub use held::Held;
