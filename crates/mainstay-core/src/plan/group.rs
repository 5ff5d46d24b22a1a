//! Groups: what records share, and figures over those that share it.
use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use mainstay_plan::{Group as GroupPlan, GroupFigure as FigurePlan, GroupKey as KeyPlan, GroupOrder, TimePart};
use mainstay_schema::{CollectionId, FieldKind, Scalar, Schema, nearest};

use super::{
    Origin, Planner, all,
    cursor::VALUES_MAX,
    figure::{FigureShape, figure_name, resolve_figure, word},
    filter::compile_filters,
    select::check_alias,
    sort::{Path, resolve_path, sortable},
};
use crate::{
    Error, ErrorKind, Group, GroupFigure, GroupKey, Limits, Sort,
    expressions::{Expressions, Resolved, RuleKind},
};

/// What of a request for groups makes its shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GroupAsk<'a> {
    pub(crate) group: &'a Group,
    /// Whether hidden fields have names.
    pub(crate) admin: bool,
}

impl GroupAsk<'_> {
    fn param_names(&self) -> impl Iterator<Item = &str> {
        self.group.params.iter().map(|(name, _)| name.as_str())
    }
}

impl Hash for GroupAsk<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Group { collection, filter, keys, figures, sort, .. } = self.group;
        (collection, filter, keys, figures, sort, self.admin).hash(state);
        self.param_names().for_each(|name| name.hash(state));
    }
}

/// The shape of a request for groups.
#[derive(Debug)]
pub(crate) struct GroupShape {
    collection: CollectionId,
    filter: Vec<String>,
    params: Vec<String>,
    asked: (Vec<GroupKey>, Vec<GroupFigure>, Vec<Sort>),
    pub(crate) expressions: Expressions,
    filters: Vec<usize>,
    keys: Vec<(Arc<str>, Path, Option<TimePart>)>,
    figures: Vec<(Arc<str>, FigureShape)>,
    pub(crate) order: Vec<GroupOrder>,
    /// What cursors of this shape belong to, before the values and the caller.
    pub(crate) cursor_context: Vec<u8>,
}

impl GroupShape {
    /// Resolves every name.
    pub(crate) fn new(schema: &Schema, limits: &Limits, ask: &GroupAsk<'_>) -> Result<GroupShape, Error> {
        let group = ask.group;
        let of = group.collection;
        bounded(limits, group)?;
        let mut expressions = Expressions::of(ask.admin);
        expressions.need(schema, (of, RuleKind::Read));
        if schema.collection(of).rules.list.is_some() {
            expressions.need(schema, (of, RuleKind::List));
        }
        let filters = compile_filters(schema, limits, &mut expressions, of, &group.filter, &group.params)?;
        let mut keys = Vec::with_capacity(group.keys.len());
        for key in &group.keys {
            keys.push(resolve_key(schema, limits, &mut expressions, of, key)?);
        }
        let mut figures = Vec::with_capacity(group.figures.len());
        for figure in &group.figures {
            let shape = resolve_figure(schema, limits, &mut expressions, of, (figure.aggregate, &figure.path))?;
            figures.push((named(figure.alias.as_deref(), &figure_name(word(figure.aggregate), &figure.path))?, shape));
        }
        expressions.all_params_read(&group.params)?;
        let names: Vec<&str> =
            keys.iter().map(|(name, ..)| &**name).chain(figures.iter().map(|(name, _)| &**name)).collect();
        different(&names)?;
        let order = resolve_order(&names, keys.len(), &group.sort)?;
        let asked = (group.keys.clone(), group.figures.clone(), group.sort.clone());
        let cursor_context = context(schema, group);
        Ok(GroupShape {
            collection: of,
            filter: group.filter.clone(),
            params: ask.param_names().map(str::to_owned).collect(),
            asked,
            expressions,
            filters,
            keys,
            figures,
            order,
            cursor_context,
        })
    }

    /// Whether it is the shape of this request.
    pub(crate) fn fits(&self, ask: &GroupAsk<'_>) -> bool {
        let group = ask.group;
        let (keys, figures, sort) = &self.asked;
        self.collection == group.collection
            && self.expressions.admin == ask.admin
            && self.filter == group.filter
            && *keys == group.keys
            && *figures == group.figures
            && *sort == group.sort
            && self.params.iter().map(String::as_str).eq(ask.param_names())
    }

    /// The plan for one variant. `after` says which values of the cursor are null; `None`: from the start.
    pub(crate) fn plan(
        &self,
        schema: &Schema,
        resolved: &Resolved,
        after: Option<u32>,
    ) -> Result<(GroupPlan, Vec<Origin>), Error> {
        let mut planner = Planner::new(schema, &self.expressions, resolved);
        let of = self.collection;
        let mut conditions = Vec::with_capacity(3);
        if schema.collection(of).rules.list.is_some() {
            conditions.push(planner.require((of, RuleKind::List))?);
        }
        conditions.push(planner.require((of, RuleKind::Read))?);
        conditions.push(planner.filters(&self.filters)?);
        let mut keys = Vec::with_capacity(self.keys.len());
        for (name, path, part) in &self.keys {
            keys.push(KeyPlan { name: name.clone(), value: planner.path_value(of, path)?, part: *part });
        }
        let mut figures = Vec::with_capacity(self.figures.len());
        for (name, figure) in &self.figures {
            figures.push(FigurePlan { name: name.clone(), figure: planner.figure(of, figure)? });
        }
        let group = GroupPlan {
            collection: of,
            condition: all(conditions),
            keys,
            figures,
            order: self.order.clone(),
            after: after.map(|nulls| planner.after(self.order.len(), nulls)),
            limit: planner.bind(Origin::Limit),
        };
        Ok((group, planner.origins))
    }
}

fn bounded(limits: &Limits, group: &Group) -> Result<(), Error> {
    let asked = group.keys.len() + group.figures.len();
    if group.keys.is_empty() {
        return Err(invalid("the groups have no key".to_owned()).with_hint("name a field: group=published"));
    }
    if asked <= limits.group_max {
        return Ok(());
    }
    let message = format!("{asked} keys and figures are more than the {} that one request may have", limits.group_max);
    Err(Error::new(ErrorKind::LimitExceeded, message))
}

fn resolve_key(
    schema: &Schema,
    limits: &Limits,
    expressions: &mut Expressions,
    of: CollectionId,
    key: &GroupKey,
) -> Result<(Arc<str>, Path, Option<TimePart>), Error> {
    let path = resolve_path(schema, limits, expressions, of, &key.path)?;
    let collection = schema.collection(path.collection);
    let field = collection.field(path.field);
    sortable(collection, field)?;
    if let Some(part) = key.part {
        let fits = match field.kind {
            FieldKind::Scalar(Scalar::DateTime) => true,
            FieldKind::Scalar(Scalar::Date) => part != TimePart::Hour,
            _ => false,
        };
        if !fits {
            let (name, of) = (&field.name, &collection.name);
            return Err(invalid(format!("\"{name}\" of \"{of}\" has no {}", part_word(part))));
        }
    }
    let last = key.path.last().map_or("", String::as_str);
    let name = match key.part {
        Some(part) => figure_name(part_word(part), &[last.to_owned()]),
        None => last.to_owned(),
    };
    Ok((named(key.alias.as_deref(), &name)?, path, key.part))
}

/// The word of the API.
fn part_word(part: TimePart) -> &'static str {
    match part {
        TimePart::Year => "year",
        TimePart::Month => "month",
        TimePart::Day => "day",
        TimePart::Hour => "hour",
    }
}

fn named(alias: Option<&str>, name: &str) -> Result<Arc<str>, Error> {
    match alias {
        Some(alias) => check_alias(alias).map(|()| alias.into()),
        None => Ok(name.into()),
    }
}

fn different(names: &[&str]) -> Result<(), Error> {
    match names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        Some((_, name)) => Err(invalid(format!("\"{name}\" is answered twice"))
            .with_hint(format!("give one of them another name: other:{name}"))),
        None => Ok(()),
    }
}

/// The order of groups: by the names that are asked for, then by the keys that are left, so that no two groups are equal.
fn resolve_order(names: &[&str], keys: usize, sort: &[Sort]) -> Result<Vec<GroupOrder>, Error> {
    let mut order: Vec<GroupOrder> = Vec::with_capacity(sort.len() + keys);
    for one in sort {
        let asked = one.path.join(".");
        let Some(column) = names.iter().position(|name| *name == asked) else {
            let error = invalid(format!("no \"{asked}\" is answered of the groups to sort them by"));
            let near = nearest(&asked, names.iter().copied());
            let hint = near
                .map_or_else(|| format!("there are {}", names.join(", ")), |near| format!("did you mean \"{near}\"?"));
            return Err(error.with_hint(hint));
        };
        if order.iter().any(|known| known.column == column) {
            return Err(invalid(format!("\"{asked}\" is sorted by twice")));
        }
        order.push(GroupOrder { column, descending: one.descending });
    }
    let left = (0..keys).filter(|column| !order.iter().any(|known| known.column == *column)).collect::<Vec<_>>();
    order.extend(left.into_iter().map(|column| GroupOrder { column, descending: false }));
    if order.len() > VALUES_MAX {
        let message =
            format!("groups with {} keys and sorts are more than the {VALUES_MAX} that have an order", order.len());
        return Err(Error::new(ErrorKind::LimitExceeded, message));
    }
    Ok(order)
}

/// What a cursor belongs to: everything that the order of the groups depends on.
fn context(schema: &Schema, group: &Group) -> Vec<u8> {
    let Group { keys, figures, sort, filter, .. } = group;
    let name = &schema.collection(group.collection).name;
    format!("group {name}\0{keys:?}\0{figures:?}\0{sort:?}\0{filter:?}\0{}", schema.fingerprint).into_bytes()
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}
