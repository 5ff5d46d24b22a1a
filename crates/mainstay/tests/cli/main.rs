//! The binary from outside: every command as its user meets it.
#![expect(clippy::unwrap_used, reason = "a test may fail where it likes")]

mod backup;
mod changes;
mod chaos;
mod check;
mod chinook;
mod crash;
mod deploy;
mod dev;
mod disk;
mod docs;
mod examples;
mod explain;
mod export;
mod import;
mod import_links;
mod import_options;
mod import_remembered;
mod import_repaired;
mod import_resumed;
mod import_waiting;
mod migrate;
mod moving;
mod named;
mod new;
mod nodes;
mod postgres;
mod questions;
mod serve;
mod settings;
mod support;
mod test_command;
mod test_fields;
mod texts;
mod token;
mod types;
