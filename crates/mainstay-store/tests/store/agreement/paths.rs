//! What an expression can name: the fields of the records in reach, over links to one and into embedded values.
use mainstay_expr::Type;
use mainstay_schema::{CollectionId, EmbeddedId, FieldKind, Schema};

/// Links to one that are followed after each other.
const HOPS_MAX: usize = 2;

/// Something that can be named, with its type.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) text: String,
    pub(crate) ty: Type,
}

/// What plain names and variables stand for.
#[derive(Clone, Debug)]
pub(crate) enum Reach {
    /// The record itself.
    This(CollectionId),
    /// A variable that is a record.
    Record(String, CollectionId),
    /// A variable that is an element of a list.
    Element(Named),
}

impl Reach {
    /// Everything that can be named here.
    pub(crate) fn named(&self, schema: &Schema) -> Vec<Named> {
        let mut out = Vec::new();
        match self {
            Reach::This(of) => fields(schema, "", *of, HOPS_MAX, &mut out),
            Reach::Record(name, of) => {
                fields(schema, &format!("{name}."), *of, HOPS_MAX, &mut out);
                out.push(Named { text: name.clone(), ty: Type::Key(of.record()) });
            }
            Reach::Element(named) => out.push(named.clone()),
        }
        out
    }
}

fn fields(schema: &Schema, before: &str, of: CollectionId, hops: usize, out: &mut Vec<Named>) {
    let collection = schema.collection(of);
    for field in &collection.fields {
        let text = format!("{before}{}", field.name);
        let is_key = collection.system.id == Some(field.id);
        let ty = if is_key { Type::Key(of.record()) } else { schema.field_type(&field.kind) };
        out.push(Named { text: text.clone(), ty });
        match field.kind {
            FieldKind::ToOne { target, .. } if hops > 0 => fields(schema, &format!("{text}."), target, hops - 1, out),
            FieldKind::Embedded { of, list: false } => members(schema, &format!("{text}."), of, out),
            _ => {}
        }
    }
}

fn members(schema: &Schema, before: &str, of: EmbeddedId, out: &mut Vec<Named>) {
    for member in &schema.embedded[of.0 as usize].members {
        let text = format!("{before}{}", member.name);
        out.push(Named { text: text.clone(), ty: schema.field_type(&member.kind) });
        if let FieldKind::Embedded { of, list: false } = member.kind {
            members(schema, &format!("{text}."), of, out);
        }
    }
}

/// Whether values of this type are compared with each other.
pub(crate) fn is_scalar(ty: &Type) -> bool {
    !matches!(ty, Type::Records(_) | Type::List(_) | Type::Embedded(_) | Type::Json)
}

/// Whether values of this type have an order.
pub(crate) fn has_order(ty: &Type) -> bool {
    is_scalar(ty) && !matches!(ty, Type::Key(_) | Type::Uuid | Type::Bytes | Type::Bool | Type::Enum(_))
}
