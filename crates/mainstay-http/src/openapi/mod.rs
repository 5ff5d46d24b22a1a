//! The description of the API: OpenAPI 3.1 of exactly one schema, in a fixed order.
mod batch;
mod changes;
mod checks;
mod filters;
mod links;
mod matching;
mod names;
mod node;
mod operations;
mod parameters;
mod query;
mod records;
mod shared;
mod types;
mod typescript;

pub use typescript::typescript;

use mainstay_core::Limits;
use mainstay_schema::Schema;

use self::{
    names::Names,
    node::{Node, object},
    operations::Operations,
};

/// The description of an API.
pub struct Document(Node);

impl Document {
    /// The JSON on one line.
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.0.write(&mut out, 0, 0);
        out
    }

    /// The JSON over many lines, for people and for version control.
    pub fn to_json_pretty(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.0.write(&mut out, 2, 0);
        out.push(b'\n');
        out
    }
}

/// Describes the API of a schema.
pub fn document(schema: &Schema, limits: &Limits, title: &str) -> Document {
    let names = Names::new(schema);
    let mut paths = Vec::new();
    let mut schemas = Vec::new();
    for collection in &schema.collections {
        Operations { schema, names: &names, limits, collection }.paths(&mut paths);
        records::components(schema, &names, limits, collection, &mut schemas);
    }
    schemas.extend(schema.enums.iter().map(|of| (of.name.clone(), records::enumeration(of))));
    schemas.extend(schema.embedded.iter().map(|of| (of.name.clone(), records::embedded(schema, &names, of))));
    paths.push(("/api/query".to_owned(), query::path(schema, &names, limits)));
    paths.push(("/api/changes".to_owned(), changes::path(&names, limits)));
    paths.push(("/api/batch".to_owned(), batch::path(&names, limits)));
    schemas.push((names.operation.clone(), batch::operation(schema, &names, limits)));
    schemas.extend(shared::problem_schemas(&names));
    Document(object([
        ("openapi", "3.1.0".into()),
        ("info", info(title, schema)),
        ("servers", Node::Array(vec![object([("url", "/".into())]).described(Some("This server."))])),
        ("security", Node::Array(vec![object([]), object([("bearer", Node::Array(Vec::new()))])])),
        ("tags", tags(schema, &names)),
        ("paths", Node::Object(paths)),
        (
            "components",
            object([
                ("schemas", Node::Object(schemas)),
                ("responses", shared::responses(&names)),
                ("headers", shared::all_headers()),
                ("securitySchemes", shared::security_schemes()),
            ]),
        ),
    ]))
}

fn info(title: &str, schema: &Schema) -> Node {
    let types: Vec<&str> = schema.collections.iter().map(|collection| &*collection.name).collect();
    let about = format!("Reads and writes {}. Errors are problem details; /docs/errors lists them.", types.join(", "));
    object([
        ("title", title.into()),
        ("version", "1".into()),
        ("description", about.into()),
        ("contact", object([("name", title.into())])),
    ])
}

fn tags(schema: &Schema, names: &Names) -> Node {
    let tag = |collection: &mainstay_schema::Collection| {
        let doc = collection.doc.clone().unwrap_or_else(|| format!("The {} records.", collection.name));
        object([("name", collection.name.as_str().into()), ("description", doc.into())])
    };
    let batch = object([
        ("name", names.batch_tag.as_str().into()),
        ("description", "Operations of several kinds in one transaction.".into()),
    ]);
    Node::Array(schema.collections.iter().map(tag).chain([batch]).collect())
}
