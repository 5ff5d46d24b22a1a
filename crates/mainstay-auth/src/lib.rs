//! Who is calling: a bearer token, verified against the keys of the settings, becomes a [`Caller`](mainstay_core::Caller).
//!
//! The life of a token:
//!
//! ```text
//! header --scheme--> token --cache--> Caller
//!                      `--verify (algorithm bound to the key)--> payload --claims (times, issuer, audience, types)--> Caller
//! ```
//!
//! This crate knows no HTTP and no database.

mod authenticator;
mod claims;
mod error;
mod keys;
mod maker;
mod secret;
mod settings;
mod token;

pub use authenticator::Authenticator;
pub use error::{AuthError, AuthSetupError};
pub use maker::{MakeError, NewToken, SigningKey, TokenMaker};
pub use secret::{NoRandomness, random_bytes, random_secret};
pub use settings::AuthSettings;

#[cfg(test)]
mod tests;
