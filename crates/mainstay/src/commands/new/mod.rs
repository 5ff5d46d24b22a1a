//! `mainstay new`: a project that runs.
mod templates;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use serde_json::json;

use self::templates::{EMPTY, File, SHOP, SKILLMAP, SMALL, TRACKER};
use super::Outcome;
use crate::{failure::Failure, output::Output};

/// Make a project that runs
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mainstay new myapp && mainstay dev --project myapp")]
pub(crate) struct Arguments {
    /// The folder to make.
    name: PathBuf,
    /// Without any type.
    #[arg(long, conflicts_with = "template")]
    empty: bool,
    /// A larger project to begin with.
    #[arg(long, value_name = "NAME")]
    template: Option<Template>,
}

/// The larger projects.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Template {
    /// A map of skills, with data.
    Skillmap,
    /// A project tracker for many organisations, with rule tests.
    Tracker,
    /// A shop with prices, stock and orders, with rule tests.
    Shop,
}

pub(crate) fn run(arguments: &Arguments, base: &Path, output: Output) -> Outcome {
    let folder = if base == Path::new(".") { arguments.name.clone() } else { base.join(&arguments.name) };
    let shown = folder.display().to_string();
    if !is_free(&folder)? {
        return Err(Failure::new("not_empty", format!("the folder {shown:?} is not empty")));
    }
    let files = match (arguments.template, arguments.empty) {
        (Some(Template::Skillmap), _) => SKILLMAP,
        (Some(Template::Tracker), _) => TRACKER,
        (Some(Template::Shop), _) => SHOP,
        (None, true) => EMPTY,
        (None, false) => SMALL,
    };
    for file in files {
        write(&folder, file)?;
    }
    let names: Vec<&str> = files.iter().map(|file| file.path).collect();
    let text = format!("{shown}: {}\n\n  cd {shown}\n  mainstay dev", names.join(", "));
    output.result(text, &json!({"folder": shown, "files": names}));
    Ok(ExitCode::SUCCESS)
}

fn is_free(folder: &Path) -> Result<bool, Failure> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(Failure::io(folder.display(), &error)),
    }
}

fn write(folder: &Path, file: &File) -> Result<(), Failure> {
    let path = folder.join(file.path);
    let failure = |error| Failure::io(path.display(), &error);
    fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(failure)?;
    fs::write(&path, file.text).map_err(failure)
}
