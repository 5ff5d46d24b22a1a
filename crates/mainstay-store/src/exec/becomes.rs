//! A record as it was and as it becomes: what is set in it, and what stays.
use mainstay_expr::Value;
use mainstay_plan::Update;
use mainstay_schema::{FieldId, json_int};

use super::{Failure, Row, WriteStatement};
use crate::sql::{Encode, Member};

/// The stored fields of a record, as JSON.
#[derive(Debug, Default)]
pub(super) struct Image {
    json: Vec<u8>,
    /// The fields in their order, each with where its value ends.
    ends: Vec<(FieldId, usize)>,
}

impl Image {
    /// Takes them out of a row.
    pub(super) fn of(row: &dyn Row, fields: &[(FieldId, usize, Encode)]) -> Result<Image, Failure> {
        if fields.is_empty() {
            return Ok(Image::default());
        }
        let mut image =
            Image { json: Vec::with_capacity(super::create::RECORD_BYTES), ends: Vec::with_capacity(fields.len()) };
        for (field, column, encode) in fields {
            row.write_value(*column, *encode, &mut image.json)?;
            image.ends.push((*field, image.json.len()));
        }
        Ok(image)
    }

    fn field(&self, field: FieldId) -> &[u8] {
        let Ok(at) = self.ends.binary_search_by_key(&field, |(field, _)| *field) else { return b"null" };
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before].1);
        &self.json[start..self.ends[at].1]
    }

    /// Some of them as an object.
    pub(super) fn object(&self, members: &[Member]) -> Vec<u8> {
        object(members, |field, out| out.extend_from_slice(self.field(field)))
    }
}

/// A record as it becomes.
pub(super) struct Becomes<'a> {
    pub(super) statement: &'a WriteStatement,
    pub(super) plan: &'a Update,
    /// As it was.
    pub(super) was: &'a Image,
    /// What is set.
    pub(super) values: &'a [Value],
    /// What comes of additions.
    pub(super) sums: &'a [(FieldId, Value)],
    /// The version that it then has.
    pub(super) version: Option<i64>,
}

impl Becomes<'_> {
    /// Some of its fields as an object.
    pub(super) fn object(&self, members: &[Member]) -> Vec<u8> {
        object(members, |field, out| self.write(field, out))
    }

    fn write(&self, field: FieldId, out: &mut Vec<u8>) {
        let of = self.statement.of();
        match self.set(field) {
            Some(value) => self.statement.schema().write_value(&of.field(field).kind, value, out),
            None => match self.version.filter(|_| of.system.version == Some(field)) {
                Some(version) => json_int(out, version),
                None => out.extend_from_slice(self.was.field(field)),
            },
        }
    }

    /// What a field is set to; nothing where it stays.
    fn set(&self, field: FieldId) -> Option<&Value> {
        let (_, number) = self.plan.set.iter().find(|(set, _)| *set == field)?;
        let sum = self.sums.iter().find(|(of, _)| *of == field).map(|(_, sum)| sum);
        Some(sum.unwrap_or_else(|| self.values.get(usize::from(*number)).unwrap_or(&Value::Null)))
    }
}

fn object(members: &[Member], mut value: impl FnMut(FieldId, &mut Vec<u8>)) -> Vec<u8> {
    let mut json = Vec::with_capacity(super::create::RECORD_BYTES);
    if members.is_empty() {
        json.push(b'{');
    }
    for (prefix, field) in members {
        json.extend_from_slice(prefix);
        value(*field, &mut json);
    }
    json.push(b'}');
    json
}
