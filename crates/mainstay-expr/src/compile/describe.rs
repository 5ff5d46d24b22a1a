//! Types and names in words, for messages.
use super::context::Context;
use crate::{
    scope::Nearest,
    tree::{Expr, Node},
    types::Type,
};

impl Context<'_> {
    /// The type as people know it.
    pub(super) fn describe(&self, ty: &Type) -> String {
        match ty {
            Type::Null => "null".to_owned(),
            Type::Bool => "a Boolean".to_owned(),
            Type::Int => "an Int".to_owned(),
            Type::Float => "a Float".to_owned(),
            Type::Decimal(scale) => format!("a Decimal with {scale} digits behind the point"),
            Type::String => "a String".to_owned(),
            Type::Uuid => "a UUID".to_owned(),
            Type::Bytes => "Bytes".to_owned(),
            Type::Timestamp => "a DateTime".to_owned(),
            Type::Date => "a Date".to_owned(),
            Type::Time => "a Time".to_owned(),
            Type::Duration => "a duration".to_owned(),
            Type::Json => "JSON".to_owned(),
            Type::Enum(of) => format!("a value of {}", self.scope.enum_name(*of)),
            Type::List(of) => match **of {
                Type::Null => "a list".to_owned(),
                ref of => format!("a list with elements like {}", self.describe(of)),
            },
            Type::Embedded(of) => format!("a {}", self.scope.record_name(*of)),
            Type::Key(of) | Type::Record(of) => format!("a link to {}", self.scope.record_name(*of)),
            Type::Records(of) => format!("a list of links to {}", self.scope.record_name(*of)),
            Type::Auth => "the caller".to_owned(),
        }
    }

    /// The expression's type, for messages.
    pub(super) fn describe_expr(&self, expr: &Expr) -> String {
        match (&expr.node, &expr.ty) {
            (Node::Key(_), Type::Key(of)) => format!("the id of a {}", self.scope.record_name(*of)),
            (_, ty) => self.describe(ty),
        }
    }
}

/// The hint that offers the nearest name.
pub(super) fn did_you_mean(nearest: Nearest) -> Option<String> {
    nearest.0.map(|name| format!("did you mean {name:?}?"))
}

/// The known name that is nearest to the given one, when it is near.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Nearest {
    let candidates = known.into_iter().map(|known| (distance(name, known), known));
    let best = candidates.min_by_key(|(distance, _)| *distance);
    Nearest(best.filter(|(distance, _)| *distance <= name.len().max(3) / 3).map(|(_, known)| known.to_owned()))
}

/// The number of single-character edits between two names, without regard to case.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().collect();
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
