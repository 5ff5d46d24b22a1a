//! Names and numbers for every type, with their addresses and tables.
use apollo_compiler::ast::Value;

use super::{
    builder::{Builder, TypeRef},
    declared::{Declared, TypeDeclared},
    files::Place,
    vocabulary::{RESERVED_PATHS, RESERVED_TABLE_PREFIX, ROOT_TYPES},
};
use crate::{
    Collection, CollectionId, Embedded, EmbeddedId, Enum, EnumId, KeepChanges, KeyKind, Rules, System,
    names::{TABLE_BYTES_MAX, lower_camel, plural, snake_case},
};

/// Gives every type its number, and every collection its path and table.
pub(super) fn assign(builder: &mut Builder, declared: &Declared) {
    for of in &declared.enums {
        let id = EnumId(builder.schema.enums.len() as u32);
        let values = of.values.iter().map(|value| value.value.to_string()).collect();
        builder.schema.enums.push(Enum { name: of.name.to_string(), doc: of.doc.clone(), values });
        builder.types.insert(of.name.to_string(), TypeRef::Enum(id));
    }
    for of in &declared.types {
        if ROOT_TYPES.contains(&of.name.as_str()) {
            continue;
        }
        if of.is_embedded() {
            let id = EmbeddedId(builder.schema.embedded.len() as u32);
            builder.schema.embedded.push(Embedded {
                name: of.name.to_string(),
                doc: of.doc.clone(),
                members: Vec::new(),
            });
            builder.types.insert(of.name.to_string(), TypeRef::Embedded(id));
        } else {
            collection(builder, of);
        }
    }
}

fn collection(builder: &mut Builder, of: &TypeDeclared) {
    let id = CollectionId(builder.schema.collections.len() as u32);
    let name = of.name.to_string();
    let place = builder.at(&of.name);
    let (path, path_place) = path(builder, of, place);
    let table = plural(&snake_case(&name));
    check_path(builder, &name, &path, path_place);
    check_table(builder, &name, &table, place);
    builder.types.insert(name.clone(), TypeRef::Collection(id));
    builder.schema.by_name.insert(name.clone(), id);
    builder.schema.by_path.insert(path.clone(), id);
    builder.schema.collections.push(Collection {
        id,
        name,
        path,
        table,
        doc: of.doc.clone(),
        key: KeyKind::Uuid,
        fields: Vec::new(),
        by_name: Default::default(),
        rules: Rules::default(),
        rule_texts: Vec::new(),
        checks: Vec::new(),
        uniques: Vec::new(),
        indexes: Vec::new(),
        at: builder.report.files.location(place),
        system: System::default(),
        changes: KeepChanges::default(),
    });
}

fn path(builder: &mut Builder, of: &TypeDeclared, name_place: Place) -> (String, Place) {
    let declared = of.directive("path").and_then(|directive| directive.specified_argument_by_name("name"));
    match declared.map(|value| (value, &**value)) {
        Some((node, Value::String(path))) => (path.clone(), builder.at_value(node)),
        _ => (plural(&lower_camel(&of.name)), name_place),
    }
}

fn check_path(builder: &mut Builder, name: &str, path: &str, place: Place) {
    let is_path = path.starts_with(|c: char| c.is_ascii_alphabetic())
        && path.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !is_path {
        builder
            .report
            .error(place, "invalid_value", format!("{path:?} is no path"))
            .hint("a path begins with a letter and goes on with letters, digits, dashes and underscores");
    } else if RESERVED_PATHS.contains(&path) {
        builder
            .report
            .error(
                place,
                "reserved_name",
                format!("the path \"/api/{path}\" of type \"{name}\" is taken by the server"),
            )
            .hint("give the type another path: @path(name: \"…\")");
    } else if let Some(other) = builder.schema.by_path.get(path) {
        let other = &builder.schema.collection(*other).name;
        let message = format!("type \"{name}\" has the same path as type \"{other}\": \"/api/{path}\"");
        builder
            .report
            .error(place, "name_collision", message)
            .hint("give one of them another path: @path(name: \"…\")");
    }
}

fn check_table(builder: &mut Builder, name: &str, table: &str, place: Place) {
    if table.starts_with(RESERVED_TABLE_PREFIX) {
        let message = format!("type \"{name}\" has a name that is kept for the server's own tables");
        builder.report.error(place, "reserved_name", message).hint("rename the type");
    }
    if table.len() > TABLE_BYTES_MAX {
        let (length, most) = (table.len(), TABLE_BYTES_MAX);
        let message = format!(
            "type \"{name}\" has a table whose name is too long: \"{table}\" has {length} characters, the most are {most}"
        );
        builder.report.error(place, "name_too_long", message).hint("give the type a shorter name");
    }
    let other = builder.schema.collections.iter().find(|other| other.table == table);
    if let Some(other) = other.map(|other| other.name.clone()) {
        let message = format!("type \"{name}\" has the same table as type \"{other}\": \"{table}\"");
        builder.report.error(place, "name_collision", message).hint("rename one of them");
    }
}
