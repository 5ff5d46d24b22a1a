//! Every Rust file opens by saying what it is for.
use crate::{
    sources::{Source, sources},
    steps::Outcome,
};

pub(crate) fn check() -> Outcome {
    let problems: Vec<String> = sources()?.iter().filter_map(problem).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn problem(source: &Source) -> Option<String> {
    let first = source.text.lines().next().unwrap_or_default();
    let says = first.strip_prefix("//!").is_some_and(|rest| !rest.trim().is_empty());
    (!says).then(|| format!("{}:1: the file does not open with a line \"//! what it is for\"", source.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_says_nothing_is_found() {
        let problem = |text: &str| problem(&Source { path: "a.rs".into(), text: text.into() });
        assert_eq!(problem("//! Adds numbers.\n"), None);
        for text in ["", "//!", "//! \n", "fn main() {}", "\n//! late"] {
            assert!(problem(text).is_some_and(|problem| problem.starts_with("a.rs:1: ")), "{text:?}");
        }
    }
}
