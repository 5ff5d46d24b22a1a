//! Which record an address names.
use mainstay_core::Target;
use mainstay_schema::{Collection, FieldId, nearest};

use crate::{
    params::decode_path,
    problem::{Code, Outcome, Problem},
    router::Route,
};

/// The target of `/{key}` or `/by/{fields}/{values}`.
pub(super) fn target(collection: &Collection, admin: bool, route: &Route<'_>) -> Outcome<Target> {
    match route {
        Route::Unique { fields, values, .. } => by_unique(collection, admin, fields, values),
        Route::Record { key, .. } => Ok(Target::Key(decode_path(key, "the key")?.into_owned())),
        _ => Err(Problem::new(Code::UnknownPath, "no record is named")),
    }
}

fn by_unique(collection: &Collection, admin: bool, fields: &str, values: &str) -> Outcome<Target> {
    let fields = decode_path(fields, "the fields of the unique")?;
    let asked: Vec<FieldId> = fields.split(',').map(|name| field(collection, admin, name)).collect::<Outcome<_>>()?;
    let unique = collection.unique_of(&asked).ok_or_else(|| no_unique(collection, &asked, &fields))?;
    // The values are cut before they are decoded: a comma inside of one is written %2C. A single value is not cut.
    let cut: Vec<&str> = if asked.len() == 1 { vec![values] } else { values.split(',').collect() };
    if cut.len() != asked.len() {
        let detail = format!("{} fields are named and {} values given", asked.len(), cut.len());
        let hint = Some("inside of a value a comma is written %2C".into());
        return Err(Problem::new(Code::InvalidArgument, detail).hint(hint));
    }
    let mut ordered = Vec::with_capacity(cut.len());
    for wanted in &unique.fields {
        let at = asked.iter().position(|field| field == wanted).unwrap_or_default();
        ordered.push(decode_path(cut[at], "a value of the unique")?.into_owned());
    }
    Ok(Target::Unique { fields: unique.fields.clone(), values: ordered })
}

/// The fields of a unique of a collection, named in whichever order: `owner,skill`.
pub(super) fn unique(collection: &Collection, admin: bool, names: &str) -> Outcome<Vec<FieldId>> {
    let argument = |mut problem: Box<Problem>| {
        problem.code = Code::InvalidArgument;
        problem.detail = format!("upsert: {}", problem.detail).into();
        problem
    };
    let asked: Vec<FieldId> =
        names.split(',').map(|name| field(collection, admin, name)).collect::<Outcome<_>>().map_err(argument)?;
    let unique = collection.unique_of(&asked).ok_or_else(|| argument(no_unique(collection, &asked, names)))?;
    Ok(unique.fields.clone())
}

fn field(collection: &Collection, admin: bool, name: &str) -> Outcome<FieldId> {
    if let Some(field) = collection.field_known(name, admin) {
        return Ok(field.id);
    }
    let of_uniques = collection.open_uniques().flat_map(|unique| &unique.fields);
    let near = nearest(name, of_uniques.map(|id| &*collection.field(*id).name));
    let near = near.map(|near| format!("did you mean {near:?}?"));
    Err(Problem::new(Code::UnknownPath, format!("no field {name:?} in {:?}", collection.name)).hint(near))
}

fn no_unique(collection: &Collection, asked: &[FieldId], fields: &str) -> Box<Problem> {
    let name = |id: &FieldId| collection.field(*id).name.clone();
    let uniques: Vec<String> =
        collection.open_uniques().map(|unique| unique.fields.iter().map(name).collect::<Vec<_>>().join(",")).collect();
    let hint = if uniques.is_empty() {
        format!("{:?} has no uniques: ask by key", collection.name)
    } else {
        format!("the uniques of {:?} are {}", collection.name, uniques.join(" and "))
    };
    let detail = match collection.is_partly_unique(asked) {
        true => format!("\"{fields}\" of \"{}\" is unique among some records alone", collection.name),
        false => format!("\"{fields}\" is no unique of \"{}\"", collection.name),
    };
    Problem::new(Code::UnknownPath, detail).hint(Some(hint))
}
