//! Links as they are sent: an id, the values of a unique, an earlier operation, or the fields of a record to be made.
use mainstay_expr::Value;
use mainstay_schema::{Collection, CollectionId, Field, FieldId, FieldKind, Json, nearest};

use super::{
    field::FieldReader,
    late::{By, Late, Slot, Source},
    normalize, push_wire,
};
use crate::FieldError;

/// What a link was sent as.
pub(crate) enum Sent<'j> {
    /// A key that is known.
    Key(Value),
    /// The known key of a record that this write makes.
    Made(Value),
    /// A key that the write fills in.
    Late(Source),
    /// The same, of a record that this write makes.
    LateMade(Source),
    /// The fields of a record to be made, and where they stand below the link.
    Record(&'j Json<'j>, &'static str),
}

/// A record to be made inside of another.
pub(crate) struct Inside<'j> {
    pub(crate) place: Place,
    pub(crate) target: CollectionId,
    pub(crate) json: &'j Json<'j>,
    pub(crate) pointer: String,
}

/// When it is made, and how it is tied to the record around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    /// Before: its key goes here.
    Before(Slot),
    /// Behind: its link, this field, leads to the record around it.
    After(FieldId),
}

/// The one member of an object that has no other.
fn only<'j>(json: &'j Json<'j>) -> Option<(&'j str, &'j Json<'j>)> {
    match json {
        Json::Object(members) => match &members[..] {
            [(name, value)] => Some((name, value)),
            _ => None,
        },
        _ => None,
    }
}

impl<'a> FieldReader<'a> {
    /// What a link was sent as; what is wrong is noted. `needed`: the record must be there.
    pub(crate) fn sent(
        &mut self,
        target: CollectionId,
        json: &'a Json<'a>,
        needed: bool,
        pointer: &dyn Fn() -> String,
    ) -> Option<Sent<'a>> {
        if let Some((name, value)) = only(json) {
            match name {
                "by" => return self.by(target, value, needed, format!("{}/by", pointer())),
                "ref" => return self.reference(target, value, || format!("{}/ref", pointer())),
                "data" if matches!(value, Json::Object(_)) => return self.record(value, "/data", pointer),
                _ => {}
            }
        }
        if matches!(json, Json::Object(_)) {
            return self.record(json, "", pointer);
        }
        let of = self.schema.collection(target);
        match of.key.read(json) {
            Ok(key) => Some(Sent::Key(key)),
            Err(error) => {
                push_wire(&pointer(), error.hint(format!("send the id of a \"{}\"", of.name)), &mut self.errors);
                None
            }
        }
    }

    /// The other side of a link, as records to be made behind this one.
    pub(crate) fn inside_list(&mut self, field: &Field, target: CollectionId, link: FieldId, json: &'a Json<'a>) {
        let Json::Array(items) = json else {
            let message = format!("expected a list of records, got {}", json.kind());
            return self.wrong(&field.name, "wrong_type", message, None);
        };
        let batch_max = self.reading.limits().batch_max;
        if items.len() > batch_max {
            let message = format!("{} records are more than the {batch_max} of one request", items.len());
            return self.wrong(&field.name, "too_long", message, Some("send them in several requests".to_owned()));
        }
        let place = self.place;
        for (at, item) in items.iter().enumerate() {
            let pointer = format!("{place}/{}/{at}", field.name);
            let (json, under) = match only(item) {
                Some(("data", inner @ Json::Object(_))) => (inner, "/data"),
                Some(("by" | "ref", _)) => (&Json::Null, ""),
                _ => (item, ""),
            };
            if matches!(json, Json::Object(_)) {
                let pointer = format!("{pointer}{under}");
                self.inside.push(Inside { place: Place::After(link), target, json, pointer });
                continue;
            }
            let of = self.schema.collection(target);
            let message = format!("expected the fields of a new \"{}\"", of.name);
            let hint = format!("of records that are there, write \"{}\" instead", of.field(link).name);
            self.error(pointer, "wrong_type", message, Some(hint));
        }
    }

    fn record(&mut self, json: &'a Json<'a>, under: &'static str, pointer: &dyn Fn() -> String) -> Option<Sent<'a>> {
        if self.nests {
            return Some(Sent::Record(json, under));
        }
        let message = "expected an id, {\"by\": …} or {\"ref\": …}: a record is made inside of another only when that one is created";
        let hint = "create it first, or in the same batch";
        self.error(pointer(), "wrong_type", message.to_owned(), Some(hint.to_owned()));
        None
    }

    fn reference(&mut self, target: CollectionId, json: &Json<'_>, pointer: impl Fn() -> String) -> Option<Sent<'a>> {
        match self.reading.named(target, json) {
            Ok(named) => Some(match (named.key, named.made) {
                (Some(key), true) => Sent::Made(key),
                (Some(key), false) => Sent::Key(key),
                (None, true) => Sent::LateMade(Source::Operation(named.operation)),
                (None, false) => Sent::Late(Source::Operation(named.operation)),
            }),
            Err((message, hint)) => {
                self.error(pointer(), "ref", message, hint);
                None
            }
        }
    }

    fn by(&mut self, target: CollectionId, json: &'a Json<'a>, needed: bool, pointer: String) -> Option<Sent<'a>> {
        let by = self.unique(target, json, needed, pointer)?;
        Some(Sent::Late(Source::By(Box::new(by))))
    }

    /// The values of a unique, as an object of its fields.
    pub(crate) fn unique(
        &mut self,
        target: CollectionId,
        json: &'a Json<'a>,
        needed: bool,
        pointer: String,
    ) -> Option<By> {
        let of = self.schema.collection(target);
        let Json::Object(members) = json else {
            let message = format!("expected an object with the fields of a unique, got {}", json.kind());
            self.error(pointer, "wrong_type", message, Some(uniques(of)));
            return None;
        };
        let errors = self.errors.len();
        let named: Vec<Option<&Field>> = members.iter().map(|(name, _)| self.of_unique(of, name, &pointer)).collect();
        if self.errors.len() > errors {
            return None;
        }
        let asked: Vec<FieldId> = named.iter().flatten().map(|field| field.id).collect();
        let Some(unique) = of.unique_of(&asked) else {
            let names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
            let message = match of.is_partly_unique(&asked) {
                true => format!("\"{}\" of \"{}\" is unique among some records alone", names.join(","), of.name),
                false => format!("\"{}\" is no unique of \"{}\"", names.join(","), of.name),
            };
            self.error(pointer, "not_unique", message, Some(uniques(of)));
            return None;
        };
        let (fields, mut late, mut values) = (unique.fields.clone(), Vec::new(), Vec::with_capacity(asked.len()));
        for id in &fields {
            let (field, at) = (of.field(*id), || asked.iter().position(|asked| asked == id).unwrap_or_default());
            let value = self.unique_value(of, field, &members[at()].1, &pointer, &mut late);
            values.push(value.unwrap_or(Value::Null));
        }
        (self.errors.len() == errors).then_some(By { target, fields, values, late, needed, pointer })
    }

    fn of_unique<'c>(&mut self, of: &'c Collection, name: &str, pointer: &str) -> Option<&'c Field> {
        if let Some(field) = of.field_known(name, self.reading.request.is_admin()) {
            return Some(field);
        }
        let message = format!("no field named \"{name}\" in \"{}\"", of.name);
        let known = of.open_uniques().flat_map(|unique| &unique.fields).map(|id| of.field(*id).name.as_str());
        let hint = nearest(name, known).map_or_else(|| uniques(of), |near| format!("did you mean \"{near}\"?"));
        self.error(format!("{pointer}/{}", super::escape(name)), "unknown_field", message, Some(hint));
        None
    }

    fn unique_value(
        &mut self,
        of: &Collection,
        field: &Field,
        json: &'a Json<'a>,
        under: &str,
        late: &mut Vec<Late>,
    ) -> Option<Value> {
        let pointer = || format!("{under}/{}", field.name);
        if matches!(json, Json::Null) {
            let message = format!("\"{}\" is needed to find the record", field.name);
            self.error(pointer(), "required", message, Some("nulls are never equal".to_owned()));
            return None;
        }
        if let FieldKind::ToOne { target, .. } = field.kind {
            let nests = std::mem::replace(&mut self.nests, false);
            let sent = self.sent(target, json, true, &pointer);
            self.nests = nests;
            return match sent? {
                Sent::Key(key) | Sent::Made(key) => Some(key),
                Sent::Late(source) | Sent::LateMade(source) => {
                    late.push(Late { slot: Slot::Field(field.id), source });
                    None
                }
                Sent::Record(..) => None,
            };
        }
        let read = normalize::read(self.schema, of, field, json);
        read.map_err(|error| push_wire(&pointer(), error, &mut self.errors)).ok()
    }

    /// Notes something that is wrong at a place of the body.
    pub(crate) fn error(&mut self, pointer: String, code: &str, message: String, hint: Option<String>) {
        self.note(FieldError { pointer, code: code.to_owned(), message, hint });
    }
}

/// Which uniques there are, as a hint.
fn uniques(of: &Collection) -> String {
    let name = |id: &FieldId| of.field(*id).name.clone();
    let names = |unique: &mainstay_schema::Unique| unique.fields.iter().map(name).collect::<Vec<_>>().join(",");
    let all: Vec<String> = of.open_uniques().map(names).collect();
    match all.is_empty() {
        true => format!("\"{}\" has no uniques: send the id", of.name),
        false => format!("the uniques of \"{}\" are {}", of.name, all.join(" and ")),
    }
}
