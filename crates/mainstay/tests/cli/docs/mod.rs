//! The documentation is run: every command and every example of README.md and docs/*.md.
mod cargo;
mod databases;
mod output;
mod page;
mod run;
mod shell;

use std::{collections::BTreeSet, fs};

use self::shell::{Shell, repository};

macro_rules! pages {
    ($($name:ident: $path:literal),* $(,)?) => {
        /// All pages that are run.
        const PAGES: &[&str] = &[$($path),*];
        $(
            #[test]
            fn $name() {
                run::run(repository().join($path));
            }
        )*
    };
}

pages! {
    readme: "README.md",
    example: "examples/skillmap/README.md",
    chinook: "examples/chinook/README.md",
    index: "docs/README.md",
    api: "docs/api.md",
    callers: "docs/callers.md",
    changes: "docs/changes.md",
    commands: "docs/commands.md",
    conditions: "docs/conditions.md",
    contributing: "docs/contributing.md",
    docker: "docs/docker.md",
    explain: "docs/explain.md",
    haproxy: "docs/haproxy.md",
    kubernetes: "docs/kubernetes.md",
    migrations: "docs/migrations.md",
    moving: "docs/moving.md",
    nodes: "docs/nodes.md",
    nginx: "docs/nginx.md",
    postgresql: "docs/postgresql.md",
    production: "docs/production.md",
    rules: "docs/rules.md",
    schema: "docs/schema.md",
    settings: "docs/settings.md",
    sizing: "docs/sizing.md",
    systemd: "docs/systemd.md",
    testing: "docs/testing.md",
}

/// What is written by a function, and held to it.
const ERRORS: &str = "docs/errors.md";
/// What is made of the answers of a server, by a test beside the server.
const ACCESS: &str = "docs/access.md";

#[test]
fn every_page_is_run_and_in_the_index() {
    let files = fs::read_dir(repository().join("docs")).unwrap().map(|entry| entry.unwrap().file_name());
    let files: BTreeSet<String> = files.map(|name| format!("docs/{}", name.to_string_lossy())).collect();
    let known = PAGES.iter().chain([&ERRORS, &ACCESS]).filter(|path| path.starts_with("docs/"));
    assert_eq!(files, known.map(|path| (*path).to_owned()).collect());
    let index = fs::read_to_string(repository().join("docs/README.md")).unwrap();
    for file in files.iter().filter(|file| *file != "docs/README.md") {
        let name = file.trim_start_matches("docs/");
        assert!(index.contains(&format!("({name})")), "{name} is not in the index");
    }
}

#[test]
fn the_page_of_errors_is_the_table() {
    let path = repository().join(ERRORS);
    let table = mainstay_http::problem::errors_markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &table).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), table);
}

#[test]
fn every_command_and_option_is_described() {
    let mut shell = Shell::start();
    let page = fs::read_to_string(repository().join("docs/commands.md")).unwrap();
    let help = shell.run("mainstay --help").output;
    let commands = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let names = commands.lines().filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    for name in names {
        let section = page.split(&format!("\n## mainstay {name}\n")).nth(1);
        let section = section.unwrap_or_else(|| panic!("mainstay {name} has no section"));
        let section = section.split("\n## ").next().unwrap();
        let options = shell.run(&format!("mainstay {name} --help")).output;
        let options = options.split("Options:").nth(1).unwrap().split("Example:").next().unwrap().to_owned();
        let options = options.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2);
        for option in options.filter_map(|word| word.split(['[', ',', ']']).next()) {
            let everywhere = ["--help", "--json", "--log-json", "--project"].contains(&option);
            assert!(everywhere || section.contains(option), "mainstay {name} {option} is not described");
        }
    }
}

#[test]
fn links_between_pages_lead_somewhere() {
    for path in PAGES.iter().chain([&ERRORS, &ACCESS]) {
        let page = repository().join(path);
        let text = fs::read_to_string(&page).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            let outside = file.is_empty() || file.contains("://") || file.contains(['"', ' ', '{', '`']);
            assert!(outside || page.with_file_name(file).exists(), "{path}: {target} does not exist");
        }
    }
}
