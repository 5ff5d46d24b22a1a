//! One cryptography library: `aws-lc-rs`. A second one would be linked beside it, unseen, by a careless default feature.
use crate::{metadata::packages, steps::Outcome};

const UNWANTED: &[&str] = &["ring", "openssl-sys", "native-tls"];

pub(crate) fn check() -> Outcome {
    let packages = packages()?;
    let names = packages.iter().map(|package| package.name.as_str());
    let problems = problems(names);
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn problems<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names
        .filter(|name| UNWANTED.contains(name))
        .map(|name| format!("Cargo.lock: \"{name}\" is in the tree; see who wants it: cargo tree -i {name}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unwanted_library_is_found() {
        assert!(problems(["aws-lc-rs", "string"].into_iter()).is_empty());
        assert_eq!(problems(["ring"].into_iter()).len(), 1);
    }
}
