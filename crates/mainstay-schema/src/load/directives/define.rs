//! `@claim` and `@define`: names that conditions may use.
use std::sync::Arc;

use apollo_compiler::{Node, ast::Directive};
use mainstay_expr::Type;

use super::{Builder, Declared, Text, TypeRef, text};
use crate::{CollectionId, Scalar, load::vocabulary::RESERVED_FIELDS};

/// Reads the declared claims.
pub(super) fn claims(builder: &mut Builder, directives: &[Node<Directive>]) {
    for directive in directives.iter().filter(|directive| directive.name == "claim") {
        let Some(name) = text(builder, directive, "name") else { continue };
        let scalar = directive.specified_argument_by_name("type").and_then(|value| value.as_enum());
        // Another type is told by validation.
        let Some(scalar) = scalar.and_then(|scalar| Scalar::named(scalar)) else {
            builder.broken.insert(name.value);
            continue;
        };
        if !is_name(builder, &name, "claim") {
            continue;
        }
        if builder.schema.claims.iter().any(|(other, _)| *other == name.value) {
            let message = format!("the claim \"{}\" is declared twice", name.value);
            builder.report.error(name.place, "name_collision", message).hint("remove one of them");
            continue;
        }
        builder.schema.claims.push((name.value, scalar));
    }
}

/// A named condition before it is checked.
struct Define {
    of: Option<CollectionId>,
    expr: Text,
}

/// Reads all named conditions, so that they can use each other, then checks each where it stands.
pub(super) fn collect(builder: &mut Builder, declared: &Declared) {
    collect_rules(builder, declared);
    collect_computed(builder, declared);
    let mut defines = Vec::new();
    for directive in &declared.schema {
        defines.extend(define(builder, None, directive));
    }
    for of in &declared.types {
        let Some(TypeRef::Collection(id)) = builder.types.get(of.name.as_str()).copied() else { continue };
        for directive in &of.directives {
            defines.extend(define(builder, Some(id), directive));
        }
    }
    for define in defines {
        builder.compile_named(define.of, &define.expr, &Type::Null);
    }
}

/// Reads the texts of all rules, so that conditions can ask `can()`; they are checked where they stand.
fn collect_rules(builder: &mut Builder, declared: &Declared) {
    for of in &declared.types {
        let Some(TypeRef::Collection(id)) = builder.types.get(of.name.as_str()).copied() else { continue };
        for directive in of.directives.iter().filter(|directive| directive.name == "rules") {
            for action in ["read", "create", "update", "delete", "write"] {
                if let Some(rule) = text(builder, directive, action) {
                    builder.schema.defines.rules.insert((id, action), rule.value.into());
                }
            }
        }
    }
}

/// Reads what fields are computed from, so that expressions can use each other; they are checked where they stand.
fn collect_computed(builder: &mut Builder, declared: &Declared) {
    for of in &declared.types {
        let Some(TypeRef::Collection(id)) = builder.types.get(of.name.as_str()).copied() else { continue };
        for field in &of.fields {
            let Some(directive) = crate::load::fields::directive(field, "computed") else { continue };
            if let Some(expr) = text(builder, directive, "expr") {
                builder.schema.defines.computed.insert((id, field.name.to_string()), expr.value.into());
            }
        }
    }
}

fn define(builder: &mut Builder, of: Option<CollectionId>, directive: &Node<Directive>) -> Option<Define> {
    if directive.name != "define" {
        return None;
    }
    let name = text(builder, directive, "name")?;
    let expr = text(builder, directive, "expr")?;
    if !is_name(builder, &name, "condition") || !is_free(builder, of, &name) {
        builder.broken.insert(name.value);
        return None;
    }
    let shared: Arc<str> = expr.value.as_str().into();
    let defines = &mut builder.schema.defines;
    match of {
        None => defines.global.insert(name.value.clone(), shared),
        Some(of) => defines.of_type.insert((of, name.value.clone()), shared),
    };
    Some(Define { of, expr })
}

fn is_name(builder: &mut Builder, name: &Text, what: &str) -> bool {
    let is_name = name.value.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name {
        let message = format!("{:?} is no name for a {what}", name.value);
        let error = builder.report.error(name.place, "invalid_value", message);
        error.hint("a name begins with a letter and goes on with letters, digits and underscores");
    } else if RESERVED_FIELDS.contains(&name.value.as_str()) && what != "claim" {
        let message = format!("\"{}\" means something else in conditions", name.value);
        builder.report.error(name.place, "reserved_name", message).hint("choose another name");
        return false;
    }
    is_name
}

/// A named condition is neither the name of another one in reach nor of a field.
fn is_free(builder: &mut Builder, of: Option<CollectionId>, name: &Text) -> bool {
    let defines = &builder.schema.defines;
    let is_defined = defines.global.contains_key(&name.value)
        || of.is_some_and(|of| defines.of_type.contains_key(&(of, name.value.clone())));
    let fields = builder.schema.collections.iter().filter(|other| of.is_none_or(|of| other.id == of));
    let with_field =
        fields.into_iter().find(|other| other.by_name.contains_key(&name.value)).map(|other| other.name.clone());
    let message = match with_field {
        Some(other) => format!("\"{}\" is also a field of \"{other}\"", name.value),
        None if is_defined => format!("\"{}\" is defined twice", name.value),
        None => return true,
    };
    builder.report.error(name.place, "name_collision", message).hint("choose another name");
    false
}
