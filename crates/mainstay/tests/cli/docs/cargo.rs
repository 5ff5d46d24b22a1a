//! Commands of a checkout. Those that build or install are not run again inside of a test: what they name must exist, and the
//! binary that they would build is the one that is tested.
use std::fs;

use super::shell::repository;

/// What to run in the place of a command; nothing where it was checked by itself.
pub(super) fn command(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
    match words.as_slice() {
        ["git", "clone", address, ..] => {
            // The folder that it makes is the one that we are in.
            let name = address.rsplit('/').next().unwrap_or_default().trim_end_matches(".git");
            Some(format!("ln -s . {name}"))
        }
        ["cargo", "xtask", step] => {
            let steps = fs::read_to_string(repository().join("xtask/src/steps.rs")).unwrap();
            assert!(
                ["ci", "postgres", "pgbouncer"].contains(step) || steps.contains(&format!("name: \"{step}\"")),
                "{text}: no such step"
            );
            None
        }
        ["cargo", "xtask", "servers", "--", rest @ ..] => {
            let cargo = rest.iter().position(|word| *word == "cargo").unwrap_or_else(|| panic!("{text}: no cargo"));
            check(text, &rest[cargo + 1..]);
            None
        }
        ["cargo", rest @ ..] => {
            check(text, rest);
            let runs_us = rest.first() == Some(&"run") && package(rest) == Some("mainstay");
            let (_, arguments) = text.split_once(" -- ").filter(|_| runs_us)?;
            Some(format!("mainstay {arguments}"))
        }
        [script, ..] if script.starts_with("./.ci/") || script.starts_with(".ci/") => {
            assert!(repository().join(script).is_file(), "{text}: no such file");
            None
        }
        _ => Some(text.to_owned()),
    }
}

fn package<'a>(words: &[&'a str]) -> Option<&'a str> {
    let at = words.iter().position(|word| matches!(*word, "-p" | "--package" | "--bin"))?;
    words.get(at + 1).copied()
}

/// What a command of cargo names must exist.
fn check(text: &str, words: &[&str]) {
    let root = repository();
    let known = ["run", "build", "test", "install", "doc", "check", "clippy", "fmt", "bench"];
    assert!(words.first().is_some_and(|word| known.contains(word)), "{text}: no such command");
    let manifests = ["Cargo.toml", "bench/Cargo.toml", "xtask/Cargo.toml"].map(|path| root.join(path));
    if let Some(package) = package(words) {
        let own = root.join("crates").join(package).join("Cargo.toml").is_file();
        let name = format!("name = \"{package}\"");
        let other = manifests.iter().any(|path| fs::read_to_string(path).is_ok_and(|text| text.contains(&name)));
        assert!(own || other, "{text}: no such package");
    }
    if let Some(at) = words.iter().position(|word| *word == "--path") {
        let folder = words.get(at + 1).map(|path| root.join(path)).unwrap_or_default();
        assert!(folder.join("src/main.rs").is_file(), "{text}: nothing to install there");
    }
}
