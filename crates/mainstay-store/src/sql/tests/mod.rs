//! The texts of statements.
mod conditions;
pub(crate) mod fixture;
mod reads;
mod writes;

/// Compares a text with what was reviewed.
macro_rules! shows {
    ($text:expr) => {
        insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!($text) })
    };
}

use shows;
