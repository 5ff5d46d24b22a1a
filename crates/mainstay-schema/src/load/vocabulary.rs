//! The words of the schema language: what the prelude defines, and what is still to come.
use std::collections::BTreeMap;

use apollo_compiler::ast::{Definition, DirectiveLocation, Document};

/// Directives that are spoken for: they are refused by name instead of being unknown.
pub(super) const DIRECTIVES_TO_COME: [&str; 15] = [
    "action",
    "cache",
    "deprecated",
    "document",
    "encrypted",
    "history",
    "identity",
    "limit",
    "on",
    "search",
    "sequence",
    "softDelete",
    "stream",
    "vector",
    "webhook",
];

/// Scalars that are spoken for.
pub(super) const SCALARS_TO_COME: [&str; 2] = ["File", "Duration"];

/// Types that the server fills itself.
pub(super) const ROOT_TYPES: [&str; 3] = ["Query", "Mutation", "Subscription"];

/// Field names that mean something else in conditions or in addresses.
pub(super) const RESERVED_FIELDS: [&str; 12] =
    ["auth", "request", "p", "old", "new", "this", "can", "size", "in", "true", "false", "null"];

/// Columns that PostgreSQL keeps for itself in every table.
pub(super) const RESERVED_COLUMNS: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

/// Fields that a type declares at most: with what the server adds, and the links beside them, a record fits into one row and one
/// object of every database.
pub(super) const FIELDS_MAX: usize = 400;

/// Paths under `/api` that are taken.
pub(super) const RESERVED_PATHS: [&str; 5] = ["query", "batch", "changes", "actions", "by"];

/// The fields that the server gives every record, behind `id`.
pub(super) const SYSTEM_FIELDS: [&str; 3] = ["createdAt", "updatedAt", "version"];

/// Where a table's name may not begin: the server's own tables do.
pub(super) const RESERVED_TABLE_PREFIX: &str = "mainstay_";

/// One directive of the prelude.
#[derive(Debug)]
pub(super) struct DirectiveWord {
    pub(super) arguments: Vec<String>,
    pub(super) locations: Vec<DirectiveLocation>,
}

/// The directives of the prelude, by name.
#[derive(Debug)]
pub(super) struct Vocabulary {
    pub(super) directives: BTreeMap<String, DirectiveWord>,
}

impl Vocabulary {
    pub(super) fn of(prelude: &Document) -> Vocabulary {
        let directives = prelude.definitions.iter().filter_map(|definition| match definition {
            Definition::DirectiveDefinition(of) => Some(of),
            _ => None,
        });
        let word = |of: &apollo_compiler::ast::DirectiveDefinition| DirectiveWord {
            arguments: of.arguments.iter().map(|argument| argument.name.to_string()).collect(),
            locations: of.locations.clone(),
        };
        Vocabulary { directives: directives.map(|of| (of.name.to_string(), word(of))).collect() }
    }
}
