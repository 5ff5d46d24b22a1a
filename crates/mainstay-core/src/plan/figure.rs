//! Figures: what they are made of, resolved and checked.
use mainstay_plan::{Aggregate, Figure, PathValue};
use mainstay_schema::{CollectionId, Field, FieldKind, Scalar, Schema};

use super::{
    Planner,
    sort::{Path, resolve_path, sortable},
};
use crate::{Error, ErrorKind, Limits, expressions::Expressions};

/// A figure with its names resolved.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FigureShape {
    pub(crate) aggregate: Aggregate,
    /// What the values are; `None`: the records are counted.
    pub(crate) of: Option<Path>,
}

/// Resolves a figure over records of a collection; `path` is empty where they are counted.
pub(crate) fn resolve_figure(
    schema: &Schema,
    limits: &Limits,
    expressions: &mut Expressions,
    collection: CollectionId,
    (aggregate, path): (Aggregate, &[String]),
) -> Result<FigureShape, Error> {
    if path.is_empty() {
        return match aggregate {
            Aggregate::Count => Ok(FigureShape { aggregate, of: None }),
            _ => Err(invalid(format!("{} of what?", word(aggregate)))
                .with_hint(format!("name a field: {}(field)", word(aggregate)))),
        };
    }
    let path = resolve_path(schema, limits, expressions, collection, path)?;
    let of = schema.collection(path.collection);
    let field = of.field(path.field);
    match aggregate {
        Aggregate::Sum | Aggregate::Avg => numeric(&of.name, field, aggregate)?,
        Aggregate::Count | Aggregate::CountDistinct => sortable(of, field)?,
        Aggregate::Min | Aggregate::Max => {
            sortable(of, field)?;
            if of.system.id == Some(field.id) || field.target().is_some() {
                return Err(invalid(format!(
                    "\"{}\" of \"{}\" is a key, which has no {}",
                    field.name,
                    of.name,
                    word(aggregate)
                )));
            }
        }
    }
    Ok(FigureShape { aggregate, of: Some(path) })
}

/// The word of the API.
pub(crate) fn word(aggregate: Aggregate) -> &'static str {
    match aggregate {
        Aggregate::Count => "count",
        Aggregate::CountDistinct => "countDistinct",
        Aggregate::Sum => "sum",
        Aggregate::Avg => "avg",
        Aggregate::Min => "min",
        Aggregate::Max => "max",
    }
}

/// What a figure is named where it is given no name: `avgMonthsMin`.
pub(crate) fn figure_name(aggregate: &str, path: &[String]) -> String {
    path.iter().fold(aggregate.to_owned(), |name, part| name + &capital(part))
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn numeric(of: &str, field: &Field, aggregate: Aggregate) -> Result<(), Error> {
    let number = |scalar| matches!(scalar, Scalar::Int | Scalar::Long | Scalar::Float | Scalar::Decimal { .. });
    match field.kind {
        FieldKind::Scalar(scalar) if number(scalar) && !(field.system && field.name == "id") => Ok(()),
        _ => {
            Err(invalid(format!("\"{}\" of \"{of}\" is no number, so that it has no {}", field.name, word(aggregate))))
        }
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

impl Planner<'_> {
    /// A figure over the records of a collection, for this caller.
    pub(crate) fn figure(&mut self, collection: CollectionId, figure: &FigureShape) -> Result<Figure, Error> {
        let of = figure.of.as_ref().map(|path| self.path_value(collection, path)).transpose()?;
        Ok(Figure { aggregate: figure.aggregate, of })
    }

    /// The value of a path for this caller.
    pub(crate) fn path_value(&mut self, collection: CollectionId, path: &Path) -> Result<PathValue, Error> {
        let by = self.path(collection, &path.links, path.field)?;
        Ok(PathValue { by, collection: path.collection, field: path.field })
    }
}
