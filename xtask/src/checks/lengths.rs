//! No file grows past 500 lines. What is longer today may stay as long as it is, and may not grow.
use crate::{
    sources::{Source, sources},
    steps::Outcome,
};

const LINES_MAX: usize = 500;

/// The files that are longer, with the lines that they have and the reason. Take a line out here when a file has been cut.
const LONGER: &[(&str, usize, &str)] = &[];

pub(crate) fn check() -> Outcome {
    let sources = sources()?;
    let mut problems: Vec<String> = sources.iter().filter_map(|source| problem(source, LONGER)).collect();
    let gone = |path: &str| sources.iter().all(|source| source.path != path);
    problems.extend(
        LONGER.iter().filter(|(path, ..)| gone(path)).map(|(path, ..)| format!("{path}: there is no such file")),
    );
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn problem(source: &Source, longer: &[(&str, usize, &str)]) -> Option<String> {
    let lines = source.text.lines().count();
    let known = longer.iter().find(|(path, ..)| *path == source.path);
    let path = &source.path;
    match known {
        Some((_, before, _)) if lines < *before => {
            Some(format!("{path}: {lines} lines, the list says {before}: lower it"))
        }
        Some((_, before, _)) if lines > *before => {
            Some(format!("{path}: {lines} lines, more than the {before} it had"))
        }
        None if lines > LINES_MAX => Some(format!("{path}:{LINES_MAX}: {lines} lines, more than {LINES_MAX}: cut it")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_found_and_known_ones_only_shrink() {
        let found = |lines: usize, longer| {
            problem(&Source { path: "a.rs".into(), text: "x\n".repeat(lines) }, longer).is_some()
        };
        let known = [("a.rs", 600, "a table")];
        assert_eq!((found(500, &[]), found(501, &[])), (false, true));
        assert_eq!((found(599, &known), found(600, &known), found(601, &known)), (true, false, true));
    }
}
