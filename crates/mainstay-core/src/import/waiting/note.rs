//! Notes of what waits, as they stand in the database.
use std::borrow::Cow;

use mainstay_schema::{FieldKind, Json, JsonLimits};

use super::super::{
    invalid,
    links::{Link, Name, linked_name},
    load::Loading,
    read::Fields,
    sum::Sum,
};
use crate::{Error, errors::from_store};

/// Notes that are taken at once.
const NOTES_MAX: usize = 500;

/// Something that waits.
pub(in crate::import) struct Note<'r> {
    pub(in crate::import) number: i64,
    pub(super) line: u64,
    pub(in crate::import) at: u64,
    pub(super) sum: Sum,
    pub(in crate::import) what: What<'r>,
    pub(super) text: &'r str,
}

/// What waits.
pub(in crate::import) enum What<'r> {
    Record {
        fields: Fields<'r>,
        /// Its key, where it is written.
        key: Option<String>,
    },
    Links {
        key: String,
        link: Link<'r>,
    },
    /// Links of a field that is none any more, or by a unique that is none.
    Gone {
        key: String,
        field: Cow<'r, str>,
    },
}

impl Note<'_> {
    /// The key of the record, where it is written.
    pub(super) fn key(&self) -> Option<&str> {
        match &self.what {
            What::Record { key, .. } => key.as_deref(),
            What::Links { key, .. } | What::Gone { key, .. } => Some(key),
        }
    }
}

/// What waits of a record, as far as it can be shown: all of it, or the id of one that is written and its links that wait.
pub(super) fn shown(notes: &[&Note<'_>]) -> String {
    let mut shown: Fields<'_> = Vec::new();
    for note in notes {
        if let What::Record { fields, .. } = &note.what {
            return Json::Object(fields.clone()).to_canonical();
        }
        let id = note.key().filter(|_| shown.is_empty());
        shown.extend(id.map(|id| (Cow::Borrowed("id"), Json::Text(Cow::Borrowed(id)))));
        let Some(Json::Object(members)) = json(note.text) else { continue };
        let (mut field, mut names) = (None, Vec::new());
        for (name, value) in members {
            match (&*name, value) {
                ("field", Json::Text(value)) => field = Some(value),
                ("names", Json::Array(value)) => names = value,
                _ => {}
            }
        }
        let is_one = matches!(&note.what, What::Links { link, .. } if !link.many);
        let value = if is_one { names.pop() } else { Some(Json::Array(names)) };
        shown.extend(field.zip(value));
    }
    Json::Object(shown).to_canonical()
}

/// A note as JSON: it stands around a record, and may be deeper than that.
pub(in crate::import) fn json(text: &str) -> Option<Json<'_>> {
    Json::parse(text.as_bytes(), JsonLimits { depth_max: JsonLimits::default().depth_max + 1 }).ok()
}

impl Loading<'_> {
    /// The next notes of a source behind one, or before it; `None` at the end.
    pub(in crate::import) fn noted_from(
        &self,
        id: &str,
        from: &mut Option<i64>,
        backward: bool,
    ) -> Result<Option<Vec<(i64, String)>>, Error> {
        let begin = from.unwrap_or(if backward { i64::MAX } else { 0 });
        let noted = self.core.store().noted_waiting(id, begin, backward, NOTES_MAX).map_err(from_store)?;
        *from = noted.last().map(|(number, _)| *number);
        Ok(from.map(|_| noted))
    }

    /// Reads a note. The schema may have changed since it was written.
    pub(in crate::import) fn parse<'r>(&self, part: usize, number: i64, text: &'r str) -> Result<Note<'r>, Error> {
        let unreadable = || {
            let source = &self.sources[self.parts[part].source].name;
            invalid(format!("what waits of {source} cannot be read: note {number} in the database is no such note"))
        };
        let Some(Json::Object(members)) = json(text) else { return Err(unreadable()) };
        let (mut line, mut at, mut sum, mut record, mut key) = (0, 0, Sum::default(), None, None);
        let (mut field, mut names) = (None, None);
        for (name, value) in members {
            match (&*name, value) {
                ("line", Json::Int(value)) => line = u64::try_from(value).unwrap_or(0),
                ("at", Json::Int(value)) => at = u64::try_from(value).unwrap_or(0),
                ("sum", Json::Text(value)) => sum = Sum::from(value.into_owned()),
                ("record", Json::Object(fields)) => record = Some(fields),
                ("key", Json::Text(value)) => key = Some(value.into_owned()),
                ("field", Json::Text(value)) => field = Some(value),
                ("names", Json::Array(value)) => names = Some(value),
                _ => {}
            }
        }
        let what = match (record, key, field, names) {
            (Some(fields), key, ..) => What::Record { fields: self.with_names_of_today(part, fields), key },
            (None, Some(key), Some(field), Some(names)) => self.waiting_link(part, key, field, names),
            _ => return Err(unreadable()),
        };
        Ok(Note { number, line, at, sum, what, text })
    }

    fn waiting_link<'r>(&self, part: usize, key: String, field: Cow<'r, str>, names: Vec<Json<'r>>) -> What<'r> {
        let field = self.name_of_today(part, field);
        let of = self.core.schema().collection(self.parts[part].collection);
        let Some((known, target)) = of.field_named(&field).and_then(|known| Some((known, known.target()?))) else {
            return What::Gone { key, field };
        };
        let many = matches!(known.kind, FieldKind::Many { .. });
        let names: Option<Vec<Name<'r>>> =
            names.iter().map(|name| linked_name(self.core.schema().collection(target), name)).collect();
        let Some(names) = names else { return What::Gone { key, field } };
        What::Links { key, link: Link { field: known.id, target, required: false, many, names } }
    }

    fn with_names_of_today<'r>(&self, part: usize, fields: Fields<'r>) -> Fields<'r> {
        fields.into_iter().map(|(name, value)| (self.name_of_today(part, name), value)).collect()
    }

    /// What a field is called that was called so when its note was written: where there is none, as the file's names say.
    fn name_of_today<'r>(&self, part: usize, name: Cow<'r, str>) -> Cow<'r, str> {
        let of = self.core.schema().collection(self.parts[part].collection);
        let renamed = || self.options.names.iter().find(|(from, _)| *from == name).and_then(|(_, to)| to.clone());
        match of.field_named(&name) {
            Some(_) => name,
            None => renamed().map_or(name, Cow::Owned),
        }
    }
}
