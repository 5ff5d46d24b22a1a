//! The arrows between crates: each may use only what stands below it.
use crate::{
    metadata::{Package, packages},
    steps::Outcome,
};

/// What each crate of ours may use of ours; what is not listed, it may not.
const ALLOWED: &[(&str, &[&str])] = &[
    ("mainstay-expr", &[]),
    ("mainstay-schema", &["mainstay-expr"]),
    ("mainstay-plan", &["mainstay-schema", "mainstay-expr"]),
    ("mainstay-store", &["mainstay-plan", "mainstay-schema", "mainstay-expr"]),
    ("mainstay-core", &["mainstay-store", "mainstay-plan", "mainstay-schema", "mainstay-expr"]),
    ("mainstay-auth", &["mainstay-core", "mainstay-schema", "mainstay-expr"]),
    ("mainstay-http", &["mainstay-auth", "mainstay-core", "mainstay-schema", "mainstay-expr"]),
    (
        "mainstay",
        &["mainstay-http", "mainstay-auth", "mainstay-core", "mainstay-store", "mainstay-schema", "mainstay-expr"],
    ),
    ("mainstay-test-db", &["mainstay-store"]),
    ("mainstay-servers", &[]),
    ("xtask", &["mainstay-servers"]),
    (
        "mainstay-testing",
        &[
            "mainstay-http",
            "mainstay-auth",
            "mainstay-core",
            "mainstay-store",
            "mainstay-schema",
            "mainstay-expr",
            "mainstay-test-db",
        ],
    ),
];

/// What the tests of every crate with a database in it may use.
const DATABASE: &str = "mainstay-test-db";
/// The crates whose tests have a database.
const TESTED_ON_DATABASES: &[&str] = &["mainstay-store", "mainstay-core"];
/// The crates whose tests may use `mainstay-testing` and the harnesses of `mainstay-bench`.
const TESTED_WHOLE: &[&str] = &["mainstay-http", "mainstay", "mainstay-bench"];

/// Libraries that belong to one crate: the wire, the engine, the expression parser, the schema parser.
const OWNED: &[(&str, &[&str])] = &[
    ("hyper", &["mainstay-http"]),
    ("http", &["mainstay-http"]),
    ("rusqlite", &["mainstay-store", "mainstay-test-db", "mainstay-bench"]),
    ("cel", &["mainstay-expr"]),
    ("apollo-compiler", &["mainstay-schema"]),
    ("jsonwebtoken", &["mainstay-auth"]),
    ("clap", &["mainstay", "mainstay-bench"]),
];

pub(crate) fn check() -> Outcome {
    let packages = packages()?;
    let problems: Vec<String> = packages.iter().filter(|package| package.ours).flat_map(problems).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn problems(package: &Package) -> Vec<String> {
    let mut problems = Vec::new();
    for dependency in &package.dependencies {
        let ours = dependency.name.starts_with("mainstay");
        let fits = if ours && dependency.dev {
            TESTED_WHOLE.contains(&package.name.as_str())
                || may_use(&package.name, &dependency.name)
                || dependency.name == DATABASE && TESTED_ON_DATABASES.contains(&package.name.as_str())
        } else if ours {
            may_use(&package.name, &dependency.name)
        } else {
            dependency.dev || owns(&package.name, &dependency.name)
        };
        if !fits {
            problems
                .push(format!("{}/Cargo.toml: \"{}\" may not use \"{}\"", package.name, package.name, dependency.name));
        }
    }
    problems
}

fn may_use(package: &str, other: &str) -> bool {
    if package == "mainstay-bench" {
        return true;
    }
    ALLOWED.iter().any(|(name, allowed)| *name == package && allowed.contains(&other))
}

fn owns(package: &str, library: &str) -> bool {
    OWNED.iter().find(|(name, _)| *name == library).is_none_or(|(_, owners)| owners.contains(&package))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Dependency;

    fn problems_of(package: &str, uses: &str, dev: bool) -> Vec<String> {
        let dependencies = vec![Dependency { name: uses.into(), dev }];
        problems(&Package { name: package.into(), version: "0.1.0".into(), licence: None, ours: true, dependencies })
    }

    #[test]
    fn an_arrow_upwards_is_found() {
        let found = problems_of("mainstay-plan", "mainstay-store", false);
        assert_eq!(found, ["mainstay-plan/Cargo.toml: \"mainstay-plan\" may not use \"mainstay-store\""]);
        assert!(problems_of("mainstay-store", "mainstay-plan", false).is_empty());
        assert!(!problems_of("mainstay-new", "mainstay-expr", false).is_empty());
    }

    #[test]
    fn a_library_in_a_foreign_crate_is_found() {
        assert!(!problems_of("mainstay-core", "rusqlite", false).is_empty());
        assert!(problems_of("mainstay-store", "rusqlite", false).is_empty());
        assert!(problems_of("mainstay-core", "serde", false).is_empty());
    }

    #[test]
    fn tests_may_start_a_server_at_the_top_only() {
        assert!(problems_of("mainstay-http", "mainstay-testing", true).is_empty());
        assert!(!problems_of("mainstay-http", "mainstay-testing", false).is_empty());
        assert!(!problems_of("mainstay-expr", "mainstay-testing", true).is_empty());
        assert!(problems_of("mainstay-store", "mainstay-test-db", true).is_empty());
        assert!(!problems_of("mainstay-store", "mainstay-testing", true).is_empty());
        assert!(!problems_of("mainstay-schema", "mainstay-test-db", true).is_empty());
    }

    #[test]
    fn every_arrow_points_to_a_crate_that_stands_lower() {
        let rank = |name: &str| ALLOWED.iter().position(|(of, _)| *of == name);
        for (name, allowed) in ALLOWED {
            assert!(allowed.iter().all(|other| rank(other) < rank(name)), "{name}");
        }
    }
}
