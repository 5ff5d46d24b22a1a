//! Selections: names resolved to what is answered of a record, links as deep as the limit allows.
use std::{borrow::Cow, collections::HashSet, sync::Arc};

use mainstay_expr::own_fields_only as own_fields_read;
use mainstay_plan::{Aggregate, LinkFigure, Nested as PlanNested, Output, OutputValue};
use mainstay_schema::{Collection, CollectionId, Field, FieldId, FieldKind, Schema};
use mainstay_store::OBJECT_MEMBERS_MAX;

use super::{
    Planner, all,
    figure::{FigureShape, figure_name, resolve_figure, word},
    filter::compile_filters,
    rules::Gate,
    sort::{SortKey, known_field, resolve_sort},
};
use crate::{
    Error, ErrorKind, Limits, Nested, Select, Selection,
    expressions::{Expressions, RuleKind},
};

/// Characters of a name that a caller gives to a part of the answer.
const ALIAS_LENGTH_MAX: usize = 64;

/// A resolved part of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// The collection that it is a part of.
    of: CollectionId,
    name: Arc<str>,
    value: PartValue,
}

#[derive(Clone, Debug)]
enum PartValue {
    Field(FieldPart),
    Link(LinkPart),
    Figure(FigurePart),
}

/// A figure over the records of a to-many link.
#[derive(Clone, Debug)]
struct FigurePart {
    field: FieldId,
    target: CollectionId,
    figure: FigureShape,
    filters: Vec<usize>,
}

/// An own field.
#[derive(Clone, Copy, Debug)]
struct FieldPart {
    field: FieldId,
    /// Whether it was named, and not meant by a star: then it is refused where it may not be read.
    named: bool,
    /// Whether what is answered of it depends on the version of its record alone, for one caller.
    own: bool,
}

/// The records of a link.
#[derive(Clone, Debug)]
struct LinkPart {
    field: FieldId,
    target: CollectionId,
    many: bool,
    filters: Vec<usize>,
    order: Vec<SortKey>,
    limit: Option<u32>,
    parts: Vec<Part>,
}

/// Whether the parts are own stored fields only.
pub(crate) fn own_fields_only(parts: &[Part]) -> bool {
    parts.iter().all(|part| matches!(part.value, PartValue::Field(FieldPart { own: true, .. })))
}

/// The own fields that are answered, with their names, where there is nothing else.
pub(crate) fn own_fields(outputs: &[Output]) -> Option<Vec<(Arc<str>, FieldId)>> {
    let field = |output: &Output| match output.value {
        OutputValue::Field(field) => Some((output.name.clone(), field)),
        _ => None,
    };
    outputs.iter().map(field).collect()
}

/// Resolves selections: one for each operation, so that the parts of all levels are counted together.
pub(crate) struct Selecting<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) limits: &'a Limits,
    pub(crate) expressions: &'a mut Expressions,
    /// The `p.` values that were sent.
    pub(crate) sent: &'a [(String, String)],
    parts: usize,
}

impl<'a> Selecting<'a> {
    pub(crate) fn new(
        schema: &'a Schema,
        limits: &'a Limits,
        expressions: &'a mut Expressions,
        sent: &'a [(String, String)],
    ) -> Selecting<'a> {
        Selecting { schema, limits, expressions, sent, parts: 0 }
    }

    /// Resolves what to answer of a record; `None`: all own stored fields.
    pub(crate) fn resolve(&mut self, of: CollectionId, selection: Option<&Selection>) -> Result<Vec<Part>, Error> {
        self.level(of, selection, 0)
    }

    fn level(&mut self, of: CollectionId, selection: Option<&Selection>, depth: usize) -> Result<Vec<Part>, Error> {
        let collection = self.schema.collection(of);
        let mut parts = Vec::new();
        match selection.map(|selection| &selection.parts[..]) {
            None | Some([]) => parts.extend(self.own(collection, &[])),
            Some(selects) => {
                for select in selects {
                    self.count()?;
                    match select {
                        Select::All => parts.extend(self.own(collection, selects)),
                        select => parts.push(self.select(collection, select, depth)?),
                    }
                }
            }
        }
        if depth > 0 && parts.len() > OBJECT_MEMBERS_MAX {
            let message = format!(
                "{} fields of a linked \"{}\" are selected, at most {OBJECT_MEMBERS_MAX} are answered",
                parts.len(),
                collection.name
            );
            return Err(Error::new(ErrorKind::LimitExceeded, message).with_hint("name the fields that are needed"));
        }
        let mut names = HashSet::with_capacity(parts.len());
        match parts.iter().find(|part| !names.insert(part.name.clone())) {
            Some(part) => Err(invalid(format!("\"{}\" is selected twice", part.name))
                .with_hint(format!("give one of them another name: other:{}", part.name))),
            None => Ok(parts),
        }
    }

    fn count(&mut self) -> Result<(), Error> {
        self.parts += 1;
        if self.parts > self.limits.selection_max {
            let message = format!("the selection has more than {} parts", self.limits.selection_max);
            return Err(Error::new(ErrorKind::LimitExceeded, message));
        }
        Ok(())
    }

    fn select(&mut self, of: &Collection, select: &Select, depth: usize) -> Result<Part, Error> {
        let (alias, name, value) = match select {
            Select::All => return Err(Error::internal("a star is no single part")),
            Select::Field { alias, name } => (alias, name, self.stored_field(of, name)?),
            Select::Link { alias, name, nested } => (alias, name, PartValue::Link(self.link(of, name, nested, depth)?)),
            Select::Figure { alias, aggregate, path, filter } => {
                let value = PartValue::Figure(self.figure(of, (*aggregate, path), filter)?);
                return part(of.id, alias.as_deref(), &default_name(*aggregate, path), value);
            }
        };
        part(of.id, alias.as_deref(), name, value)
    }

    /// What a star stands for: all own fields that have a value, but those that stand beside it in their own words.
    fn own(&mut self, of: &Collection, selects: &[Select]) -> Vec<Part> {
        let named =
            |field: &Field| selects.iter().any(|select| answered_as(select).as_deref() == Some(field.name.as_str()));
        let admin = self.expressions.admin;
        let open = of.valued().filter(|field| (admin || !field.hidden) && !named(field));
        let part =
            |field: &Field| Part { of: of.id, name: field.name.as_str().into(), value: self.field(of, field, false) };
        open.map(part).collect()
    }

    fn field(&mut self, of: &Collection, field: &Field, named: bool) -> PartValue {
        self.expressions.need_field(self.schema, of.id, field.id);
        let own = field.rules.read.as_ref().is_none_or(|rule| own_fields_read(&rule.expr));
        let own = own && field.computed.as_ref().is_none_or(|of| of.slots.is_empty() && own_fields_read(&of.expr));
        PartValue::Field(FieldPart { field: field.id, named, own })
    }

    fn stored_field(&mut self, of: &Collection, name: &str) -> Result<PartValue, Error> {
        let field = known_field(of, name, self.expressions.admin)?;
        if !field.lists_links() {
            return Ok(self.field(of, field, true));
        }
        Err(invalid(format!("\"{name}\" of \"{}\" is a to-many link", of.name))
            .with_hint(format!("say what to answer of its records, {name}(id), or count them, size({name})")))
    }

    fn link(&mut self, of: &Collection, name: &str, nested: &Nested, depth: usize) -> Result<LinkPart, Error> {
        let field = known_field(of, name, self.expressions.admin)?;
        self.expressions.need_field(self.schema, of.id, field.id);
        let Some(target) = field.target() else {
            return Err(
                invalid(format!("\"{name}\" of \"{}\" is no link", of.name)).with_hint(format!("select it as {name}"))
            );
        };
        if depth >= self.limits.depth_max {
            let message = format!("\"{name}\" is nested deeper than {} links", self.limits.depth_max);
            return Err(Error::new(ErrorKind::LimitExceeded, message));
        }
        self.expressions.need(self.schema, (target, RuleKind::Read));
        let many = !matches!(field.kind, FieldKind::ToOne { .. });
        let plain = nested.limit.is_none() && nested.sort.is_empty() && nested.filter.is_empty();
        if !many && !plain {
            return Err(invalid(format!("\"{name}\" is a to-one link, which has no limit, sort or filter")));
        }
        let filters = compile_filters(self.schema, self.limits, self.expressions, target, &nested.filter, self.sent)?;
        let order = match many {
            true => resolve_sort(self.schema, self.limits, self.expressions, target, &nested.sort)?,
            false => Vec::new(),
        };
        let limit = if many { Some(self.nested_limit(name, nested.limit)?) } else { None };
        let parts = self.level(target, Some(&nested.selection), depth + 1)?;
        Ok(LinkPart { field: field.id, target, many, filters, order, limit, parts })
    }

    fn figure(
        &mut self,
        of: &Collection,
        (aggregate, path): (Aggregate, &[String]),
        filter: &[String],
    ) -> Result<FigurePart, Error> {
        let Some((name, path)) = path.split_first() else { return Err(Error::internal("a figure of no link")) };
        let field = known_field(of, name, self.expressions.admin)?;
        self.expressions.need_field(self.schema, of.id, field.id);
        let (FieldKind::Inverse { target, .. } | FieldKind::Many { target, .. }) = field.kind else {
            return Err(invalid(format!(
                "\"{name}\" of \"{}\" is no to-many link, so that it has no figures",
                of.name
            )));
        };
        self.expressions.need(self.schema, (target, RuleKind::Read));
        let figure = resolve_figure(self.schema, self.limits, self.expressions, target, (aggregate, path))?;
        let filters = compile_filters(self.schema, self.limits, self.expressions, target, filter, self.sent)?;
        Ok(FigurePart { field: field.id, target, figure, filters })
    }

    fn nested_limit(&self, name: &str, limit: Option<u32>) -> Result<u32, Error> {
        match limit {
            None => Ok(self.limits.nested_default),
            Some(0) => {
                Err(invalid(format!("the limit of \"{name}\" is 0")).with_hint(format!("count them by size({name})")))
            }
            Some(limit) if limit > self.limits.nested_max => {
                let message =
                    format!("the limit of \"{name}\" is {limit}, at most {} are answered", self.limits.nested_max);
                Err(Error::new(ErrorKind::LimitExceeded, message))
            }
            Some(limit) => Ok(limit),
        }
    }
}

fn answered_as(select: &Select) -> Option<Cow<'_, str>> {
    match select {
        Select::All => None,
        Select::Field { alias, name } | Select::Link { alias, name, .. } => {
            Some(Cow::Borrowed(alias.as_ref().unwrap_or(name)))
        }
        Select::Figure { alias: Some(alias), .. } => Some(Cow::Borrowed(alias)),
        Select::Figure { aggregate, path, .. } => Some(Cow::Owned(default_name(*aggregate, path))),
    }
}

/// A size is named as its link is.
fn default_name(aggregate: Aggregate, path: &[String]) -> String {
    match (aggregate, path) {
        (Aggregate::Count, [link]) => link.clone(),
        _ => figure_name(word(aggregate), path),
    }
}

fn part(of: CollectionId, alias: Option<&str>, name: &str, value: PartValue) -> Result<Part, Error> {
    if let Some(alias) = alias {
        check_alias(alias)?;
    }
    Ok(Part { of, name: alias.unwrap_or(name).into(), value })
}

pub(crate) fn check_alias(alias: &str) -> Result<(), Error> {
    let starts = alias.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts && alias.len() <= ALIAS_LENGTH_MAX && alias.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(());
    }
    Err(invalid(format!("{alias:?} cannot be a name in the answer"))
        .with_hint(format!("use letters, digits and underscores, at most {ALIAS_LENGTH_MAX}, no digit first")))
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

impl Planner<'_> {
    /// The parts for this caller: records and fields that are hidden are absent.
    pub(crate) fn outputs(&mut self, parts: &[Part]) -> Result<Vec<Output>, Error> {
        let mut outputs = Vec::with_capacity(parts.len());
        for part in parts {
            if let Some(value) = self.output(part.of, &part.value)? {
                outputs.push(Output { name: part.name.clone(), value });
            }
        }
        Ok(outputs)
    }

    fn output(&mut self, of: CollectionId, value: &PartValue) -> Result<Option<OutputValue>, Error> {
        let (field, named, value) = match value {
            PartValue::Field(part) => {
                let value = match self.computed(of, part.field) {
                    Some(expr) => OutputValue::Computed(part.field, Box::new(expr)),
                    None => OutputValue::Field(part.field),
                };
                (part.field, part.named, value)
            }
            PartValue::Link(link) if link.many => {
                (link.field, true, OutputValue::Many(Box::new(self.nested(of, link)?)))
            }
            PartValue::Link(link) => (link.field, true, OutputValue::One(Box::new(self.nested(of, link)?))),
            PartValue::Figure(part) => {
                let condition = all([self.behind(of, part.field)?, self.filters(&part.filters)?]);
                let (field, target) = (part.field, part.target);
                let records = PlanNested { field, target, condition, order: vec![], limit: None, select: vec![] };
                let figure = self.figure(target, &part.figure)?;
                (field, true, OutputValue::Figure(Box::new(LinkFigure { records, figure })))
            }
        };
        Ok(match self.field_gate(of, field) {
            Gate::Open => Some(value),
            Gate::When(condition) => Some(OutputValue::When(Box::new(condition), Box::new(value))),
            Gate::Shut if named => return self.named_field(of, field).map(|_| None),
            Gate::Shut => None,
        })
    }

    fn nested(&mut self, of: CollectionId, link: &LinkPart) -> Result<PlanNested, Error> {
        Ok(PlanNested {
            field: link.field,
            target: link.target,
            condition: all([self.behind(of, link.field)?, self.filters(&link.filters)?]),
            order: self.order(link.target, &link.order)?,
            limit: link.limit,
            select: self.outputs(&link.parts)?,
        })
    }
}
