//! A project's folder: where its files are, and its schema.
use std::{
    fs,
    path::{Path, PathBuf},
};

use mainstay_schema::{Schema, Source};
use mainstay_store::Location;

use crate::{failure::Failure, settings::Settings};

/// Bytes of all schema files at most.
const SCHEMA_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A project.
#[derive(Debug)]
pub(crate) struct Project {
    /// Its folder.
    pub(crate) root: PathBuf,
    /// Its settings.
    pub(crate) settings: Settings,
}

/// A schema file: its name as errors show it, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SchemaFile {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Project {
    /// The project in a folder. Fails when there is none, or its settings are wrong.
    pub(crate) fn open(root: &Path) -> Result<Project, Failure> {
        if !root.is_dir() {
            return Err(Failure::new("no_project", format!("there is no folder {:?}", root.display().to_string())));
        }
        let settings = Settings::load(&root.join("mainstay.toml"))?;
        Ok(Project { root: root.to_path_buf(), settings })
    }

    /// A path of the settings: as it is, or under the project's folder.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Where the database is.
    pub(crate) fn database(&self) -> Result<Location, Failure> {
        self.settings.database.location(&self.root)
    }

    /// The folder of what else belongs to this copy of the project: that of an embedded database, else `data`.
    pub(crate) fn data_folder(&self) -> Result<PathBuf, Failure> {
        match self.database()? {
            Location::File(path) => Ok(path.parent().unwrap_or(&self.root).to_path_buf()),
            Location::Postgres(_) => Ok(self.path("data")),
        }
    }

    /// The schema's files: `schema.graphql`, or all of `schema/*.graphql` in the order of their names.
    pub(crate) fn schema_files(&self) -> Result<Vec<SchemaFile>, Failure> {
        let names = self.schema_names()?;
        let mut bytes_left = SCHEMA_BYTES_MAX;
        let mut files = Vec::with_capacity(names.len());
        for name in names {
            let path = self.root.join(&name);
            let length = fs::metadata(&path).map_err(|error| Failure::io(&name, &error))?.len();
            bytes_left = bytes_left.checked_sub(length).ok_or_else(|| {
                Failure::new("schema", format!("the schema files have more than {SCHEMA_BYTES_MAX} bytes"))
            })?;
            let text = fs::read_to_string(&path).map_err(|error| Failure::io(&name, &error))?;
            files.push(SchemaFile { name, text });
        }
        Ok(files)
    }

    fn schema_names(&self) -> Result<Vec<String>, Failure> {
        let single = self.root.join("schema.graphql").is_file();
        let mut names = self.folder_files("schema", &["graphql"])?;
        match (single, names.is_empty()) {
            (true, false) => Err(Failure::new("schema", "there are both schema.graphql and files in schema/")
                .hint("move everything into one of them")),
            (true, true) => Ok(vec!["schema.graphql".to_owned()]),
            (false, false) => Ok(std::mem::take(&mut names)),
            (false, true) => Err(Failure::new("no_project", "there is no schema.graphql here")
                .hint("mainstay new NAME makes a project; --project DIR names one")),
        }
    }

    /// The files of a folder of the project that end with one of these, sorted by name; `folder/name`.
    pub(crate) fn folder_files(&self, folder: &str, extensions: &[&str]) -> Result<Vec<String>, Failure> {
        let path = self.root.join(folder);
        if !path.is_dir() {
            return Ok(Vec::new());
        }
        let entries = fs::read_dir(&path).map_err(|error| Failure::io(folder, &error))?;
        let fits = |name: &String| {
            let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
            extension.is_some_and(|extension| extensions.contains(&extension))
        };
        let mut names: Vec<String> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(fits).collect();
        names.sort();
        Ok(names.into_iter().map(|name| format!("{folder}/{name}")).collect())
    }

    /// The checked schema.
    pub(crate) fn schema(&self) -> Result<Schema, Failure> {
        load(&self.schema_files()?)
    }
}

/// The checked schema of these files.
pub(crate) fn load(files: &[SchemaFile]) -> Result<Schema, Failure> {
    let sources: Vec<Source<'_>> = files.iter().map(|file| Source { name: &file.name, text: &file.text }).collect();
    Schema::load(&sources).map_err(Failure::schema)
}
