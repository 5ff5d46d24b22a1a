//! The types of values as JSON schemas.
use mainstay_schema::{EnumId, Field, FieldKind, KeyKind, Scalar, Schema};

use super::{
    names::Names,
    node::{Node, object, reference},
};

/// Which side of the wire a value is on: what is answered has one form, what is taken may have more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Answered,
    Taken,
}

const KEY_LENGTH_MAX: u32 = mainstay_schema::KEY_LENGTH_MAX;
const LIST_LENGTH_MAX: usize = mainstay_schema::LIST_LENGTH_MAX;

/// Text without U+0000.
const TEXT: &str = "^[^\\u0000]*$";
/// Text without control characters, and neither `.` nor `..`.
const KEY_TEXT: &str = "^(\\.{0,2}[^.\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u001f\\u007f-\\u009f]*|\\.{3}[^\\u0000-\\u001f\\u007f-\\u009f]*)$";
const WHOLE: &str = "^(0|-?[1-9][0-9]{0,18})$";
const TIME: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?$";
const BASE64: &str = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?$";

/// The schema of a field's value. Nullable where the field is.
pub(super) fn field(schema: &Schema, names: &Names, field: &Field, side: Side) -> Node {
    let node = kind(schema, names, &field.kind, field.length_max, side);
    if field.required { node } else { nullable(node) }
}

/// The schema of a value that is there.
pub(super) fn kind(schema: &Schema, names: &Names, kind: &FieldKind, length_max: Option<u32>, side: Side) -> Node {
    match kind {
        FieldKind::Scalar(of) => scalar(*of, length_max, side),
        FieldKind::Enum(of) => enumeration(names, *of),
        FieldKind::ScalarList(of) => list(scalar(*of, length_max, side), LIST_LENGTH_MAX),
        FieldKind::EnumList(of) => list(enumeration(names, *of), LIST_LENGTH_MAX),
        FieldKind::Embedded { of, list: many } => {
            let one = reference("schemas", &names.embedded[of.0 as usize]);
            if *many { list(one, LIST_LENGTH_MAX) } else { one }
        }
        FieldKind::ToOne { target, .. } | FieldKind::Inverse { target, .. } | FieldKind::Many { target, .. } => {
            key(schema.collection(*target).key, side)
        }
    }
}

/// A list of items.
pub(super) fn list(items: Node, length_max: usize) -> Node {
    object([("type", "array".into()), ("items", items), ("maxItems", Node::Int(length_max as i64))])
}

fn enumeration(names: &Names, of: EnumId) -> Node {
    reference("schemas", &names.enums[of.0 as usize])
}

/// The schema of a key; what is answered is always a text.
pub(super) fn key(kind: KeyKind, side: Side) -> Node {
    match kind {
        KeyKind::Uuid => text().with("format", "uuid"),
        KeyKind::Int => long(side),
        KeyKind::String => text().with("minLength", 1_u32).with("maxLength", KEY_LENGTH_MAX).with("pattern", KEY_TEXT),
    }
}

fn text() -> Node {
    object([("type", "string".into())])
}

fn bounded(node: Node, length_max: Option<u32>) -> Node {
    match length_max {
        Some(length_max) => node.with("maxLength", length_max),
        None => node,
    }
}

fn scalar(scalar: Scalar, length_max: Option<u32>, side: Side) -> Node {
    match scalar {
        Scalar::String | Scalar::Id => bounded(text(), length_max).with("pattern", TEXT),
        Scalar::Int => object([
            ("type", "integer".into()),
            ("format", "int32".into()),
            ("minimum", Node::Int(i64::from(i32::MIN))),
            ("maximum", Node::Int(i64::from(i32::MAX))),
        ]),
        Scalar::Float => object([("type", "number".into()), ("format", "double".into())]),
        Scalar::Boolean => object([("type", "boolean".into())]),
        Scalar::Long => long(side),
        Scalar::Decimal { precision, scale } => {
            let most = 10_i64.checked_pow(u32::from(precision.saturating_sub(scale))).map_or(i64::MAX, |most| most - 1);
            whole_or_text(side, -most, most).with("pattern", decimal_pattern(precision, scale))
        }
        Scalar::Date => text().with("format", "date"),
        Scalar::Time => text().with("pattern", TIME),
        Scalar::DateTime => text().with("format", "date-time"),
        Scalar::Uuid => text().with("format", "uuid"),
        Scalar::Email => {
            bounded(text(), smaller(length_max, mainstay_schema::EMAIL_LENGTH_MAX)).with("format", "email")
        }
        Scalar::Url => bounded(text(), smaller(length_max, mainstay_schema::URL_LENGTH_MAX)).with("format", "uri"),
        Scalar::Json => object([]),
        Scalar::Bytes => text().with("contentEncoding", "base64").with("pattern", BASE64),
    }
}

fn smaller(length_max: Option<u32>, most: u32) -> Option<u32> {
    Some(length_max.unwrap_or(most).min(most))
}

fn long(side: Side) -> Node {
    whole_or_text(side, i64::MIN, i64::MAX).with("pattern", WHOLE)
}

/// What is a text on the wire, so that no digit gets lost, and may be sent as a whole number too.
fn whole_or_text(side: Side, least: i64, most: i64) -> Node {
    match side {
        Side::Answered => text(),
        Side::Taken => object([
            ("type", Node::Array(vec!["string".into(), "integer".into()])),
            ("minimum", Node::Int(least)),
            ("maximum", Node::Int(most)),
        ]),
    }
}

fn decimal_pattern(precision: u8, scale: u8) -> String {
    let whole = match precision.saturating_sub(scale) {
        0 => "0+".to_owned(),
        digits => format!("0*[0-9]{{1,{digits}}}"),
    };
    match scale {
        0 => format!("^-?{whole}$"),
        scale => format!("^-?{whole}(\\.[0-9]{{1,{scale}}})?$"),
    }
}

/// The same schema, or null.
pub(super) fn nullable(node: Node) -> Node {
    let Node::Object(mut members) = node else { return node };
    // A reference needs another branch; without a type everything is allowed, null too.
    if members.iter().any(|(name, _)| name == "$ref") {
        return object([("oneOf", Node::Array(vec![Node::Object(members), object([("type", "null".into())])]))]);
    }
    match members.iter_mut().find(|(name, _)| name == "type") {
        Some((_, Node::Array(types))) => types.push("null".into()),
        Some((_, one)) => *one = Node::Array(vec![one.clone(), "null".into()]),
        None => {}
    }
    Node::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_have_as_many_digits_as_they_say() {
        assert_eq!(decimal_pattern(5, 2), "^-?0*[0-9]{1,3}(\\.[0-9]{1,2})?$");
        assert_eq!(decimal_pattern(5, 0), "^-?0*[0-9]{1,5}$");
        assert_eq!(decimal_pattern(2, 2), "^-?0+(\\.[0-9]{1,2})?$");
    }
}
