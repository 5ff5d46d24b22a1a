//! Which definitions, directives and arguments may stand where.
use apollo_compiler::{
    Name, Node,
    ast::{Definition, Directive, DirectiveLocation, Document, FieldDefinition},
    parser::SourceSpan,
};

use super::{
    report::Report,
    vocabulary::{DIRECTIVES_TO_COME, ROOT_TYPES, Vocabulary},
};
use crate::nearest;

/// Tells of every definition and directive that the schema language does not have.
pub(super) fn check(documents: &[Document], words: &Vocabulary, report: &mut Report) {
    let mut checker = Checker { words, report };
    for definition in documents.iter().flat_map(|document| &document.definitions) {
        checker.definition(definition);
    }
}

struct Checker<'a> {
    words: &'a Vocabulary,
    report: &'a mut Report,
}

impl Checker<'_> {
    fn definition(&mut self, definition: &Definition) {
        use DirectiveLocation::{Enum, Object, Schema};
        match definition {
            Definition::ObjectTypeDefinition(of) => {
                self.root_type(&of.name);
                self.object(&of.implements_interfaces, &of.fields);
                self.directives(&of.directives, Object);
            }
            Definition::ObjectTypeExtension(of) => {
                self.root_type(&of.name);
                self.object(&of.implements_interfaces, &of.fields);
                self.directives(&of.directives, Object);
            }
            Definition::EnumTypeDefinition(of) => {
                self.directives(&of.directives, Enum);
                of.values.iter().for_each(|value| self.directives(&value.directives, DirectiveLocation::EnumValue));
            }
            Definition::EnumTypeExtension(of) => {
                self.directives(&of.directives, Enum);
                of.values.iter().for_each(|value| self.directives(&value.directives, DirectiveLocation::EnumValue));
            }
            Definition::SchemaExtension(of) => {
                self.directives(&of.directives, Schema);
                if let Some(root) = of.root_operations.first() {
                    self.refuse(root.location(), "root operations are made by the server, they");
                }
            }
            other => self.other(other),
        }
    }

    fn other(&mut self, definition: &Definition) {
        match definition {
            Definition::InterfaceTypeDefinition(of) => self.not_available(&of.name, "interface"),
            Definition::InterfaceTypeExtension(of) => self.not_available(&of.name, "interface"),
            Definition::UnionTypeDefinition(of) => self.not_available(&of.name, "union"),
            Definition::UnionTypeExtension(of) => self.not_available(&of.name, "union"),
            Definition::InputObjectTypeDefinition(of) => self.not_available(&of.name, "input"),
            Definition::InputObjectTypeExtension(of) => self.not_available(&of.name, "input"),
            Definition::ScalarTypeDefinition(of) => self.not_available(&of.name, "scalar"),
            Definition::ScalarTypeExtension(of) => self.not_available(&of.name, "scalar"),
            Definition::DirectiveDefinition(of) => self.not_available(&of.name, "directive"),
            Definition::SchemaDefinition(of) => {
                let place = self.report.files.place(of.location());
                let place = super::files::Place { end: place.start + "schema".len(), ..place };
                self.report
                    .error(place, "invalid_schema", "the schema itself is defined by the server")
                    .hint("write \"extend schema\" with its directives");
            }
            Definition::OperationDefinition(of) => self.refuse(of.location(), "operations"),
            Definition::FragmentDefinition(of) => self.refuse(of.location(), "fragments"),
            _ => {}
        }
    }

    fn refuse(&mut self, span: Option<SourceSpan>, what: &str) {
        let place = self.report.files.place(span);
        self.report.error(place, "invalid_schema", format!("{what} do not belong into a schema"));
    }

    fn not_available(&mut self, name: &Name, what: &str) {
        let place = self.report.files.place(name.location());
        let hint = match what {
            "interface" | "union" => "declare each type with its own fields",
            "input" => "what is sent has the fields of the type; a value inside a record is a type with @embedded",
            "scalar" => "a scalar with rules of its own is a String with a @check",
            _ => "the directives are those of \"mainstay sdl --prelude\"",
        };
        self.report.error(place, "not_available", format!("{what} is not available yet: \"{name}\"")).hint(hint);
    }

    fn root_type(&mut self, name: &Name) {
        if ROOT_TYPES.contains(&name.as_str()) {
            let place = self.report.files.place(name.location());
            self.report
                .error(place, "reserved_name", format!("type \"{name}\" is made by the server"))
                .hint("collections are read and written without declaring it");
        }
    }

    fn object(&mut self, interfaces: &[Name], fields: &[Node<FieldDefinition>]) {
        for interface in interfaces {
            self.not_available(interface, "interface");
        }
        for field in fields {
            if let Some(argument) = field.arguments.first() {
                let place = self.report.files.place(argument.location());
                self.report.error(place, "invalid_schema", format!("field \"{}\" takes no arguments", field.name));
            }
            self.directives(&field.directives, DirectiveLocation::FieldDefinition);
        }
    }

    fn directives(&mut self, directives: &[Node<Directive>], location: DirectiveLocation) {
        for directive in directives {
            self.directive(directive, location);
        }
    }

    fn directive(&mut self, directive: &Node<Directive>, location: DirectiveLocation) {
        let (name, place) = (&directive.name, self.report.files.place(directive.name.location()));
        let Some(word) = self.words.directives.get(name.as_str()) else {
            return self.unknown_directive(name);
        };
        if !word.locations.contains(&location) {
            let allowed: Vec<_> = word.locations.iter().map(|location| described(*location)).collect();
            self.report
                .error(place, "misplaced_directive", format!("@{name} does not belong on {}", described(location)))
                .hint(format!("it belongs on {}", allowed.join(" and ")));
            return;
        }
        for argument in &directive.arguments {
            if !word.arguments.iter().any(|known| *known == argument.name.as_str()) {
                self.unknown_argument(name, &argument.name, &word.arguments);
            }
        }
    }

    fn unknown_directive(&mut self, name: &Name) {
        let place = self.report.files.place(name.location());
        if DIRECTIVES_TO_COME.contains(&name.as_str()) {
            self.report.error(place, "not_available", format!("@{name} is not available yet"));
            return;
        }
        let known = self.words.directives.keys().map(String::as_str).chain(DIRECTIVES_TO_COME);
        let near = nearest(name, known).map(|near| format!("@{near}"));
        let error = self.report.error(place, "unknown_directive", format!("no directive named \"@{name}\""));
        error.nearest_or(near.as_deref(), || None);
    }

    fn unknown_argument(&mut self, directive: &Name, argument: &Name, known: &[String]) {
        let place = self.report.files.place(argument.location());
        let message = format!("@{directive} has no argument named \"{argument}\"");
        let near = nearest(argument, known.iter().map(String::as_str));
        self.report.error(place, "unknown_argument", message).nearest_or(near, || match known {
            [] => Some("it takes no arguments".to_owned()),
            known => Some(format!("it has {}", known.join(", "))),
        });
    }
}

fn described(location: DirectiveLocation) -> &'static str {
    match location {
        DirectiveLocation::Schema => "the schema",
        DirectiveLocation::Object => "a type",
        DirectiveLocation::FieldDefinition => "a field",
        DirectiveLocation::Enum => "an enum",
        DirectiveLocation::EnumValue => "a value of an enum",
        _ => "this",
    }
}
