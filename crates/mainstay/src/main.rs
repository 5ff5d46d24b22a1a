//! The mainstay binary: one file per command.
fn main() {}
