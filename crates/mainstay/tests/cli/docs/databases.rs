//! Databases of the projects that a page makes, where the engine of the run is a server.
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use mainstay_test_db::{Engine, TestDatabase, engine};

/// Projects of one page at most; one that begins again with an empty database counts again.
const PROJECTS_MAX: usize = 4;

/// Stands for our program: each folder with a project gets a database of its own, as it would in `data/`. A reset takes another one,
/// which a server's database is not made empty by.
const SCRIPT: &str = r#"#!/bin/bash
folder=$PWD
[[ "$*" =~ --project[=\ ]([^ ]+) ]] && folder=$(realpath -m "${BASH_REMATCH[1]}")
[[ "$*" == "dev --reset" ]] && set -- dev && echo "$folder" >> "$LIST"
grep -qxF "$folder" "$LIST" || echo "$folder" >> "$LIST"
number=$(grep -nxF "$folder" "$LIST" | tail -n 1 | cut -d: -f1)
export MAINSTAY_DATABASE_URL=${MAINSTAY_DATABASE_URL:-$(sed -n "${number}p" "$URLS")}
exec "$PROGRAM" "$@"
"#;

/// The databases of a page; none on SQLite.
pub(super) struct Databases(#[expect(dead_code, reason = "they are given back in the end")] Vec<TestDatabase>);

/// Puts a program into a folder that is to be found before ours.
pub(super) fn provide(folder: &Path, program: &Path) -> Databases {
    if engine() == Engine::Sqlite {
        return Databases(Vec::new());
    }
    fs::create_dir_all(folder).unwrap();
    let databases: Vec<TestDatabase> = (0..PROJECTS_MAX).map(|_| TestDatabase::new()).collect();
    let (list, urls, script) = (folder.join("list"), folder.join("urls"), folder.join("mainstay"));
    fs::write(&list, "").unwrap();
    fs::write(&urls, databases.iter().map(|database| database.url() + "\n").collect::<String>()).unwrap();
    let text = SCRIPT.replace("$LIST", &list.display().to_string());
    let text = text.replace("$URLS", &urls.display().to_string());
    fs::write(&script, text.replace("$PROGRAM", &program.display().to_string())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    Databases(databases)
}
