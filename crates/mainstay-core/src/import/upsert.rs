//! Records that are there already and are changed, by the unique field that was named.
use std::collections::HashSet;

use mainstay_schema::{Collection, CollectionId, FieldId};

use super::{
    invalid,
    links::{as_name, name_fields},
    load::Loading,
    lookup::spelled,
    prepare::{There, Understood},
};
use crate::Error;

impl Loading<'_> {
    /// The records that are there already and are changed.
    pub(super) async fn look_up_there(&mut self, part: usize, rows: &[Understood<'_>]) -> Result<There, Error> {
        let Some(field) = self.upsert else { return Ok(There::default()) };
        let of = self.parts[part].collection;
        let names: Vec<String> = rows.iter().filter_map(|row| self.upsert_name(of, field, row)).collect();
        self.known.by_field(self.core, self.request, (of, field), &names).await
    }

    pub(super) fn upsert_name(&self, of: CollectionId, field: FieldId, row: &Understood<'_>) -> Option<String> {
        let name = &self.core.schema().collection(of).field(field).name;
        let (fields, _) = row.read.as_ref().ok()?;
        let (_, value) = fields.iter().find(|(known, _)| **known == **name)?;
        as_name(value).map(|name| name.into_owned())
    }

    /// The first record that has the same name as one before: it must see what becomes of that one.
    pub(super) fn twice(&self, part: usize, rows: &[Understood<'_>], seen: &mut HashSet<String>) -> Option<usize> {
        let field = self.upsert?;
        let of = self.parts[part].collection;
        let name = |row: &Understood<'_>| {
            let name = self.upsert_name(of, field, row)?;
            Some(spelled(self.core, of, field, &name).unwrap_or(name))
        };
        rows.iter().position(|row| name(row).is_some_and(|name| !seen.insert(name)))
    }

    /// The field by which records of a part are changed; `None` where all are new.
    pub(super) fn upsert_field(&self, at: usize) -> Result<Option<FieldId>, Error> {
        let of = self.core.schema().collection(self.parts[at].collection);
        match self.upsert_names(of).as_slice() {
            [] => match self.options.upsert.iter().map(|named| of_type(named)).rfind(|(by, _)| by.is_none()) {
                Some((_, name)) => Err(no_field(of, name)),
                None if self.options.upsert.is_empty() => Ok(None),
                None => Err(invalid(format!("nothing says by which field records of \"{}\" are changed", of.name))
                    .with_hint(format!("--upsert {}.FIELD", of.name))),
            },
            [named] => found_by(of, of_type(named).1).map(Some),
            [first, second, ..] => {
                let (first, second) = (of_type(first).1, of_type(second).1);
                Err(invalid(format!("records of \"{}\" are changed by \"{first}\" or by \"{second}\"", of.name))
                    .with_hint(format!("--upsert {}.{first} alone says which", of.name)))
            }
        }
    }

    /// What was said of a type: by its name, or else of all that have such a field.
    fn upsert_names(&self, of: &Collection) -> Vec<&str> {
        let all = || self.options.upsert.iter().map(String::as_str);
        let by_type: Vec<&str> = all().filter(|named| of_type(named).0 == Some(&of.name)).collect();
        let has_field = |named: &&str| of_type(named).0.is_none() && of.field_named(named).is_some();
        let mut names = if by_type.is_empty() { all().filter(has_field).collect() } else { by_type };
        names.dedup();
        names
    }

    /// Refuses what says nothing of any part.
    pub(super) fn refuse_unused_upserts(&self) -> Result<(), Error> {
        let mut used = HashSet::new();
        for (at, part) in self.parts.iter().enumerate() {
            self.upsert_field(at)?;
            used.extend(self.upsert_names(self.core.schema().collection(part.collection)));
        }
        match self.options.upsert.iter().find(|named| !used.contains(named.as_str())) {
            Some(named) => Err(invalid(format!("--upsert {named}: nothing that is loaded is changed by it"))
                .with_hint(
                    "FIELD or Type.FIELD, of a type that is loaded; a field of the type counts before one of all",
                )),
            None => Ok(()),
        }
    }
}

/// The type, if it is said, and the field.
fn of_type(named: &str) -> (Option<&str>, &str) {
    named.split_once('.').map_or((None, named), |(of, field)| (Some(of), field))
}

fn no_field(of: &Collection, name: &str) -> Error {
    let error = invalid(format!("no field named \"{name}\" in \"{}\"", of.name));
    match mainstay_schema::nearest(name, of.fields.iter().map(|field| field.name.as_str())) {
        Some(near) => error.with_hint(format!("did you mean \"{near}\"?")),
        None => error,
    }
}

/// A field that finds one record.
fn found_by(of: &Collection, name: &str) -> Result<FieldId, Error> {
    let field = of.field_named(name).ok_or_else(|| no_field(of, name))?;
    if name_fields(of).contains(&field.id) {
        return Ok(field.id);
    }
    let among = if of.is_partly_unique(&[field.id]) { " among all records" } else { "" };
    Err(invalid(format!("\"{name}\" of \"{}\" is not unique{among}", of.name))
        .with_hint("records are found by the id or a unique field"))
}
