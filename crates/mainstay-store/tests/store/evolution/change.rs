//! Changes of a model, each of which a schema's author could make.
use super::{
    kinds::Kind,
    model::{Fill, Model, letters},
};
use crate::agreement::bytes::Bytes;

/// The model with some changes; names that are given up may be taken by others.
pub(crate) fn change(old: &Model, bytes: &mut Bytes<'_>) -> Model {
    let mut model = old.clone();
    forget(&mut model);
    let mut free = Vec::new();
    for _ in 0..1 + bytes.below(4) {
        one(&mut model, old, &mut free, bytes);
    }
    repair(&mut model);
    model
}

/// What was told of the last change is known by now.
pub(crate) fn forget(model: &mut Model) {
    for of in &mut model.types {
        of.was = None;
        of.fields.iter_mut().for_each(|field| field.was = None);
    }
    model.enums.iter_mut().flat_map(|of| &mut of.values).for_each(|value| value.2 = None);
}

fn one(model: &mut Model, old: &Model, free: &mut Vec<String>, bytes: &mut Bytes<'_>) {
    let at = bytes.below(model.types.len());
    let field = bytes.below(model.types[at].fields.len().max(1));
    let has_field = field < model.types[at].fields.len();
    match bytes.below(18) {
        0 => model.add_type(bytes),
        1 if model.types.len() > 1 => drop(model.types.remove(at)),
        2 => rename_type(model, old, at),
        3 => {
            model.add_field(at, bytes, free);
            let uid = model.next;
            if let (true, Some(field)) = (bytes.rarely(2), model.types[at].fields.iter_mut().find(|of| of.uid == uid)) {
                field.fill = Some(Fill::Constant);
            }
        }
        4 if has_field => drop(model.types[at].fields.remove(field)),
        5 if has_field => rename_field(model, old, at, field, free),
        6 | 7 if has_field => {
            let kind = Kind::draw(model, bytes);
            let field = &mut model.types[at].fields[field];
            field.kind = kind;
        }
        8 if has_field => {
            let field = &mut model.types[at].fields[field];
            field.required = !field.required;
        }
        9 if has_field => fill(model, at, field, bytes),
        10 if has_field => {
            let field = &mut model.types[at].fields[field];
            field.unique = !field.unique;
        }
        17 if has_field => {
            let among = bytes.one_of(&model.types[at].fields).uid;
            let field = &mut model.types[at].fields[field];
            field.among = if field.among.is_some() { None } else { Some(among) };
            field.unique = field.kind.is_keyable();
        }
        11 if has_field => {
            let field = &mut model.types[at].fields[field];
            field.index = !field.index;
        }
        12 if has_field => {
            let field = &mut model.types[at].fields[field];
            field.default = !field.default;
        }
        13 if has_field => {
            let above = bytes.one_of(&[None, Some(-10), Some(0), Some(6)]);
            model.types[at].fields[field].above = above;
        }
        14 => {
            let (uid, name) = (model.uid(), format!("v{}", letters(model.next)));
            let values = &mut model.enums[0].values;
            values.insert(bytes.below(values.len() + 1), (uid, name, None));
        }
        15 => change_value(model, bytes),
        16 if model.types[at].fields.len() > 1 => {
            let fields = &model.types[at].fields;
            let pair = (fields[field].uid, fields[(field + 1) % fields.len()].uid);
            model.types[at].pair = if model.types[at].pair.is_some() { None } else { Some(pair) };
        }
        _ => {}
    }
}

fn rename_type(model: &mut Model, old: &Model, at: usize) {
    let uid = model.types[at].uid;
    let Some(was) = old.of(uid).map(|of| of.name.clone()) else { return };
    let name = format!("Type{}", letters(model.uid()));
    (model.types[at].name, model.types[at].was) = (name, Some(was));
}

fn rename_field(model: &mut Model, old: &Model, at: usize, field: usize, free: &mut Vec<String>) {
    let (of, uid) = (model.types[at].uid, model.types[at].fields[field].uid);
    let Some(was) = old.of(of).and_then(|of| of.field(uid)).map(|field| field.name.clone()) else { return };
    let name = format!("f{}", letters(model.uid()));
    free.push(was.clone());
    let field = &mut model.types[at].fields[field];
    (field.name, field.was) = (name, Some(was));
}

fn change_value(model: &mut Model, bytes: &mut Bytes<'_>) {
    let at = bytes.below(model.enums[0].values.len());
    if bytes.rarely(2) && model.enums[0].values.len() > 1 {
        model.enums[0].values.remove(at);
        return;
    }
    let name = format!("v{}", letters(model.uid()));
    let value = &mut model.enums[0].values[at];
    if value.2.is_none() {
        value.2 = Some(std::mem::replace(&mut value.1, name));
    }
}

fn fill(model: &mut Model, at: usize, field: usize, bytes: &mut Bytes<'_>) {
    let of = &model.types[at];
    let other = bytes.one_of(&of.fields);
    let linked = match other.kind {
        Kind::Link(target) => {
            model.of(target).filter(|of| !of.fields.is_empty()).map(|of| bytes.one_of(&of.fields).uid)
        }
        _ => None,
    };
    let fill = match linked {
        Some(there) => Fill::Linked(other.uid, there),
        None if bytes.rarely(2) => Fill::Own(other.uid),
        None => Fill::Constant,
    };
    let field = &mut model.types[at].fields[field];
    (field.fill, field.required) = (Some(fill), true);
}

/// Takes away what does not fit together any more.
fn repair(model: &mut Model) {
    let there: Vec<_> = model.types.iter().map(|of| of.uid).collect();
    let copy = model.clone();
    for of in &mut model.types {
        of.fields.retain(|field| match &field.kind {
            Kind::Link(target) | Kind::Many(target) => there.contains(target),
            _ => true,
        });
        for field in &mut of.fields {
            field.default &= field.kind.default_literal(&copy).is_some();
            field.unique &= field.kind.is_keyable();
            field.index &= field.kind.is_keyable();
            field.above = field.above.filter(|_| field.kind == Kind::Int);
            field.required &= !matches!(field.kind, Kind::Many(_));
            if matches!(field.kind, Kind::Many(_)) {
                field.fill = None;
            }
        }
        let fields = of.fields.clone();
        let is_keyable = |uid: usize| fields.iter().any(|field| field.uid == uid && field.kind.is_keyable());
        of.pair = of.pair.filter(|(a, b)| a != b && is_keyable(*a) && is_keyable(*b));
    }
}
