//! One cryptography library: `aws-lc-rs`. A second one would be linked beside it, unseen, by a careless default feature.
use crate::{cargo::printed, steps::Outcome};

const UNWANTED: &[&str] = &["ring", "openssl-sys", "native-tls"];

/// Asks for the tree that is built: `Cargo.lock` also names what an optional feature could bring.
pub(crate) fn check() -> Outcome {
    let tree = printed(&["tree", "--workspace", "--target", "all", "--prefix", "none", "--format", "{p}", "--locked"])?;
    let problems = problems(&tree);
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn problems(tree: &str) -> Vec<String> {
    let names = tree.lines().filter_map(|line| line.split_whitespace().next());
    let found = UNWANTED.iter().filter(|unwanted| names.clone().any(|name| name == **unwanted));
    found.map(|name| format!("\"{name}\" is in the tree; see who wants it: cargo tree -i {name}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unwanted_library_is_found() {
        assert!(problems("aws-lc-rs v1.0.0\nstring v0.1.0\n").is_empty());
        assert_eq!(problems("mainstay v0.1.0\nring v0.17.14\n").len(), 1);
    }
}
