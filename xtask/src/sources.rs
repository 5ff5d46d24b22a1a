//! The Rust files of the workspace.
use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::cargo;

/// One file: its path from the root, and its text.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// All of them, in order.
pub(crate) fn sources() -> Result<Vec<Source>, Vec<String>> {
    let root = cargo::root();
    let mut paths = Vec::new();
    for folder in ["crates", "bench", "examples", "xtask"] {
        collect(&root.join(folder), &mut paths);
    }
    paths.sort();
    paths.iter().map(|path| read(&root, path)).collect()
}

fn read(root: &Path, path: &Path) -> Result<Source, Vec<String>> {
    let text = fs::read_to_string(path).map_err(|error| vec![format!("{}: {error}", path.display())])?;
    let path = path.strip_prefix(root).unwrap_or(path).display().to_string();
    Ok(Source { path, text })
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && name != "node_modules" && !name.starts_with('.') {
            collect(&path, paths);
        } else if name.ends_with(".rs") {
            paths.push(path);
        }
    }
}
