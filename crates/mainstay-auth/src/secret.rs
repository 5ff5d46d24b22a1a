//! Random bytes and secrets.
use std::fmt::Write as _;

/// The system has no random bytes to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoRandomness;

/// 32 random bytes, from the system: a generator of the program's own would have to be seeded first, which takes longer than
/// the rest of a start.
pub fn random_bytes() -> Result<[u8; 32], NoRandomness> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
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
