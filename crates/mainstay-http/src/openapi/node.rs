//! JSON that keeps the order of its members: a description is read by people too.
use mainstay_expr::Value;
use mainstay_schema::{json_float, json_int, json_string};

/// A part of the document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// An object with these members.
pub(crate) fn object<const N: usize>(members: [(&str, Node); N]) -> Node {
    Node::Object(members.map(|(name, value)| (name.to_owned(), value)).into())
}

/// A reference to a component.
pub(crate) fn reference(kind: &str, name: &str) -> Node {
    object([("$ref", format!("#/components/{kind}/{name}").into())])
}

impl Node {
    /// The same object with another member; of anything else nothing changes.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Node>) -> Node {
        if let Node::Object(members) = &mut self {
            members.push((name.to_owned(), value.into()));
        }
        self
    }

    /// The same object with a description, if there is one.
    pub(crate) fn described(self, doc: Option<&str>) -> Node {
        match doc {
            Some(doc) => self.with("description", doc),
            None => self,
        }
    }

    /// The same object with one sentence more in its description.
    pub(crate) fn remarked(mut self, sentence: &str) -> Node {
        if let Node::Object(members) = &mut self
            && let Some((_, Node::Text(text))) = members.iter_mut().find(|(name, _)| name == "description")
        {
            text.push(' ');
            text.push_str(sentence);
            return self;
        }
        self.with("description", sentence)
    }

    /// The JSON of it on one line.
    pub(crate) fn text(&self) -> String {
        let mut out = Vec::new();
        self.write(&mut out, 0, 0);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// The JSON of it; `indent` spaces for each level, on one line for none.
    pub(crate) fn write(&self, out: &mut Vec<u8>, indent: usize, level: usize) {
        match self {
            Node::Bool(true) => out.extend_from_slice(b"true"),
            Node::Bool(false) => out.extend_from_slice(b"false"),
            Node::Int(value) => json_int(out, *value),
            Node::Float(value) => json_float(out, *value),
            Node::Text(text) => json_string(out, text),
            Node::Array(items) => {
                write_joined(out, b"[]", indent, level, items, |out, item| item.write(out, indent, level + 1));
            }
            Node::Object(members) => write_joined(out, b"{}", indent, level, members, |out, (name, value)| {
                json_string(out, name);
                out.extend_from_slice(if indent > 0 { b": " } else { b":" });
                value.write(out, indent, level + 1);
            }),
        }
    }
}

fn write_joined<T>(
    out: &mut Vec<u8>,
    brackets: &[u8; 2],
    indent: usize,
    level: usize,
    items: &[T],
    write: impl Fn(&mut Vec<u8>, &T),
) {
    let line = |out: &mut Vec<u8>, level: usize| {
        if indent > 0 && !items.is_empty() {
            out.push(b'\n');
            out.resize(out.len() + indent * level, b' ');
        }
    };
    out.push(brackets[0]);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        line(out, level + 1);
        write(out, item);
    }
    line(out, level);
    out.push(brackets[1]);
}

impl From<&str> for Node {
    fn from(text: &str) -> Node {
        Node::Text(text.to_owned())
    }
}

impl From<String> for Node {
    fn from(text: String) -> Node {
        Node::Text(text)
    }
}

impl From<bool> for Node {
    fn from(value: bool) -> Node {
        Node::Bool(value)
    }
}

impl From<i64> for Node {
    fn from(value: i64) -> Node {
        Node::Int(value)
    }
}

impl From<u32> for Node {
    fn from(value: u32) -> Node {
        Node::Int(i64::from(value))
    }
}

impl From<Vec<Node>> for Node {
    fn from(items: Vec<Node>) -> Node {
        Node::Array(items)
    }
}

/// A constant of the schema, where JSON has a plain form for it.
pub(crate) fn constant(value: &Value) -> Option<Node> {
    match value {
        Value::Bool(value) => Some(Node::Bool(*value)),
        Value::Int(value) => Some(Node::Int(*value)),
        Value::Float(value) => Some(Node::Float(*value)),
        Value::Text(text) => Some(Node::Text(text.to_string())),
        _ => None,
    }
}
