//! Random bytes and secrets.
use std::fmt::Write as _;

/// The system has no random bytes to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoRandomness;

/// 32 random bytes.
pub fn random_bytes() -> Result<[u8; 32], NoRandomness> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// A random secret for tokens, as 64 hexadecimal digits.
pub fn random_secret() -> Result<String, NoRandomness> {
    let mut secret = String::with_capacity(64);
    for byte in random_bytes()? {
        let _ = write!(secret, "{byte:02x}");
    }
    Ok(secret)
}
