//! The settings: `mainstay.toml`, each with a default, over it the environment.
mod address;
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

/// What has to be at least 1: without it nothing is answered, or it is waited for without end.
const NEVER_ZERO: [&str; 30] = [
    "server.connections_max",
    "server.header_bytes_max",
    "server.headers_max",
    "server.header_timeout_ms",
    "server.body_bytes_max",
    "server.body_timeout_ms",
    "server.answer_timeout_ms",
    "server.json_depth_max",
    "server.idempotency_key_length_max",
    "database.statement_ms_max",
    "database.answer_bytes_max",
    "database.readers",
    "database.group_max",
    "database.writer_queue_max",
    "database.connections",
    "database.connect_timeout_ms",
    "database.migrate_lock_ms",
    "database.idle_in_transaction_ms_max",
    "changes.trim_every_ms",
    "changes.poll_ms",
    "limits.page_default",
    "limits.page_max",
    "limits.nested_default",
    "limits.nested_max",
    "limits.selection_max",
    "limits.batch_max",
    "limits.expression_length_max",
    "limits.changes_default",
    "limits.changes_max",
    "limits.changes_bytes_max",
];

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
        let settings: Settings = Value::Table(table).try_into().map_err(|error: toml::de::Error| {
            let place = environment::misfit(variables).unwrap_or("settings");
            Failure::new("settings", format!("{place}: {}", error.message().replace('`', "\"")))
        })?;
        settings.check()?;
        Ok(settings)
    }

    /// Fails where a value has the type of its setting and cannot be meant.
    fn check(&self) -> Result<(), Failure> {
        self.check_zeros()?;
        self.server.check()?;
        self.nodes.check()?;
        self.changes.check()?;
        self.log.filter().map(|_| ())
    }

    /// Fails where a limit of 0 would let nothing through, or mean no limit to the database.
    fn check_zeros(&self) -> Result<(), Failure> {
        let table = Table::try_from(self).map_err(|error| Failure::new("settings", error.to_string()))?;
        let is_zero = |name: &&&str| {
            let (area, key) = name.split_once('.').unwrap_or_default();
            let value = table.get(area).and_then(|area| area.get(key));
            value.and_then(Value::as_integer) == Some(0)
        };
        match NEVER_ZERO.iter().find(is_zero) {
            Some(name) => Err(Failure::new("settings", format!("{name}: 0 is too little")).hint("at least 1")),
            None => Ok(()),
        }
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
