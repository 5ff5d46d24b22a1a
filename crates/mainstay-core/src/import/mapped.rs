//! Names of files that are read as other fields: each of them must be there, or it was meant to be another.
use std::collections::BTreeSet;

use mainstay_schema::{Json, JsonLimits, nearest};

use super::{
    Format, Input, invalid,
    load::Loading,
    read::{Body, Raw, Records, csv},
};
use crate::Error;

/// Names that are remembered, so that the nearest one can be told.
const NAMES_MAX: usize = 1_000;

/// The names of a file that options name, and which of them were seen.
#[derive(Default)]
pub(super) struct Mapped {
    unseen: Vec<String>,
    seen: BTreeSet<String>,
}

impl Mapped {
    pub(super) fn of(names: &[(String, Option<String>)]) -> Mapped {
        Mapped { unseen: names.iter().map(|(from, _)| from.clone()).collect(), seen: BTreeSet::new() }
    }

    pub(super) fn all_seen(&self) -> bool {
        self.unseen.is_empty()
    }

    pub(super) fn see(&mut self, name: &str) {
        self.unseen.retain(|unseen| unseen != name);
        if self.seen.len() < NAMES_MAX {
            self.seen.insert(name.to_owned());
        }
    }

    /// The names of a record of JSON. Of one that cannot be read others say so.
    pub(super) fn see_record(&mut self, raw: &Raw) {
        let Body::Json(bytes) = &raw.body else { return };
        if let Ok(Json::Object(members)) = Json::parse(bytes, JsonLimits::default()) {
            members.iter().for_each(|(name, _)| self.see(name));
        }
    }

    /// Refuses a name that is nowhere.
    pub(super) fn refuse_unseen(&self) -> Result<(), Error> {
        let Some(name) = self.unseen.first() else { return Ok(()) };
        let error = invalid(format!("--map {name}: no column and no record has the name \"{name}\""));
        Err(match nearest(name, self.seen.iter().map(String::as_str)) {
            Some(near) => error.with_hint(format!("did you mean \"{near}\"?")),
            None => error,
        })
    }

    /// What is told of names that are nowhere, once it is too late to refuse them.
    pub(super) fn told(&self) -> Option<String> {
        let name = self.unseen.first()?;
        let near = nearest(name, self.seen.iter().map(String::as_str));
        let hint = near.map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
        Some(format!("--map {name}: no record had the name \"{name}\"{hint}"))
    }
}

impl Loading<'_> {
    /// Sees the names of the columns of a part that is open. Those of a stream are the last that come.
    pub(super) fn see_names(&mut self, part: usize, records: &Records<'_>) -> Result<(), Error> {
        records.header().iter().for_each(|name| self.mapped.see(name));
        let part = &self.parts[part];
        let comes_once = matches!(self.sources[part.source].input, Input::Stream(_));
        if part.format == Format::Csv && comes_once { self.mapped.refuse_unseen() } else { Ok(()) }
    }

    /// Looks for the names in what can be read twice, only as far as needed. A stream tells its names while it is loaded.
    pub(super) fn look_for_names(&mut self) -> Result<(), Error> {
        let mut mapped = Mapped::of(&self.options.names);
        for part in &self.parts {
            let source = &self.sources[part.source];
            if mapped.all_seen() {
                break;
            }
            match (part.format, super::parts::open(source, 0)?) {
                (_, None) => {}
                (Format::Csv, Some(input)) => {
                    let header = csv::Rows::new(input, &source.name, 0, 1, 0).header()?;
                    header.iter().for_each(|name| mapped.see(name));
                }
                (Format::Json | Format::Ndjson, Some(_)) => {
                    let mut records = self.open_from(part, None, None)?;
                    while let Some(raw) = records.next()?.filter(|_| !mapped.all_seen()) {
                        mapped.see_record(&raw);
                    }
                }
            }
        }
        if !self.sources.iter().any(|source| matches!(source.input, Input::Stream(_))) {
            mapped.refuse_unseen()?;
        }
        self.mapped = mapped;
        Ok(())
    }
}
