//! What is refused, with its words: one file per subject.

/// The errors of one file are exactly these.
macro_rules! check {
    ($sdl:expr, @$expected:literal) => {
        insta::assert_snapshot!(crate::errors($sdl), @$expected)
    };
}

mod expressions;
mod names;
mod shapes;
mod values;
mod words;
