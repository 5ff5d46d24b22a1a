//! Bytes as base64.
use base64::{Engine, engine::general_purpose::STANDARD};

use super::quote;

/// Bytes from base64 with padding, in the standard alphabet.
pub fn parse_base64(text: &str) -> Result<Vec<u8>, String> {
    STANDARD.decode(text).map_err(|error| format!("{} is no base64: {}", quote(text), lower_first(&error.to_string())))
}

/// Bytes as base64 with padding, in the standard alphabet.
pub fn format_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn lower_first(text: &str) -> String {
    let mut text = text.trim_end_matches('.').to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    text
}
