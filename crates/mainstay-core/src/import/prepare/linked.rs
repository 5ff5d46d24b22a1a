//! What the links of a record lead to: keys, records that come later, or none.
use std::{borrow::Cow, collections::HashSet};

use mainstay_schema::{Collection, CollectionId, FieldId, Json, Schema};

use super::{
    super::{
        MissingLinks,
        links::{End, Link, Name, as_name, name_fields},
        load::Loading,
        lookup::{may_be_of, spelled},
        read::Fields,
    },
    There, plain_error,
};
use crate::{FieldError, record::new::NewRecord};

/// The keys of records that are not written yet, by their names, field by field.
#[derive(Default)]
pub(in crate::import) struct Here(Vec<(FieldId, There)>);

impl Here {
    pub(super) fn add(&mut self, field: FieldId, name: String, key: String) {
        match self.0.iter_mut().find(|(of, _)| *of == field) {
            Some((_, names)) => drop(names.insert(name, key)),
            None => self.0.push((field, There::from_iter([(name, key)]))),
        }
    }

    fn get(&self, of: &Collection, name: &Name<'_>) -> Option<&str> {
        let is_asked =
            |field: FieldId| name.by.is_none_or(|by| by == field) && may_be_of(of, name.by, field, &name.text);
        let mut fields = self.0.iter().filter(|(field, _)| is_asked(*field));
        fields.find_map(|(_, names)| names.get(&*name.text)).map(String::as_str)
    }
}

/// What becomes of a record's links.
#[derive(Default)]
pub(super) struct Linked<'r> {
    pub(super) fields: Fields<'r>,
    /// Those of one list that are more than one change may have.
    pub(super) more: Vec<(FieldId, Vec<Json<'r>>)>,
    pub(super) later: Vec<(FieldId, Vec<Name<'static>>)>,
    /// Whether the record itself cannot be written yet.
    pub(super) waits: bool,
    pub(super) wrong: Vec<FieldError>,
    pub(super) left_out: u64,
}

impl Loading<'_> {
    /// What the links of a record lead to; `fields` are its others.
    pub(super) fn linked<'k>(
        &'k self,
        part: usize,
        of: &'k Collection,
        (fields, links): (&Fields<'_>, &[Link<'_>]),
        in_chunk: &'k Here,
    ) -> Linked<'k> {
        let mut linked = Linked::default();
        for link in links {
            let field = of.field(link.field);
            let (mut found, mut later) = (Vec::with_capacity(link.names.len()), Vec::new());
            for (at, name) in link.names.iter().enumerate() {
                let itself = || (link.target == of.id).then(|| self.itself(of, fields, name)).flatten();
                match self.end(part, link.target, name, in_chunk).or(itself) {
                    End::Key(key) => found.push(Json::Text(key)),
                    End::Later => later.push(name.clone().owned()),
                    End::Missing if !link.required && self.options.missing_links == MissingLinks::Null => {
                        linked.left_out += 1;
                    }
                    End::Missing => linked.wrong.push(self.missing(of, link, at, name)),
                }
            }
            if !later.is_empty() {
                linked.waits |= link.required;
                linked.later.push((link.field, later));
            }
            if found.len() > self.core.limits().links_max.max(1) {
                linked.more.push((link.field, beyond(&mut found, self.core.limits().links_max.max(1))));
            }
            let value = if link.many { Some(Json::Array(found)) } else { found.pop() };
            linked.fields.extend(value.map(|value| (Cow::Borrowed(field.name.as_str()), value)));
        }
        linked
    }

    /// The key of a record that is named by a link of its own, where its key is known before it is written.
    fn itself(&self, of: &Collection, fields: &Fields<'_>, name: &Name<'_>) -> Option<Cow<'static, str>> {
        let value = |id: FieldId| {
            let (_, value) = fields.iter().find(|(field, _)| *field == of.field(id).name)?;
            spelled(self.core, of.id, id, &as_name(value)?)
        };
        let is_name = |id: &FieldId| {
            name.by.is_none_or(|by| by == *id)
                && may_be_of(of, name.by, *id, &name.text)
                && value(*id).is_some_and(|own| Some(own) == spelled(self.core, of.id, *id, &name.text))
        };
        let key = value(of.system.id?)?;
        name_fields(of).iter().any(is_name).then_some(Cow::Owned(key))
    }

    /// What a name leads to.
    fn end<'k>(&'k self, part: usize, target: CollectionId, name: &Name<'_>, in_chunk: &'k Here) -> End<'k> {
        if target == self.parts[part].collection
            && let Some(key) = in_chunk.get(self.core.schema().collection(target), name)
        {
            return End::Key(Cow::Borrowed(key));
        }
        let later = self.comes_later(part, target);
        if !self.verifies(part, target) && name.is_key(self.core.schema().collection(target)) {
            return End::Key(Cow::Owned(name.text.clone().into_owned()));
        }
        match self.known.get(target, name) {
            Some(Some(key)) => End::Key(Cow::Borrowed(key)),
            _ if later => End::Later,
            _ => End::Missing,
        }
    }

    /// Says that a link leads nowhere.
    pub(in crate::import) fn missing(
        &self,
        of: &Collection,
        link: &Link<'_>,
        at: usize,
        name: &Name<'_>,
    ) -> FieldError {
        let place = if link.many { format!("/{at}") } else { String::new() };
        let target = self.core.schema().collection(link.target);
        let hint = self.known.nearest(link.target, name).map(|near| format!("did you mean \"{near}\"?"));
        let what = match name.by {
            None => "key or a unique".to_owned(),
            Some(by) => format!("\"{}\"", target.field(by).name),
        };
        let message = format!("no \"{}\" has the {what} \"{}\"", target.name, name.text);
        plain_error(&format!("/{}{place}", of.field(link.field).name), message, hint)
    }
}

/// A key that is known, as the name of a link that waits.
pub(super) fn as_waiting(key: &Json<'_>) -> Option<Name<'static>> {
    Some(Name { by: None, text: as_name(key)?.into_owned().into() })
}

/// Leaves so many keys, each of them once, and gives the others.
fn beyond<'k>(keys: &mut Vec<Json<'k>>, most: usize) -> Vec<Json<'k>> {
    let mut seen: HashSet<Cow<'k, str>> = HashSet::with_capacity(keys.len());
    keys.retain(|key| as_name(key).is_some_and(|key| seen.insert(key)));
    keys.split_off(keys.len().min(most))
}

/// Adds links to the lists of a new record, beyond those that one change may have.
pub(super) fn add_links(schema: &Schema, of: &Collection, record: &mut NewRecord, more: Vec<(FieldId, Vec<Json<'_>>)>) {
    for (field, keys) in more {
        let target = of.field(field).target().map_or(of.key, |target| schema.collection(target).key);
        if let Some(list) = record.lists.iter_mut().find(|list| list.field == field) {
            list.keys.extend(keys.iter().filter_map(|key| target.read(key).ok()));
        }
    }
}
