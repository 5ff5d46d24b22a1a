//! Settings that messages, pages and the files of deploy/ name are settings that there are.
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Names of conditions, which look like settings.
const NO_SETTINGS: &str = "auth";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every setting, as `docs/settings.md` lists it: another test holds that page to the program.
fn settings() -> BTreeSet<String> {
    let page = fs::read_to_string(root().join("docs/settings.md")).unwrap();
    let name = |line: &str| line.strip_prefix("| `")?.split_once("` |").map(|(name, _)| name.to_owned());
    page.lines().filter_map(name).filter(|name| name.contains('.')).collect()
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, into) } else { into.push(path) }
    }
}

/// The texts in a program, and all of anything else.
fn texts(path: &Path, text: &str) -> String {
    if path.extension().is_none_or(|extension| extension != "rs") {
        return text.to_owned();
    }
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let quoted = lines.map(|line| line.split('"').skip(1).step_by(2).collect::<Vec<_>>().join(" "));
    quoted.collect::<Vec<_>>().join("\n")
}

/// What looks like `area.name` for an area of the settings.
fn named(text: &str, areas: &BTreeSet<&str>) -> Vec<String> {
    let words = text.split(|char: char| !(char.is_ascii_alphanumeric() || "._/-".contains(char)));
    let words = words.map(|word| word.trim_end_matches(['.', '-']));
    let is_named = |word: &&str| {
        let (area, name) = word.split_once('.').unwrap_or_default();
        areas.contains(area) && !name.ends_with("md") && !word.contains(['/', '-'])
    };
    words.filter(is_named).map(str::to_owned).collect()
}

#[test]
fn settings_that_are_named_anywhere_are_there() {
    let settings = settings();
    let mut areas: BTreeSet<&str> = settings.iter().filter_map(|name| Some(name.split_once('.')?.0)).collect();
    areas.remove(NO_SETTINGS);
    let variables: BTreeSet<String> =
        settings.iter().map(|name| format!("MAINSTAY_{}", name.replace('.', "_").to_ascii_uppercase())).collect();
    let mut all = Vec::new();
    for folder in ["docs", "deploy", "crates/mainstay/src", "crates/mainstay-http/src", "crates/mainstay-store/src"] {
        files(&root().join(folder), &mut all);
    }
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for path in all {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for name in named(&texts(&path, &text), &areas) {
            seen += 1;
            let is_there = settings.contains(&name) || settings.iter().any(|one| one.starts_with(&format!("{name}.")));
            wrong.extend((!is_there).then(|| format!("{}: {name}", path.display())));
        }
        if path.components().any(|part| part.as_os_str() == "deploy") {
            let words = text.split(|char: char| !(char.is_ascii_uppercase() || char == '_'));
            let unknown = words.filter(|word| word.starts_with("MAINSTAY_") && !variables.contains(*word));
            wrong.extend(unknown.map(|word| format!("{}: {word}", path.display())));
        }
    }
    assert!(wrong.is_empty() && seen > 100, "{seen} are named, and these are not there: {wrong:#?}");
}
