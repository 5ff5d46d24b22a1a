//! The names of components and operations: the schema's own words first, ours where they are free.
use std::collections::HashSet;

use mainstay_schema::{Collection, Schema, plural};

/// The names of all components.
pub(super) struct Names {
    pub(super) collections: Vec<CollectionNames>,
    pub(super) enums: Vec<String>,
    pub(super) embedded: Vec<String>,
    pub(super) problem: String,
    pub(super) field_problem: String,
    /// `BatchOperation`
    pub(super) operation: String,
    /// `batch`, the operation's id.
    pub(super) batch: String,
    /// `Batch`, among the tags.
    pub(super) batch_tag: String,
}

/// The names that belong to one collection.
pub(super) struct CollectionNames {
    /// `Skill`
    pub(super) record: String,
    /// `SkillCreate`
    pub(super) create: String,
    /// `SkillUpdate`
    pub(super) update: String,
    /// `SkillLink`
    pub(super) link: String,
    /// `SkillLinkOrNew`
    pub(super) link_or_new: String,
    /// `SkillNested`
    pub(super) nested: String,
    /// `SkillPage`
    pub(super) page: String,
    /// `Skills`, for operations.
    pub(super) plural: String,
}

impl Names {
    pub(super) fn new(schema: &Schema) -> Names {
        let of_types = schema.collections.iter().map(|collection| collection.name.clone());
        let of_enums = schema.enums.iter().map(|of| of.name.clone());
        let of_embedded = schema.embedded.iter().map(|of| of.name.clone());
        let mut taken: HashSet<String> = of_types.chain(of_enums).chain(of_embedded).collect();
        let mut plurals: HashSet<String> =
            schema.collections.iter().map(|collection| collection.name.clone()).collect();
        let collections =
            schema.collections.iter().map(|of| CollectionNames::new(of, &mut taken, &mut plurals)).collect();
        Names {
            collections,
            enums: schema.enums.iter().map(|of| of.name.clone()).collect(),
            embedded: schema.embedded.iter().map(|of| of.name.clone()).collect(),
            problem: free("Problem".into(), &mut taken),
            field_problem: free("FieldProblem".into(), &mut taken),
            operation: free("BatchOperation".into(), &mut taken),
            batch: "batch".to_owned(),
            batch_tag: free("Batch".into(), &mut plurals),
        }
    }

    /// All names of components.
    pub(super) fn all(&self) -> HashSet<String> {
        let of = |own: &CollectionNames| {
            [&own.record, &own.create, &own.update, &own.link, &own.nested, &own.page].map(String::clone)
        };
        let others = [&self.problem, &self.field_problem, &self.operation].into_iter().cloned();
        let values = self.enums.iter().chain(&self.embedded).cloned();
        self.collections.iter().flat_map(of).chain(values).chain(others).collect()
    }
}

impl CollectionNames {
    fn new(collection: &Collection, taken: &mut HashSet<String>, plurals: &mut HashSet<String>) -> CollectionNames {
        let record = collection.name.clone();
        CollectionNames {
            create: free(format!("{record}Create"), taken),
            update: free(format!("{record}Update"), taken),
            link: free(format!("{record}Link"), taken),
            link_or_new: free(format!("{record}LinkOrNew"), taken),
            nested: free(format!("{record}Nested"), taken),
            page: free(format!("{record}Page"), taken),
            plural: free(plural(&record), plurals),
            record,
        }
    }
}

/// The name, with as many `_` behind it as it needs to be nobody else's.
pub(super) fn free(mut name: String, taken: &mut HashSet<String>) -> String {
    while !taken.insert(name.clone()) {
        name.push('_');
    }
    name
}

/// `slug` to `Slug`.
pub(super) fn capital(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
