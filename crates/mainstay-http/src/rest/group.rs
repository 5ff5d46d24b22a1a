//! `GET /api/{path}?group=…`: records in groups, with figures over each.
use mainstay_core::{Aggregate, Group, GroupFigure, Limits};
use mainstay_schema::CollectionId;

use super::list::{bound, limit_of};
use crate::{
    fields,
    params::Params,
    problem::{Code, Outcome, Problem},
};

/// What is asked of records, and not of groups.
const OF_RECORDS: [&str; 2] = ["fields", "count"];

/// Whether groups are asked for.
pub(super) fn is_asked(params: &Params<'_>) -> Outcome<bool> {
    if params.get("group").is_none() {
        return match params.get("select") {
            Some(_) => Err(Problem::new(
                Code::InvalidArgument,
                "select: these are figures of groups, and no group is asked for",
            )
            .hint(Some("name what the records of a group share, as in group=published".to_owned()))),
            None => Ok(false),
        };
    }
    match OF_RECORDS.into_iter().find(|name| params.get(name).is_some()) {
        Some(name) => Err(Problem::new(Code::InvalidArgument, format!("{name}: groups have none"))
            .hint(Some("name their figures, as in select=count".to_owned()))),
        None => Ok(true),
    }
}

/// What the parameters ask for. Without `select`, the records of each group are counted.
pub(super) fn operation(collection: CollectionId, params: &Params<'_>, limits: &Limits) -> Outcome<Group> {
    let keys = fields::parse_group(params.get("group").unwrap_or_default(), limits)?;
    let figures = match params.get("select") {
        Some(text) => fields::parse_figures(text, limits)?,
        None => vec![GroupFigure { alias: None, aggregate: Aggregate::Count, path: Vec::new() }],
    };
    Ok(Group {
        collection,
        filter: params.all("filter").map(str::to_owned).collect(),
        params: bound(params),
        keys,
        figures,
        sort: params.get("sort").map(|text| fields::parse_sort(text, limits)).transpose()?.unwrap_or_default(),
        limit: limit_of(params, limits)?,
        after: params.get("after").map(str::to_owned),
    })
}
