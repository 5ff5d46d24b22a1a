//! What a column holds, with everything resolved: so that two of different schemas can be compared and converted.
use super::names::{Name, matched};
use crate::{ColumnType, EmbeddedId, EnumId, KeyKind, Scalar, Schema, Snapshot};

/// A column's type without names that only one schema knows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Form {
    /// A scalar; a key is the scalar that it is kept as.
    Scalar(Scalar),
    /// One of these values.
    Enum(Vec<ValueForm>),
    /// Any number of these.
    List(Box<Form>),
    /// An object with these members.
    Embedded(Vec<MemberForm>),
}

/// A value of an enum.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ValueForm {
    pub(crate) name: String,
    /// What it was called before.
    pub(crate) was: Vec<String>,
}

/// A member of an embedded type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MemberForm {
    pub(crate) name: String,
    pub(crate) was: Vec<String>,
    pub(crate) form: Form,
    pub(crate) required: bool,
}

impl Form {
    /// Of a type of a snapshot; former names are those of the schema, where there is one.
    pub(crate) fn of(ty: &ColumnType, snapshot: &Snapshot, schema: Option<&Schema>) -> Form {
        match ty {
            ColumnType::Scalar(scalar) => Form::Scalar(*scalar),
            ColumnType::Key(KeyKind::Uuid) => Form::Scalar(Scalar::Uuid),
            ColumnType::Key(KeyKind::Int) => Form::Scalar(Scalar::Long),
            ColumnType::Key(KeyKind::String) => Form::Scalar(Scalar::String),
            ColumnType::List(of) => Form::List(Box::new(Form::of(of, snapshot, schema))),
            ColumnType::Enum(name) => {
                let id = schema.and_then(|schema| schema.enums.iter().position(|of| of.name == *name));
                let was = |value: &str| match (schema, id) {
                    (Some(schema), Some(id)) => schema.past.of_value(EnumId(id as u32), value).to_vec(),
                    _ => Vec::new(),
                };
                let values = snapshot.enum_values(name).iter();
                Form::Enum(values.map(|value| ValueForm { name: value.clone(), was: was(value) }).collect())
            }
            ColumnType::Embedded(name) => {
                let id = schema.and_then(|schema| schema.embedded.iter().position(|of| of.name == *name));
                let was = |member: &str| match (schema, id) {
                    (Some(schema), Some(id)) => schema.past.of_member(EmbeddedId(id as u32), member).to_vec(),
                    _ => Vec::new(),
                };
                let members = snapshot.embedded.iter().filter(|of| of.name == *name).flat_map(|of| &of.members);
                let member = |of: &crate::MemberSnapshot| MemberForm {
                    name: of.name.clone(),
                    was: was(&of.name),
                    form: Form::of(&of.ty, snapshot, schema),
                    required: of.required,
                };
                Form::Embedded(members.map(member).collect())
            }
        }
    }

    /// Whether every stored value of this form is one of the other as it stands.
    pub(crate) fn widens_to(&self, to: &Form) -> bool {
        match (self, to) {
            (Form::Scalar(from), Form::Scalar(to)) => scalar_widens(*from, *to),
            (Form::Enum(_), Form::Scalar(Scalar::String | Scalar::Id)) => true,
            (Form::Enum(from), Form::Enum(to)) => {
                let kept = targets(from, to).filter(|(old, new)| old == new).count();
                kept == from.len()
            }
            (Form::List(from), Form::List(to)) => from.widens_to(to) && same_texts(from, to),
            (Form::List(_) | Form::Embedded(_), Form::Scalar(Scalar::Json)) => true,
            (Form::Embedded(from), Form::Embedded(to)) => {
                let kept = |old: &MemberForm| {
                    let new = to.iter().find(|new| new.name == old.name);
                    new.is_some_and(|new| {
                        old.form.widens_to(&new.form)
                            && same_texts(&old.form, &new.form)
                            && (old.required || !new.required)
                    })
                };
                let free = |new: &MemberForm| !new.required && source(from, to, new).is_none();
                from.iter().all(kept) && to.iter().all(|new| from.iter().any(|old| old.name == new.name) || free(new))
            }
            _ => false,
        }
    }
}

/// Inside of JSON a `Long` is a text and an `Int` a number: a list of one is not a list of the other.
fn same_texts(from: &Form, to: &Form) -> bool {
    let is_text = |form: &Form| !matches!(form, Form::Scalar(Scalar::Int | Scalar::Float | Scalar::Boolean));
    is_text(from) == is_text(to)
}

fn scalar_widens(from: Scalar, to: Scalar) -> bool {
    match (from, to) {
        (Scalar::Decimal { precision, scale }, Scalar::Decimal { precision: more, scale: same }) => {
            scale == same && more >= precision
        }
        (Scalar::Int, Scalar::Long) => true,
        (
            Scalar::String
            | Scalar::Id
            | Scalar::Email
            | Scalar::Url
            | Scalar::Uuid
            | Scalar::Date
            | Scalar::Time
            | Scalar::DateTime,
            Scalar::String | Scalar::Id,
        ) => true,
        _ => from == to,
    }
}

/// What a value of an enum is called among the new ones.
pub(crate) fn target<'n>(from: &[ValueForm], to: &'n [ValueForm], value: &str) -> Option<&'n str> {
    // Without former names each value is the one of its name: this is asked of every record.
    if to.iter().all(|new| new.was.is_empty()) {
        let new = to.iter().find(|new| new.name == value)?;
        return from.iter().any(|old| old.name == value).then_some(&new.name);
    }
    targets(from, to).find_map(|(old, new)| (old == value).then_some(new))
}

/// The values of an enum that are there among the new ones, each with what it is called there.
pub(crate) fn targets<'o, 'n>(from: &'o [ValueForm], to: &'n [ValueForm]) -> impl Iterator<Item = (&'o str, &'n str)> {
    let old: Vec<&str> = from.iter().map(|value| value.name.as_str()).collect();
    let new: Vec<Name<'_>> = to.iter().map(|value| Name { name: &value.name, was: &value.was }).collect();
    let matched = matched(&old, &new).into_iter().zip(to);
    matched.filter_map(move |(at, new)| Some((*old.get(at?)?, new.name.as_str())))
}

/// The old member that a new one takes its value from.
pub(crate) fn source<'o>(from: &'o [MemberForm], to: &[MemberForm], new: &MemberForm) -> Option<&'o MemberForm> {
    let old: Vec<&str> = from.iter().map(|member| member.name.as_str()).collect();
    let names: Vec<Name<'_>> = to.iter().map(|member| Name { name: &member.name, was: &member.was }).collect();
    let own = to.iter().position(|other| other.name == new.name)?;
    matched(&old, &names).into_iter().nth(own)?.map(|at| &from[at])
}
