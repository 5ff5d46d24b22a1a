//! The settings: `mainstay.toml`, each with a default, over it the environment.
mod auth;
mod changes;
mod database;
mod dev;
mod environment;
mod limits;
mod log;
mod nodes;
mod server;

use std::{env, fs, path::Path};

use mainstay_schema::nearest;
use mainstay_store::Location;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

pub(crate) use self::{
    auth::AuthArea, changes::ChangesArea, database::DatabaseArea, dev::DevSettings, limits::LimitsArea,
    log::LogSettings, nodes::NodesArea, server::ServerArea,
};
use crate::failure::Failure;

/// All settings.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// How the server listens and behaves towards its clients.
    pub(crate) server: ServerArea,
    /// Where the data is.
    pub(crate) database: DatabaseArea,
    /// What the change feed keeps.
    pub(crate) changes: ChangesArea,
    /// Whose tokens are taken.
    pub(crate) auth: AuthArea,
    /// What one request may ask for.
    pub(crate) limits: LimitsArea,
    /// What is logged.
    pub(crate) log: LogSettings,
    /// How nodes of one database see each other.
    pub(crate) nodes: NodesArea,
    /// What `mainstay dev` tells.
    pub(crate) dev: DevSettings,
}

impl Settings {
    /// Reads the file, if it is there, and the environment.
    pub(crate) fn load(file: &Path) -> Result<Settings, Failure> {
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Failure::io(file.display(), &error)),
        };
        let variables: Vec<(String, String)> = env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let name = file.strip_prefix(".").unwrap_or(file);
        Settings::parse(&text, &name.display().to_string(), &variables)
    }

    /// How the database is opened that is here.
    pub(crate) fn store(&self, at: Location) -> mainstay_store::Settings {
        mainstay_store::Settings { feed: self.changes.store(), ..self.database.store(at) }
    }

    /// Reads the text of a file called `name`, with these variables over it.
    fn parse(text: &str, name: &str, variables: &[(String, String)]) -> Result<Settings, Failure> {
        // Once alone, so that an error shows its place in the file.
        toml::from_str::<Settings>(text).map_err(|error| in_file(name, text, &error))?;
        let mut table: Table = toml::from_str(text).map_err(|error| in_file(name, text, &error))?;
        environment::overlay(&mut table, variables)?;
        environment::resolve(&mut table, variables)?;
        let settings: Settings = Value::Table(table)
            .try_into()
            .map_err(|error: toml::de::Error| Failure::new("settings", format!("settings: {}", error.message())))?;
        settings.server.check()?;
        settings.nodes.check()?;
        settings.changes.check()?;
        Ok(settings)
    }
}

/// An error in the file, with its line and column, and the name that may be meant.
pub(crate) fn in_file(name: &str, text: &str, error: &toml::de::Error) -> Failure {
    let at = error.span().map_or(0, |span| span.start.min(text.len()));
    let line = text[..at].matches('\n').count() + 1;
    let column = text[..at].rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let failure = Failure::new("settings", format!("{name}:{line}:{column}: {}", error.message().replace('`', "\"")));
    match unknown(error.message()).and_then(|(word, known)| nearest(word, known).map(str::to_owned)) {
        Some(near) => failure.hint(format!("do you mean \"{near}\"?")),
        None => failure,
    }
}

/// The unknown name and the known ones, out of the message of serde about it.
fn unknown(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (word, rest) = rest.split_once('`')?;
    Some((word, rest.split('`').skip(1).step_by(2).collect()))
}

#[cfg(test)]
mod tests;
