//! The databases of tests: each begins with a copy of one that holds its records.
use std::{
    fs,
    path::{Path, PathBuf},
};

use mainstay_core::{
    AdminPass,
    import::{Options, Report},
};
use serde_json::json;

use super::{
    file::{Test, TestFile},
    runner::Runner,
    wire::{self, DATABASE},
};
use crate::{
    database::{Allowed, Way},
    failure::{Detail, Failure},
    loading,
};

impl Runner<'_> {
    /// A folder with a database that holds what the test begins with.
    pub(super) async fn database(&mut self, file: &TestFile, test: &Test) -> Result<PathBuf, Failure> {
        let key = json!([test.seed, test.records]).to_string();
        let template = match self.templates.get(&key) {
            Some(template) => template.clone(),
            None => {
                let folder = self.fresh()?;
                self.fill(file, test, &folder).await?;
                self.templates.insert(key, folder.clone());
                folder
            }
        };
        self.copy(&template)
    }

    fn fresh(&mut self) -> Result<PathBuf, Failure> {
        self.databases += 1;
        let folder = self.folder.path().join(self.databases.to_string());
        fs::create_dir_all(&folder).map_err(|error| Failure::io(folder.display(), &error))?;
        Ok(folder)
    }

    /// A database of its own with what another one holds.
    pub(super) fn copy(&mut self, from: &Path) -> Result<PathBuf, Failure> {
        let folder = self.fresh()?;
        // The log first: what is brought into the file meanwhile is in both then.
        for ending in ["-wal", ""] {
            let name = format!("{DATABASE}{ending}");
            if from.join(&name).exists() {
                let copied = fs::copy(from.join(&name), folder.join(&name));
                copied.map_err(|error| Failure::io("the copy of a database", &error))?;
            }
        }
        Ok(folder)
    }

    /// Makes the tables and loads the records.
    async fn fill(&self, file: &TestFile, test: &Test, folder: &Path) -> Result<(), Failure> {
        let (store, core) = wire::core(self.project, &self.schema, folder)?;
        Way::to_schema(&store, &self.schema)?.apply(&store, Allowed::ALL)?;
        let mut sources = Vec::new();
        for name in &test.seed {
            let path = self.seed_file(file, test, name)?;
            sources.push(loading::source(&path, name, None, None, &self.schema)?);
        }
        if !test.records.is_empty() {
            let path = folder.join("records.json");
            fs::write(&path, json!(test.records).to_string()).map_err(|error| Failure::io("records", &error))?;
            sources.push(loading::source(&path, "records", None, None, &self.schema)?);
        }
        let pass = AdminPass::for_command("the records of a rule test");
        let loaded = match sources.is_empty() {
            true => Ok(Report::default()),
            false => loading::load(&core, pass, sources, &Options::default(), &mut |_| {}).await,
        };
        store.close();
        let report = loaded?;
        if report.errors.is_empty() {
            return Ok(());
        }
        let json = serde_json::to_value(&report).unwrap_or_default();
        let failure = file.failure(test.line, "the records to begin with cannot be loaded");
        Err(failure.detail(Detail::Lines(loading::lines(&report), json)))
    }

    fn seed_file(&self, file: &TestFile, test: &Test, name: &str) -> Result<PathBuf, Failure> {
        let path = self.project.path(name);
        if path.is_file() {
            return Ok(path);
        }
        let known = self.project.folder_files("seed", &["json", "ndjson", "jsonl", "csv"])?;
        let hint = match mainstay_schema::nearest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("do you mean \"{near}\"?"),
            None => "paths begin at the project's folder".to_owned(),
        };
        Err(file.failure(test.line, format!("there is no seed file \"{name}\"")).hint(hint))
    }
}
