//! Records that are there already and are changed, by the unique field that was named.
use std::collections::HashSet;

use mainstay_schema::{CollectionId, FieldId};

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

    pub(super) fn upsert_field(&self, at: usize) -> Result<Option<FieldId>, Error> {
        let Some(name) = &self.options.upsert else { return Ok(None) };
        let of = self.core.schema().collection(self.parts[at].collection);
        let Some(field) = of.field_named(name) else {
            let error = invalid(format!("no field named \"{name}\" in \"{}\"", of.name));
            let near = mainstay_schema::nearest(name, of.fields.iter().map(|field| field.name.as_str()));
            return Err(match near {
                Some(near) => error.with_hint(format!("did you mean \"{near}\"?")),
                None => error,
            });
        };
        if name_fields(of).contains(&field.id) {
            return Ok(Some(field.id));
        }
        let among = if of.is_partly_unique(&[field.id]) { " among all records" } else { "" };
        Err(invalid(format!("\"{name}\" of \"{}\" is not unique{among}", of.name))
            .with_hint("records are found by the id or a unique field"))
    }
}
