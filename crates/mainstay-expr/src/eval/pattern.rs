//! Patterns of `matches`: bounded, compiled once for each thread.
use std::{cell::RefCell, collections::HashMap};

use regex::{Regex, RegexBuilder};

use super::EvalError;

/// Bytes that a compiled pattern may take.
const COMPILED_BYTES_MAX: usize = 256 * 1024;
/// Compiled patterns kept by a thread.
const KEPT_MAX: usize = 64;

thread_local! {
    static KEPT: RefCell<HashMap<String, Regex>> = RefCell::new(HashMap::new());
}

/// Whether the text is a pattern within the limits; the error says why not.
pub(crate) fn check_pattern(pattern: &str) -> Result<(), String> {
    match build(pattern) {
        Ok(_) => Ok(()),
        Err(regex::Error::CompiledTooBig(_)) => Err("the pattern is too large".to_owned()),
        Err(error) => {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default();
            Err(reason.strip_prefix("error: ").unwrap_or(reason).to_owned())
        }
    }
}

/// Whether the pattern is found anywhere in the text.
pub(super) fn is_match(pattern: &str, text: &str) -> Result<bool, EvalError> {
    KEPT.with_borrow_mut(|kept| {
        if let Some(regex) = kept.get(pattern) {
            return Ok(regex.is_match(text));
        }
        let regex = build(pattern).map_err(|_| EvalError::Text)?;
        let found = regex.is_match(text);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(pattern.to_owned(), regex);
        Ok(found)
    })
}

fn build(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(COMPILED_BYTES_MAX).dfa_size_limit(COMPILED_BYTES_MAX).build()
}
