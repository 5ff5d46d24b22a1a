//! The types of the API in TypeScript: what is answered, what is sent, what is refused. The names are those of the description.
use std::fmt::Write as _;

use mainstay_schema::{Collection, Field, FieldId, FieldKind, KeyKind, Scalar, Schema, Unique};

use super::names::{CollectionNames, Names, free};
use crate::problem::TABLE;

/// What is in the file besides the schema's types.
struct Common {
    /// `Collections`
    collections: String,
    /// `ProblemCode`
    code: String,
    /// `Json`
    json: String,
}

/// The types, as the text of a module; the same for the same schema.
pub fn typescript(schema: &Schema) -> String {
    let names = Names::new(schema);
    let mut taken = names.all();
    let common = Common {
        collections: free("Collections".into(), &mut taken),
        code: free("ProblemCode".into(), &mut taken),
        json: free("Json".into(), &mut taken),
    };
    let mut writer = Writer { schema, names: &names, common: &common, out: String::new() };
    writer.out.push_str("// The types of the API, written by `mainstay types ts`.\n");
    writer.values();
    for collection in &schema.collections {
        writer.collection(collection);
    }
    writer.map();
    writer.problems();
    writer.out
}

struct Writer<'a> {
    schema: &'a Schema,
    names: &'a Names,
    common: &'a Common,
    out: String,
}

/// Which side of the wire a value is on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Answered,
    Taken,
}

/// Which input of a collection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Input {
    Create,
    Update,
}

impl Writer<'_> {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// A comment for editors, of as many lines as the text has.
    fn doc(&mut self, indent: &str, text: Option<&str>) {
        let Some(text) = text else { return };
        let text = text.trim().replace("*/", "*\u{2060}/");
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        match &lines[..] {
            [] => {}
            [line] => self.line(&format!("{indent}/** {line} */")),
            lines => {
                self.line(&format!("{indent}/**"));
                for line in lines {
                    self.line(format!("{indent} * {line}").trim_end());
                }
                self.line(&format!("{indent} */"));
            }
        }
    }

    /// Enums, embedded types, and what any JSON is.
    fn values(&mut self) {
        let json = &self.common.json;
        let text = format!(
            "\n/** Any JSON value. */\nexport type {json} = null | boolean | number | string | {json}[] | {{ [name: string]: {json} }};"
        );
        self.line(&text);
        for (of, name) in self.schema.enums.iter().zip(&self.names.enums) {
            self.out.push('\n');
            self.doc("", of.doc.as_deref());
            let values: Vec<String> = of.values.iter().map(|value| format!("{value:?}")).collect();
            self.line(&format!("export type {name} = {};", values.join(" | ")));
        }
        for (of, name) in self.schema.embedded.iter().zip(&self.names.embedded) {
            self.out.push('\n');
            self.doc("", of.doc.as_deref());
            self.line(&format!("export interface {name} {{"));
            for member in &of.members {
                self.doc("  ", member.doc.as_deref());
                let ty = self.kind(&member.kind, Side::Answered);
                let (mark, null) = if member.required { ("", "") } else { ("?", " | null") };
                self.line(&format!("  {}{mark}: {ty}{null};", member.name));
            }
            self.line("}");
        }
    }

    fn collection(&mut self, collection: &Collection) {
        let own = &self.names.collections[collection.id.0 as usize];
        self.out.push('\n');
        self.doc("", collection.doc.as_deref());
        self.line(&format!("export interface {} {{", own.record));
        for field in collection.valued().filter(|field| !field.hidden) {
            self.doc("  ", field.doc.as_deref());
            // Whoever may read it of no record is not answered it; of records of which it may not be read it is null.
            let ruled = field.rules.read.is_some();
            let (mark, null) = (if ruled { "?" } else { "" }, if field.required && !ruled { "" } else { " | null" });
            self.line(&format!("  {}{mark}: {}{null};", field.name, self.kind(&field.kind, Side::Answered)));
        }
        self.line("}");
        self.page(own);
        self.link(collection, own);
        let about = format!("A new {}, by itself or inside of another new record.", collection.name);
        self.input(collection, &own.create, Input::Create, &about);
        let about = format!("The fields of a {} that change: null clears, what is not sent stays.", collection.name);
        self.input(collection, &own.update, Input::Update, &about);
    }

    fn page(&mut self, own: &CollectionNames) {
        let (page, record) = (&own.page, &own.record);
        let text = format!(
            "\nexport interface {page} {{\n  items: {record}[];\n  /** What `after` takes to get the next page; null on the last one. */\n  next: string | null;\n  /** How many there are in all, with `count=true`. */\n  count?: number;\n}}"
        );
        self.line(&text);
    }

    /// A link to what is there.
    fn link(&mut self, collection: &Collection, own: &CollectionNames) {
        let field = |id: &FieldId| {
            let field = collection.field(*id);
            format!("{}: {}", field.name, self.kind(&field.kind, Side::Taken))
        };
        let by = |unique: &Unique| {
            format!("{{ by: {{ {} }} }}", unique.fields.iter().map(field).collect::<Vec<_>>().join("; "))
        };
        let key = self.key(collection.key, Side::Taken).to_owned();
        let forms: Vec<String> =
            [key].into_iter().chain(collection.open_uniques().map(by)).chain(["{ ref: string }".to_owned()]).collect();
        self.out.push('\n');
        let about =
            format!("A {} that is there: its id, the values of a unique, an operation of the same batch.", own.record);
        self.doc("", Some(&about));
        self.line(&format!("export type {} = {};", own.link, forms.join(" | ")));
    }

    fn input(&mut self, collection: &Collection, name: &str, input: Input, about: &str) {
        self.out.push('\n');
        self.doc("", Some(about));
        self.line(&format!("export interface {name} {{"));
        for field in &collection.fields {
            let Some(ty) = self.sent(collection, field, input) else { continue };
            self.doc("  ", field.doc.as_deref());
            let needed = match field.system {
                true => collection.key == KeyKind::String,
                false => field.required && field.default.is_none() && field.stored(),
            };
            let mark = if needed && input != Input::Update { "" } else { "?" };
            let null = if field.required || field.system || !field.stored() { "" } else { " | null" };
            self.line(&format!("  {}{mark}: {ty}{null};", field.name));
        }
        self.line("}");
    }

    /// The type of a field as it is sent; `None` where it is not.
    fn sent(&self, collection: &Collection, field: &Field, input: Input) -> Option<String> {
        let fixed = match input {
            _ if field.system => input == Input::Update || field.name != "id",
            Input::Update => field.immutable || field.read_only(),
            _ => field.set.create.is_some() || field.computed.is_some(),
        };
        if fixed {
            return None;
        }
        let names = |target: mainstay_schema::CollectionId| &self.names.collections[target.0 as usize];
        Some(match (&field.kind, input) {
            (FieldKind::Inverse { target, field: link }, Input::Create) => {
                let link = &self.schema.collection(*target).field(*link).name;
                format!("Omit<{}, {link:?}>[]", names(*target).create)
            }
            (FieldKind::Inverse { .. }, Input::Update) => return None,
            (FieldKind::Many { target, .. }, Input::Create) => {
                format!("({} | {})[]", names(*target).link, names(*target).create)
            }
            (FieldKind::Many { target, .. }, Input::Update) => {
                let link = &names(*target).link;
                format!("{link}[] | {{ add?: {link}[]; remove?: {link}[] }}")
            }
            (FieldKind::ToOne { target, .. }, Input::Create) => {
                format!("{} | {}", names(*target).link, names(*target).create)
            }
            (FieldKind::ToOne { target, .. }, Input::Update) => names(*target).link.clone(),
            _ if field.system => self.key(collection.key, Side::Taken).to_owned(),
            (FieldKind::Scalar(scalar), Input::Update) if is_number(*scalar) => {
                let number = self.scalar(*scalar, Side::Taken);
                format!("{number} | {{ add: {number} }}")
            }
            (kind, _) => self.kind(kind, Side::Taken),
        })
    }

    fn kind(&self, kind: &FieldKind, side: Side) -> String {
        match kind {
            FieldKind::Scalar(scalar) => self.scalar(*scalar, side),
            FieldKind::Enum(of) => self.names.enums[of.0 as usize].clone(),
            FieldKind::ScalarList(scalar) => {
                format!("({})[]", self.scalar(*scalar, side)).replace("(string)", "string")
            }
            FieldKind::EnumList(of) => format!("{}[]", self.names.enums[of.0 as usize]),
            FieldKind::Embedded { of, list } => {
                format!("{}{}", self.names.embedded[of.0 as usize], if *list { "[]" } else { "" })
            }
            FieldKind::ToOne { target, .. } | FieldKind::Inverse { target, .. } | FieldKind::Many { target, .. } => {
                self.key(self.schema.collection(*target).key, side).to_owned()
            }
        }
    }

    /// A key; what is answered is always a text.
    fn key(&self, key: KeyKind, side: Side) -> &'static str {
        match (key, side) {
            (KeyKind::Int, Side::Taken) => "string | number",
            _ => "string",
        }
    }

    fn scalar(&self, scalar: Scalar, side: Side) -> String {
        match scalar {
            Scalar::Int | Scalar::Float => "number",
            Scalar::Boolean => "boolean",
            Scalar::Json => &self.common.json,
            Scalar::Long | Scalar::Decimal { .. } if side == Side::Taken => "string | number",
            _ => "string",
        }
        .to_owned()
    }

    /// The collections by their paths: what a client that is generic over them needs.
    fn map(&mut self) {
        self.out.push('\n');
        self.doc("", Some("The collections by their paths under /api."));
        self.line(&format!("export interface {} {{", self.common.collections));
        for (collection, own) in self.schema.collections.iter().zip(&self.names.collections) {
            let line = format!(
                "  {:?}: {{ record: {}; create: {}; update: {}; page: {} }};",
                collection.path, own.record, own.create, own.update, own.page
            );
            self.line(&line);
        }
        self.line("}");
    }

    fn problems(&mut self) {
        self.line(&format!("\n/** The codes of refusals and failures. */\nexport type {} =", self.common.code));
        for (at, row) in TABLE.iter().enumerate() {
            let end = if at + 1 == TABLE.len() { ";" } else { "" };
            self.line(&format!("  | {:?}{end}", row.name));
        }
        let (problem, field, code) = (&self.names.problem, &self.names.field_problem, &self.common.code);
        let mut text = String::new();
        let _ = write!(
            text,
            "\n/** Why a call was not answered as it was asked: `application/problem+json`. */\nexport interface {problem} {{\n  type: string;\n  title: string;\n  status: number;\n  code: {code};\n  detail: string;\n  hint: string;\n  /** The rule that refuses: `Skill.update`. */\n  rule?: string;\n  /** The present version, where another one was asked for. */\n  version?: number;\n  /** What is wrong with each field. */\n  errors?: {field}[];\n  requestId: string;\n}}\n\nexport interface {field} {{\n  /** Where it stands in the body: `/name`. */\n  pointer: string;\n  code: string;\n  detail: string;\n  hint?: string;\n}}"
        );
        self.line(&text);
    }
}

fn is_number(scalar: Scalar) -> bool {
    matches!(scalar, Scalar::Int | Scalar::Float | Scalar::Long | Scalar::Decimal { .. })
}
