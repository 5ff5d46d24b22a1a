//! Small sources are looked at as a whole before anything is written: links that lead nowhere, and records that cannot be read or have
//! wrong values, are told first.
use std::collections::{HashMap, HashSet};

use mainstay_schema::{Collection, CollectionId, FieldId, FieldKind, Json, KeyKind, Schema};

use super::{
    Input, Problem,
    links::{Link, Name, as_name, name_fields},
    load::Loading,
    lookup::{NamesOf, spelled},
    prepare::{new_record, plain_error},
    read::Fields,
};
use crate::{
    Error, FieldError,
    record::{
        field::Sender,
        new::{NewRecords, Purpose},
        reading::Reading,
    },
};

/// Bytes of sources that are looked at as a whole.
const SMALL_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Names of records, each with what it is of.
type Names = HashSet<(CollectionId, FieldId, String)>;

/// A link to look at: its part, the record's place, and what it is.
type Asked = (usize, (u64, u64), Link<'static>);

/// Something wrong: its part and line, so that all is told in their order.
type Found = ((usize, u64), Problem);

/// A key that stands for the one that a link leads to, while that is not looked up.
fn stand_in(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Uuid => "00000000-0000-7000-8000-000000000000",
        KeyKind::Int | KeyKind::String => "1",
    }
}

/// Links to one record, as if all of them were there.
pub(super) fn stands_in<'n>(schema: &Schema, of: &Collection, links: &[Link<'_>]) -> Fields<'n> {
    let to_one = links.iter().filter(|link| !link.many && !link.names.is_empty());
    let stands_in = |link: &Link<'_>| {
        let key = Json::Text(stand_in(schema.collection(link.target).key).into());
        (of.field(link.field).name.clone().into(), key)
    };
    to_one.map(stands_in).collect()
}

/// Whether checks read where one of these links leads to.
pub(super) fn checks_links(of: &Collection, mut links: impl Iterator<Item = FieldId>) -> bool {
    let is_read = |link: &FieldId| of.checks.iter().any(|check| check.reads.contains(link));
    links.any(|link| matches!(of.field(link).kind, FieldKind::ToOne { .. }) && is_read(&link))
}

impl Loading<'_> {
    /// Whether all sources together are small, and can be read twice.
    pub(super) fn is_small(&self) -> bool {
        let once = self.sources.iter().any(|source| matches!(source.input, Input::Stream(_)));
        !once && self.parts.iter().map(|part| part.bytes).sum::<u64>() <= SMALL_BYTES_MAX
    }

    /// Looks at everything, and reports what is wrong with links and values, and what cannot be read.
    pub(super) async fn look_first(&mut self) -> Result<(), Error> {
        let mut names = Names::default();
        let mut asked: Vec<Asked> = Vec::new();
        let mut found: Vec<Found> = Vec::new();
        for at in 0..self.parts.len() {
            self.look_at(at, &mut names, &mut asked, &mut found)?;
        }
        asked.retain_mut(|(_, _, link)| {
            let target = self.core.schema().collection(link.target);
            link.names.iter().any(|name| !name.is_key(target) && !self.is_among(&names, link.target, name))
        });
        let mut unknown: HashMap<NamesOf, Vec<String>> = HashMap::new();
        for (_, _, link) in &asked {
            for name in &link.names {
                unknown.entry((link.target, name.by)).or_default().push(name.text.clone().into_owned());
            }
        }
        for (of, names) in unknown {
            self.known.look_up(self.core, self.request, of, names, false).await?;
        }
        for (at, (line, number), link) in asked {
            self.look_at_link(at, (line, number), &link, &names, &mut found);
        }
        found.sort_by_key(|(place, _)| *place);
        self.report.problems(found.into_iter().map(|(_, problem)| problem));
        Ok(())
    }

    fn look_at(
        &mut self,
        at: usize,
        names: &mut Names,
        asked: &mut Vec<Asked>,
        found: &mut Vec<Found>,
    ) -> Result<(), Error> {
        let of = self.parts[at].collection;
        let collection = self.core.schema().collection(of);
        let named: Vec<_> = name_fields(collection).into_iter().map(|id| (&*collection.field(id).name, id)).collect();
        let reading = Reading::new(self.core, self.request, Sender::File, false);
        let reader = NewRecords {
            checked: !checks_links(collection, collection.fields.iter().map(|field| field.id)),
            ..self.core.reader(&reading, of, Purpose::Load)
        };
        let mut records = self.open(at)?;
        let columns = records.columns().to_vec();
        while let Some(raw) = records.next()? {
            for row in self.understand(at, &columns, std::slice::from_ref(&raw)) {
                match row.read {
                    Ok((fields, links)) => {
                        for (field, value) in &fields {
                            let Some((_, id)) = named.iter().find(|(name, _)| name == field) else { continue };
                            let name =
                                as_name(value).map(|name| spelled(self.core, of, *id, &name).unwrap_or(name.into()));
                            names.extend(name.map(|name| (of, *id, name)));
                        }
                        let problems =
                            self.problems(at, row.line, row.at, self.look_at_values(&reader, fields, &links));
                        found.extend(problems.into_iter().map(|problem| ((at, row.line), problem)));
                        let owned =
                            |link: Link<'_>| Link { names: link.names.into_iter().map(Name::owned).collect(), ..link };
                        asked.extend(links.into_iter().map(|link| (at, (row.line, row.at), owned(link))));
                    }
                    Err(unread) => {
                        let wrong = vec![plain_error(&unread.pointer, unread.message, None)];
                        let problems = self.problems(at, row.line, row.at, wrong);
                        found.extend(problems.into_iter().map(|problem| ((at, row.line), problem)));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a record has the name, in whatever spelling, where names are known as they are answered.
    fn is_among(&self, names: &Names, of: CollectionId, name: &Name<'_>) -> bool {
        let fields = name_fields(self.core.schema().collection(of)).into_iter();
        fields.filter(|field| name.by.is_none_or(|by| by == *field)).any(|field| {
            let is_there = |text: String| names.contains(&(of, field, text));
            is_there(name.text.clone().into_owned()) || spelled(self.core, of, field, &name.text).is_some_and(is_there)
        })
    }

    /// What is wrong with the values of a record. What changes a record that is there may leave others out, and is not looked at.
    fn look_at_values(&self, reader: &NewRecords<'_>, mut fields: Fields<'_>, links: &[Link<'_>]) -> Vec<FieldError> {
        if !self.options.upsert.is_empty() {
            return Vec::new();
        }
        fields.extend(stands_in(self.core.schema(), reader.collection, links));
        new_record(reader, &Json::Object(fields)).err().unwrap_or_default()
    }

    fn look_at_link(
        &self,
        at: usize,
        (line, number): (u64, u64),
        link: &Link<'_>,
        names: &Names,
        found: &mut Vec<Found>,
    ) {
        let target = self.core.schema().collection(link.target);
        let of = self.core.schema().collection(self.parts[at].collection);
        for (position, name) in link.names.iter().enumerate() {
            let is_key = name.is_key(target);
            let is_there = self.is_among(names, link.target, name) || self.known.get(link.target, name).is_some();
            if is_key || is_there || self.waits(link.target) {
                continue;
            }
            let mut wrong = self.missing(of, link, position, name);
            if wrong.hint.is_none() {
                let likely =
                    |of: &CollectionId, field: &FieldId| *of == link.target && name.by.is_none_or(|by| by == *field);
                let near = names.iter().filter(|(of, field, _)| likely(of, field)).map(|(.., name)| name.as_str());
                let near = self.known.nearest_of(name, near);
                wrong.hint = near.map(|near| format!("did you mean \"{near}\"?"));
            }
            let problems = self.problems(at, line, number, vec![wrong]);
            found.extend(problems.into_iter().map(|problem| ((at, line), problem)));
        }
    }
}
