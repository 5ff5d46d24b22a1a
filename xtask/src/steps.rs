//! The steps of `cargo xtask ci`, cheap ones first.
use crate::{
    cargo::cargo,
    checks::{arrows, heads, lengths, licences, ring},
    engines, outside, tools,
};

/// What is wrong, a line each: where and what.
pub(crate) type Outcome = Result<(), Vec<String>>;

/// One step.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn() -> Outcome,
}

/// All steps.
pub(crate) const STEPS: &[Step] = &[
    Step { name: "tools", about: "programs that the tests call", run: tools::install },
    Step { name: "heads", about: "every file opens by saying what it is for", run: heads::check },
    Step { name: "lengths", about: "no file grows too long", run: lengths::check },
    Step { name: "arrows", about: "crates depend downwards only", run: arrows::check },
    Step { name: "ring", about: "one cryptography library", run: ring::check },
    Step { name: "licences", about: "every dependency may be used", run: licences::check },
    Step { name: "fmt", about: "formatting", run: fmt },
    Step { name: "clippy", about: "lints", run: clippy },
    Step { name: "doc", about: "documentation builds", run: doc },
    Step { name: "test", about: "every test, on the embedded engine", run: engines::test },
    Step { name: "postgres", about: "the tests with a database, on PostgreSQL", run: engines::postgres },
    Step { name: "outside", about: "tools and clients from outside judge the example's API", run: outside::check },
];

fn fmt() -> Outcome {
    cargo(&["fmt", "--all", "--check"], &[])
}

fn clippy() -> Outcome {
    cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"], &[])
}

fn doc() -> Outcome {
    cargo(&["doc", "--workspace", "--no-deps", "--locked"], &[("RUSTDOCFLAGS", "-D warnings")])
}
