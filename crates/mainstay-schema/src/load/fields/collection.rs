//! The fields of a collection, the system ones included.
use apollo_compiler::{Node, ast::FieldDefinition};

use super::{Builder, full_name, links, shape};
use crate::{
    CollectionId, Field, FieldId, FieldKind, FieldRules, KeyKind, Location, Scalar, Set,
    load::{
        declared::TypeDeclared,
        vocabulary::{FIELDS_MAX, RESERVED_COLUMNS, RESERVED_FIELDS, SYSTEM_FIELDS},
    },
    names::{COLUMN_BYTES_MAX, snake_case},
    wire::KEY_LENGTH_MAX,
};

/// Adds the fields in the order of the wire: `id`, the declared ones, the other system fields.
pub(super) fn build(builder: &mut Builder, id: CollectionId, of: &TypeDeclared) {
    let declared_id = of.fields.iter().find(|field| field.name == "id");
    add_id(builder, id, declared_id);
    for field in of.fields.iter().take(FIELDS_MAX) {
        add_declared(builder, id, field);
    }
    if let Some(field) = of.fields.get(FIELDS_MAX) {
        let (place, name) = (builder.at(&field.name), &builder.schema.collection(id).name);
        let message = format!("\"{name}\" has {} fields, the most are {FIELDS_MAX}", of.fields.len());
        let hint = "put some of them into a type of its own and link to it, or into an embedded type";
        builder.report.error(place, "too_many_fields", message).hint(hint);
    }
    let at = builder.schema.collection(id).at.clone();
    let created_at = add(builder, id, system_field("createdAt", Scalar::DateTime, at.clone()));
    let updated_at = add(builder, id, system_field("updatedAt", Scalar::DateTime, at.clone()));
    let version = add(builder, id, system_field("version", Scalar::Int, at));
    let system = &mut builder.schema.collections[id.0 as usize].system;
    (system.created_at, system.updated_at, system.version) = (Some(created_at), Some(updated_at), Some(version));
}

fn add_id(builder: &mut Builder, id: CollectionId, declared: Option<&Node<FieldDefinition>>) {
    let key = declared.and_then(|field| key_kind(builder, field)).unwrap_or(KeyKind::Uuid);
    let scalar = match key {
        KeyKind::Uuid => Scalar::Uuid,
        // An id is a text on the wire, as a Long is.
        KeyKind::Int => Scalar::Long,
        KeyKind::String => Scalar::String,
    };
    let at = match declared {
        Some(field) => builder.report.files.location(builder.at(&field.name)),
        None => builder.schema.collection(id).at.clone(),
    };
    let mut field = system_field("id", scalar, at);
    field.doc = declared.and_then(|field| field.description.as_ref()).map(|doc| doc.to_string());
    field.immutable = true;
    field.length_max = (key == KeyKind::String).then_some(KEY_LENGTH_MAX);
    field.unchecked_length_max = field.length_max;
    let field = add(builder, id, field);
    let collection = &mut builder.schema.collections[id.0 as usize];
    collection.key = key;
    collection.system.id = Some(field);
}

fn key_kind(builder: &mut Builder, field: &FieldDefinition) -> Option<KeyKind> {
    let kind = match field.ty.inner_named_type().as_str() {
        "ID" | "UUID" => Some(KeyKind::Uuid),
        "Int" | "Long" => Some(KeyKind::Int),
        "String" => Some(KeyKind::String),
        _ => None,
    };
    if kind.is_some() && field.ty.is_non_null() && !field.ty.is_list() {
        return kind;
    }
    let place = builder.at(field.ty.inner_named_type());
    let message = format!("\"id\" cannot be of type \"{}\"", field.ty);
    builder.report.error(place, "invalid_type", message).hint("it is ID!, Int!, Long! or String!");
    None
}

fn system_field(name: &str, scalar: Scalar, at: Location) -> Field {
    Field {
        id: FieldId(0),
        name: name.to_owned(),
        column: snake_case(name),
        doc: None,
        kind: FieldKind::Scalar(scalar),
        required: true,
        system: true,
        immutable: name == "createdAt",
        default: None,
        set: Set::default(),
        normalize: None,
        computed: None,
        hidden: false,
        rules: FieldRules::default(),
        length_max: None,
        unchecked_length_max: None,
        at,
    }
}

/// Numbers the field and adds it.
fn add(builder: &mut Builder, id: CollectionId, mut field: Field) -> FieldId {
    let collection = &mut builder.schema.collections[id.0 as usize];
    field.id = FieldId(collection.fields.len() as u32);
    let number = field.id;
    collection.by_name.insert(field.name.clone(), number);
    collection.fields.push(field);
    number
}

fn add_declared(builder: &mut Builder, id: CollectionId, field: &Node<FieldDefinition>) {
    // A second field of one name is told by validation.
    if field.name == "id" || builder.schema.collection(id).field_named(&field.name).is_some() {
        return;
    }
    if !name_is_free(builder, id, field) {
        builder.broken.insert(field.name.to_string());
        return;
    }
    let Some(shape) = shape::read(builder, field) else { return };
    let Some(kind) = links::kind(builder, id, field, shape) else {
        builder.broken.insert(field.name.to_string());
        return;
    };
    let is_stored = !matches!(kind, FieldKind::Inverse { .. } | FieldKind::Many { .. });
    let at = builder.report.files.location(builder.at(&field.name));
    add(
        builder,
        id,
        Field {
            id: FieldId(0),
            name: field.name.to_string(),
            column: if is_stored { snake_case(&field.name) } else { String::new() },
            doc: field.description.as_ref().map(|doc| doc.to_string()),
            kind,
            required: shape.required,
            system: false,
            immutable: super::directive(field, "immutable").is_some() && is_stored,
            default: None,
            set: Set::default(),
            normalize: None,
            computed: None,
            hidden: super::directive(field, "hidden").is_some(),
            rules: FieldRules::default(),
            length_max: None,
            unchecked_length_max: None,
            at,
        },
    );
}

fn name_is_free(builder: &mut Builder, id: CollectionId, field: &FieldDefinition) -> bool {
    let (name, place) = (field.name.as_str(), builder.at(&field.name));
    if SYSTEM_FIELDS.contains(&name) {
        let message = format!("every record has \"{name}\" without declaring it");
        builder.report.error(place, "reserved_name", message).hint("remove the field, the server gives it its value");
        return false;
    }
    if RESERVED_FIELDS.contains(&name) {
        let message = format!("\"{name}\" cannot be the name of a field: it means something else in conditions");
        builder.report.error(place, "reserved_name", message).hint("rename the field");
        return false;
    }
    let column = snake_case(name);
    if RESERVED_COLUMNS.contains(&column.as_str()) {
        let message = format!("\"{name}\" cannot be the name of a field: PostgreSQL keeps that column for itself");
        builder.report.error(place, "reserved_name", message).hint("rename the field");
        return false;
    }
    if column.len() > COLUMN_BYTES_MAX {
        let (full, length, most) = (full_name(builder, id, name), column.len(), COLUMN_BYTES_MAX);
        let message =
            format!("the column of \"{full}\" has a name that is too long: {length} characters, the most are {most}");
        builder.report.error(place, "name_too_long", message).hint("give the field a shorter name");
        return false;
    }
    let of = builder.schema.collection(id);
    let is_taken = SYSTEM_FIELDS.iter().any(|system| snake_case(system) == column)
        || of.fields.iter().any(|other| other.stored() && other.column == column);
    if is_taken {
        let message =
            format!("\"{}\" has the same column as another field: \"{column}\"", full_name(builder, id, name));
        builder.report.error(place, "name_collision", message).hint("rename one of them");
    }
    !is_taken
}
