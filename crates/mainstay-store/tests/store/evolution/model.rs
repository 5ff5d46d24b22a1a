//! A schema as a model: what has an identity keeps it under another name.
use std::fmt::Write;

use super::kinds::Kind;
use crate::agreement::bytes::Bytes;

/// What a thing is, whatever it is called.
pub(crate) type Uid = usize;

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) types: Vec<TypeModel>,
    pub(crate) enums: Vec<EnumModel>,
    pub(crate) next: Uid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Uuid,
    Int,
    Text,
}

#[derive(Clone, Debug)]
pub(crate) struct TypeModel {
    pub(crate) uid: Uid,
    pub(crate) name: String,
    pub(crate) was: Option<String>,
    pub(crate) key: Key,
    pub(crate) fields: Vec<FieldModel>,
    /// Pairs of fields that are unique together.
    pub(crate) pair: Option<(Uid, Uid)>,
}

#[derive(Clone, Debug)]
pub(crate) struct FieldModel {
    pub(crate) uid: Uid,
    pub(crate) name: String,
    pub(crate) was: Option<String>,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    pub(crate) default: bool,
    pub(crate) unique: bool,
    /// The other field that says among which records it is unique: those where it is not null, or a number above 2.
    pub(crate) among: Option<Uid>,
    pub(crate) index: bool,
    /// Numbers are above this one.
    pub(crate) above: Option<i32>,
    pub(crate) fill: Option<Fill>,
}

/// What a field is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    Constant,
    /// Another field of the same record.
    Own(Uid),
    /// A field of the record that a link leads to.
    Linked(Uid, Uid),
}

#[derive(Clone, Debug)]
pub(crate) struct EnumModel {
    pub(crate) uid: Uid,
    /// The values, with what they are called and were.
    pub(crate) values: Vec<(Uid, String, Option<String>)>,
}

impl Model {
    pub(crate) fn uid(&mut self) -> Uid {
        self.next += 1;
        self.next
    }

    pub(crate) fn of(&self, uid: Uid) -> Option<&TypeModel> {
        self.types.iter().find(|of| of.uid == uid)
    }

    /// A first schema.
    pub(crate) fn draw(bytes: &mut Bytes<'_>) -> Model {
        let mut model = Model::default();
        let uid = model.uid();
        let values = ["red", "green"].map(|name| (model.uid(), name.to_owned(), None)).to_vec();
        model.enums.push(EnumModel { uid, values });
        for _ in 0..1 + bytes.below(3) {
            model.add_type(bytes);
        }
        for at in 0..model.types.len() {
            for _ in 0..bytes.below(5) {
                model.add_field(at, bytes, &[]);
            }
        }
        model
    }

    pub(crate) fn add_type(&mut self, bytes: &mut Bytes<'_>) {
        let uid = self.uid();
        let key = bytes.one_of(&[Key::Uuid, Key::Int, Key::Text]);
        let name = format!("Type{}", letters(uid));
        self.types.push(TypeModel { uid, name, was: None, key, fields: Vec::new(), pair: None });
        let at = self.types.len() - 1;
        self.add_field(at, bytes, &[]);
    }

    /// A new field, sometimes under a name that another had.
    pub(crate) fn add_field(&mut self, at: usize, bytes: &mut Bytes<'_>, names: &[String]) {
        let uid = self.uid();
        let kind = Kind::draw(self, bytes);
        let name =
            if bytes.rarely(3) && !names.is_empty() { bytes.one_of(names) } else { format!("f{}", letters(uid)) };
        if self.types[at].fields.iter().any(|field| field.name == name) {
            return;
        }
        let mut field = FieldModel {
            uid,
            name,
            was: None,
            required: bytes.rarely(3) && !matches!(kind, Kind::Many(_)),
            kind,
            default: false,
            unique: false,
            among: None,
            index: false,
            above: None,
            fill: None,
        };
        field.default = field.kind.default_literal(self).is_some() && bytes.rarely(2);
        field.unique = field.kind.is_keyable() && bytes.rarely(4);
        field.index = field.kind.is_keyable() && !field.unique && bytes.rarely(4);
        field.above = (field.kind == Kind::Int && bytes.rarely(4)).then_some(-10);
        if field.unique && bytes.rarely(3) {
            field.among = self.types[at].fields.last().map(|other| other.uid);
        }
        self.types[at].fields.push(field);
    }

    /// As a schema file.
    pub(crate) fn sdl(&self) -> String {
        let mut out = String::new();
        for of in &self.enums {
            let was =
                |was: &Option<String>| was.as_ref().map_or(String::new(), |was| format!(" @was(name: \"{was}\")"));
            let values: Vec<String> = of.values.iter().map(|(_, name, old)| format!("{name}{}", was(old))).collect();
            writeln!(out, "enum {} {{ {} }}", enum_name(of.uid), values.join(" ")).unwrap();
        }
        for of in &self.types {
            let was = of.was.as_ref().map_or(String::new(), |was| format!(" @was(name: \"{was}\")"));
            let pair = of.pair.and_then(|(a, b)| Some((of.field(a)?, of.field(b)?)));
            let pair =
                pair.map_or(String::new(), |(a, b)| format!(" @unique(fields: [\"{}\", \"{}\"])", a.name, b.name));
            writeln!(out, "type {}{was}{pair} @rules(read: \"true\") {{", of.name).unwrap();
            match of.key {
                Key::Uuid => {}
                Key::Int => out.push_str("  id: Int!\n"),
                Key::Text => out.push_str("  id: String!\n"),
            }
            for field in &of.fields {
                self.field_sdl(of, field, &mut out);
            }
            out.push_str("  keep: Int\n}\n");
        }
        out
    }

    fn field_sdl(&self, of: &TypeModel, field: &FieldModel, out: &mut String) {
        let required = field.required || matches!(field.kind, Kind::Many(_));
        write!(out, "  {}: {}{}", field.name, field.kind.sdl(self), if required { "!" } else { "" }).unwrap();
        out.push_str(&field.kind.directive());
        if let (true, Some(literal)) = (field.default, field.kind.default_literal(self)) {
            write!(out, " @default(value: {literal})").unwrap();
        }
        if field.unique {
            let among = of.among(field).map(|other| match other.kind {
                Kind::Int => format!("(where: \"{} > 2\")", other.name),
                _ => format!("(where: \"{} != null\")", other.name),
            });
            write!(out, " @unique{}", among.unwrap_or_default()).unwrap();
        }
        if field.index {
            out.push_str(" @index");
        }
        if let Some(above) = field.above {
            write!(out, " @check(expr: \"{} > {above}\")", field.name).unwrap();
        }
        if let Some(was) = &field.was {
            write!(out, " @was(name: \"{was}\")").unwrap();
        }
        if let Some(expr) = self.fill_expr(of, field) {
            write!(out, " @backfill(expr: \"{expr}\")").unwrap();
        }
        out.push('\n');
    }

    /// The text of a fill that makes sense in this schema.
    pub(crate) fn fill_expr(&self, of: &TypeModel, field: &FieldModel) -> Option<String> {
        if field.default && field.required {
            return None;
        }
        match field.fill? {
            Fill::Constant => field.kind.fill_literal().map(str::to_owned),
            Fill::Own(other) => {
                let other = of.field(other).filter(|other| other.kind == field.kind && other.uid != field.uid)?;
                field.kind.fill_literal()?;
                Some(other.name.clone())
            }
            Fill::Linked(link, other) => {
                let link = of.field(link)?;
                let Kind::Link(target) = link.kind else { return None };
                let other = self.of(target)?.field(other).filter(|other| other.kind == field.kind)?;
                field.kind.fill_literal()?;
                Some(format!("{}.{}", link.name, other.name))
            }
        }
    }
}

impl TypeModel {
    pub(crate) fn field(&self, uid: Uid) -> Option<&FieldModel> {
        self.fields.iter().find(|field| field.uid == uid)
    }

    /// The field that says among which records another one is unique.
    pub(crate) fn among(&self, field: &FieldModel) -> Option<&FieldModel> {
        self.field(field.among?).filter(|other| other.kind.is_keyable())
    }
}

pub(crate) fn enum_name(uid: Uid) -> String {
    format!("Enum{}", letters(uid))
}

/// A number as small letters, so that names are words.
pub(crate) fn letters(mut number: usize) -> String {
    let mut out = String::new();
    loop {
        out.push(char::from(b'a' + (number % 20) as u8));
        number /= 20;
        if number == 0 {
            return format!("{out}q");
        }
    }
}
