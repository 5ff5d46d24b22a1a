//! What the files declare, with extensions merged into what they extend.
use apollo_compiler::{
    Name, Node,
    ast::{Definition, Directive, Document, EnumValueDefinition, FieldDefinition},
};

/// The declarations of all files, in order.
#[derive(Debug, Default)]
pub(super) struct Declared {
    pub(super) types: Vec<TypeDeclared>,
    pub(super) enums: Vec<EnumDeclared>,
    /// The directives of `extend schema`.
    pub(super) schema: Vec<Node<Directive>>,
}

/// A `type`.
#[derive(Clone, Debug)]
pub(super) struct TypeDeclared {
    pub(super) name: Name,
    pub(super) doc: Option<String>,
    pub(super) directives: Vec<Node<Directive>>,
    pub(super) fields: Vec<Node<FieldDefinition>>,
}

/// An `enum`.
#[derive(Clone, Debug)]
pub(super) struct EnumDeclared {
    pub(super) name: Name,
    pub(super) doc: Option<String>,
    pub(super) values: Vec<Node<EnumValueDefinition>>,
}

impl TypeDeclared {
    pub(super) fn directive(&self, name: &str) -> Option<&Node<Directive>> {
        self.directives.iter().find(|directive| directive.name == name)
    }

    pub(super) fn is_embedded(&self) -> bool {
        self.directive("embedded").is_some()
    }
}

impl Declared {
    pub(super) fn of(documents: &[Document]) -> Declared {
        let mut declared = Declared::default();
        let definitions = || documents.iter().flat_map(|document| &document.definitions);
        definitions().for_each(|definition| declared.define(definition));
        definitions().for_each(|definition| declared.extend(definition));
        declared
    }

    /// Definitions first: an extension may stand in an earlier file. The first of a name wins; the others are errors.
    fn define(&mut self, definition: &Definition) {
        match definition {
            Definition::ObjectTypeDefinition(of) if !self.types.iter().any(|other| other.name == of.name) => {
                self.types.push(TypeDeclared {
                    name: of.name.clone(),
                    doc: of.description.as_ref().map(|doc| doc.to_string()),
                    directives: of.directives.0.clone(),
                    fields: of.fields.clone(),
                });
            }
            Definition::EnumTypeDefinition(of) if !self.enums.iter().any(|other| other.name == of.name) => {
                self.enums.push(EnumDeclared {
                    name: of.name.clone(),
                    doc: of.description.as_ref().map(|doc| doc.to_string()),
                    values: of.values.clone(),
                });
            }
            _ => {}
        }
    }

    fn extend(&mut self, definition: &Definition) {
        match definition {
            Definition::ObjectTypeExtension(of) => {
                if let Some(of_type) = self.types.iter_mut().find(|other| other.name == of.name) {
                    of_type.directives.extend(of.directives.0.iter().cloned());
                    of_type.fields.extend(of.fields.iter().cloned());
                }
            }
            Definition::EnumTypeExtension(of) => {
                if let Some(of_enum) = self.enums.iter_mut().find(|other| other.name == of.name) {
                    of_enum.values.extend(of.values.iter().cloned());
                }
            }
            Definition::SchemaExtension(of) => self.schema.extend(of.directives.0.iter().cloned()),
            _ => {}
        }
    }
}
