//! Every dependency has a licence that lets the binary be given away.
use crate::{
    metadata::{Package, packages},
    steps::Outcome,
};

const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Packages that name no licence in their manifest, with the one that stands in their licence file.
const READ_BY_US: &[(&str, &str)] = &[("jsonpath-rust", "MIT")];

pub(crate) fn check() -> Outcome {
    let packages = packages()?;
    let problems: Vec<String> = packages.iter().filter(|package| !package.ours).filter_map(problem).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn problem(package: &Package) -> Option<String> {
    let read = || READ_BY_US.iter().find(|(name, _)| *name == package.name).map(|(_, licence)| *licence);
    let who = format!("{} {}", package.name, package.version);
    match package.licence.as_deref().or_else(read) {
        None => Some(format!("{who}: it names no licence")),
        Some(licence) if !is_allowed(licence) => Some(format!("{who}: the licence \"{licence}\" is not on the list")),
        Some(_) => None,
    }
}

/// Whether an SPDX expression can be met with allowed licences: one side of an OR, both of an AND.
fn is_allowed(expression: &str) -> bool {
    let tokens: Vec<String> = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace(" WITH ", "-with-")
        .split_whitespace()
        .map(|token| token.replace("-with-", " WITH "))
        .collect();
    let mut rest = tokens.as_slice();
    let allowed = either(&mut rest);
    allowed && rest.is_empty()
}

fn either(rest: &mut &[String]) -> bool {
    let mut allowed = both(rest);
    while take(rest, "OR") {
        // Both sides are read, whatever the first one says.
        allowed |= both(rest);
    }
    allowed
}

fn both(rest: &mut &[String]) -> bool {
    let mut allowed = one(rest);
    while take(rest, "AND") {
        allowed &= one(rest);
    }
    allowed
}

fn one(rest: &mut &[String]) -> bool {
    if take(rest, "(") {
        let allowed = either(rest);
        return take(rest, ")") && allowed;
    }
    let Some((first, others)) = rest.split_first() else { return false };
    *rest = others;
    ALLOWED.contains(&first.as_str())
}

fn take(rest: &mut &[String], token: &str) -> bool {
    match rest.split_first() {
        Some((first, others)) if first == token => {
            *rest = others;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_understood() {
        for allowed in [
            "MIT",
            "MIT/Apache-2.0",
            "MIT OR GPL-3.0",
            "GPL-3.0 OR MIT",
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0",
            "ISC AND (Apache-2.0 OR ISC OR GPL-2.0)",
            "(MIT OR GPL-2.0) AND Unicode-3.0",
        ] {
            assert!(is_allowed(allowed), "{allowed}");
        }
        for refused in ["GPL-3.0", "MIT AND GPL-3.0", "AGPL-3.0 OR GPL-3.0", "", "(MIT", "MIT MIT", "SSPL-1.0"] {
            assert!(!is_allowed(refused), "{refused}");
        }
    }

    #[test]
    fn a_package_without_a_licence_is_found() {
        let package = |name: &str, licence: Option<&str>| Package {
            name: name.into(),
            version: "1.0.0".into(),
            licence: licence.map(str::to_owned),
            ours: false,
            dependencies: Vec::new(),
        };
        assert_eq!(problem(&package("a", None)).as_deref(), Some("a 1.0.0: it names no licence"));
        assert!(problem(&package("a", Some("MIT"))).is_none());
        assert!(problem(&package("a", Some("GPL-3.0"))).is_some());
    }
}
