//! The written type of a field: what it names, whether it is a list, whether it is required.
use apollo_compiler::{
    Node,
    ast::{FieldDefinition, Type},
};

use super::{Builder, TypeRef, directive};
use crate::{CollectionId, FieldKind, Scalar, load::vocabulary::SCALARS_TO_COME, nearest};

/// A field's type, read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) of: Base,
    pub(super) list: bool,
    pub(super) required: bool,
}

/// What a type names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Base {
    Scalar(Scalar),
    Type(TypeRef),
}

impl Shape {
    /// The collection at the other end of a link.
    pub(super) fn target(self) -> Option<CollectionId> {
        match self.of {
            Base::Type(TypeRef::Collection(id)) => Some(id),
            _ => None,
        }
    }

    /// What a field that is no link holds.
    pub(super) fn value_kind(self) -> Option<FieldKind> {
        Some(match (self.of, self.list) {
            (Base::Scalar(scalar), false) => FieldKind::Scalar(scalar),
            (Base::Scalar(scalar), true) => FieldKind::ScalarList(scalar),
            (Base::Type(TypeRef::Enum(id)), false) => FieldKind::Enum(id),
            (Base::Type(TypeRef::Enum(id)), true) => FieldKind::EnumList(id),
            (Base::Type(TypeRef::Embedded(of)), list) => FieldKind::Embedded { of, list },
            (Base::Type(TypeRef::Collection(_)), _) => return None,
        })
    }
}

/// Reads the type of a field; `None` when it is wrong, which is told.
pub(super) fn read(builder: &mut Builder, field: &Node<FieldDefinition>) -> Option<Shape> {
    let shape = of_type(builder, field);
    if shape.is_none() {
        builder.broken.insert(field.name.to_string());
    }
    shape
}

fn of_type(builder: &mut Builder, field: &Node<FieldDefinition>) -> Option<Shape> {
    let name = field.ty.inner_named_type();
    let place = builder.at(name);
    let (list, required) = match &field.ty {
        Type::Named(_) => (false, false),
        Type::NonNullNamed(_) => (false, true),
        Type::List(element) | Type::NonNullList(element) => {
            if !element_is_right(builder, field, element) {
                return None;
            }
            (true, field.ty.is_non_null())
        }
    };
    let of = match (Scalar::named(name), builder.types.get(name.as_str())) {
        (Some(Scalar::Decimal { .. }), _) => Base::Scalar(decimal(builder, field)?),
        (Some(scalar), _) => Base::Scalar(scalar),
        (None, Some(of)) => Base::Type(*of),
        (None, None) => {
            unknown_type(builder, field);
            return None;
        }
    };
    if let (Some(wrong), false) = (directive(field, "decimal"), name == "Decimal") {
        let place = builder.at(&wrong.name);
        builder.report.error(place, "misplaced_directive", format!("@decimal belongs on a Decimal, not on \"{name}\""));
    }
    if matches!(of, Base::Scalar(Scalar::Json)) && list {
        builder.report.error(place, "invalid_type", "a list of JSON is one JSON value").hint("write JSON");
        return None;
    }
    Some(Shape { of, list, required })
}

fn element_is_right(builder: &mut Builder, field: &FieldDefinition, element: &Type) -> bool {
    let name = field.ty.inner_named_type();
    let place = builder.at(name);
    match element {
        Type::NonNullNamed(_) => true,
        Type::Named(_) => {
            let bang = if field.ty.is_non_null() { "!" } else { "" };
            builder
                .report
                .error(place, "invalid_type", "the elements of a list are never null")
                .hint(format!("write [{name}!]{bang}"));
            false
        }
        Type::List(_) | Type::NonNullList(_) => {
            let error = builder.report.error(place, "invalid_type", "a list of lists is not available yet");
            error.hint("a field of type JSON holds any JSON");
            false
        }
    }
}

fn unknown_type(builder: &mut Builder, field: &FieldDefinition) {
    let name = field.ty.inner_named_type();
    let place = builder.at(name);
    if SCALARS_TO_COME.contains(&name.as_str()) {
        builder.report.error(place, "not_available", format!("{name} is not available yet"));
        return;
    }
    let near = nearest(name, builder.type_names()).map(str::to_owned);
    let error = builder.report.error(place, "unknown_type", format!("no type named \"{name}\""));
    error.nearest_or(near.as_deref(), || Some(format!("scalars are {}", crate::scalar::SCALAR_NAMES.join(", "))));
}

/// The scalar of a `Decimal`, whose directive gives its size.
fn decimal(builder: &mut Builder, field: &FieldDefinition) -> Option<Scalar> {
    const DIGITS_MAX: i32 = mainstay_expr::wire::DECIMAL_DIGITS_MAX as i32;
    let place = builder.at(field.ty.inner_named_type());
    let Some(size) = directive(field, "decimal") else {
        builder
            .report
            .error(place, "missing_directive", format!("\"{}\" is a Decimal without its size", field.name))
            .hint("add @decimal(precision: 12, scale: 2): all digits, and those behind the point");
        return None;
    };
    let number = |name| size.specified_argument_by_name(name).and_then(|value| value.to_i32());
    // What is missing or no number is told by validation.
    let (precision, scale) = (number("precision")?, number("scale")?);
    if !(1..=DIGITS_MAX).contains(&precision) || !(0..=precision).contains(&scale) {
        let place = builder.report.files.place(size.location());
        builder
            .report
            .error(place, "invalid_value", format!("no Decimal has {precision} digits with {scale} behind the point"))
            .hint(format!("precision is 1 to {DIGITS_MAX}, scale 0 to precision"));
        return None;
    }
    Some(Scalar::Decimal { precision: u8::try_from(precision).ok()?, scale: u8::try_from(scale).ok()? })
}
