//! Indexes that a read could use: guessed from its plan; the engine is asked which of them it would take.
use mainstay_expr::{CompareOp, Expr, Node, THIS};
use mainstay_plan::{Group, Order, Query};
use mainstay_schema::{Collection, CollectionId, FieldId, FieldKind, Scalar, Schema};

/// Indexes that are tried for one read at most.
const TRIED_MAX: usize = 24;

/// What a statement was made from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// A page, or one record.
    Query(Query),
    /// Groups.
    Group(Group),
}

/// An index that may help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexWanted {
    /// The collection that it belongs on.
    pub collection: CollectionId,
    /// Its fields, in order.
    pub fields: Vec<FieldId>,
    /// How many of them are compared for equality; the others give an order, or bound a range.
    pub compared: usize,
}

impl IndexWanted {
    /// What is pasted behind the type's name: `@index(fields: ["carrier", "month"])`.
    pub fn directive(&self, schema: &Schema) -> String {
        let collection = schema.collection(self.collection);
        let names = self.fields.iter().map(|field| format!("\"{}\"", collection.field(*field).name));
        format!("@index(fields: [{}])", names.collect::<Vec<_>>().join(", "))
    }
}

/// What a condition asks of own fields, in parts that must all hold.
#[derive(Default)]
struct Asked {
    equal: Vec<FieldId>,
    ranges: Vec<FieldId>,
}

impl Origin {
    pub(crate) fn collection(&self) -> CollectionId {
        match self {
            Origin::Query(query) => query.collection,
            Origin::Group(group) => group.collection,
        }
    }

    pub(crate) fn condition(&self) -> &Expr {
        match self {
            Origin::Query(query) => &query.condition,
            Origin::Group(group) => &group.condition,
        }
    }

    /// Whether it ends once a page is full.
    pub(crate) fn pages(&self) -> bool {
        matches!(self, Origin::Query(query) if query.limit.is_some())
    }

    /// The own fields that lead the order, or that the groups share; up to the first that is none.
    pub(crate) fn order(&self, schema: &Schema) -> Vec<FieldId> {
        let id = schema.collection(self.collection()).system.id;
        match self {
            Origin::Query(query) => query
                .order
                .iter()
                .map_while(|order: &Order| own(&order.by))
                .take_while(|field| id != Some(*field))
                .collect(),
            Origin::Group(group) => {
                let own = group.keys.iter().map_while(|key| if key.part.is_none() { own(&key.value.by) } else { None });
                own.collect()
            }
        }
    }
}

/// The indexes to try, those that say most first. What the schema has already is not among them.
pub(crate) fn candidates(schema: &Schema, origin: &Origin) -> Vec<IndexWanted> {
    let collection = schema.collection(origin.collection());
    let mut asked = Asked::default();
    asked.note(origin.condition());
    let order = origin.order(schema);
    let mut all = Vec::new();
    let mut push = |compared: &[FieldId], then: &[FieldId]| {
        let mut fields: Vec<FieldId> = Vec::new();
        for field in compared.iter().chain(then) {
            if !fields.contains(field) {
                fields.push(*field);
            }
        }
        let may = fields.iter().all(|field| indexable(collection, *field));
        if fields.is_empty() || !may || has(collection, &fields) {
            return;
        }
        let wanted = IndexWanted { collection: collection.id, fields, compared: compared.len() };
        if !all.contains(&wanted) {
            all.push(wanted);
        }
    };
    for then in [&order[..], &asked.ranges[..], &[]] {
        push(&asked.equal, then);
        asked.equal.iter().for_each(|field| push(&[*field], then));
    }
    asked.ranges.iter().for_each(|field| push(&[], &[*field]));
    all.truncate(TRIED_MAX);
    all
}

impl Asked {
    fn note(&mut self, expr: &Expr) {
        let mut add = |list: fn(&mut Asked) -> &mut Vec<FieldId>, field: FieldId| {
            let list = list(self);
            if !list.contains(&field) {
                list.push(field);
            }
        };
        match &expr.node {
            Node::And(parts) => parts.iter().for_each(|part| self.note(part)),
            Node::Compare(CompareOp::Eq, a, b) => {
                [a, b].into_iter().filter_map(|side| own(side)).for_each(|field| add(|asked| &mut asked.equal, field));
            }
            Node::Compare(CompareOp::Ne, ..) => {}
            Node::Compare(_, a, b) => {
                [a, b].into_iter().filter_map(|side| own(side)).for_each(|field| add(|asked| &mut asked.ranges, field));
            }
            Node::In(a, _) => own(a).into_iter().for_each(|field| add(|asked| &mut asked.equal, field)),
            _ => {}
        }
    }
}

/// The own field that an expression is.
fn own(expr: &Expr) -> Option<FieldId> {
    match &expr.node {
        Node::Field { of, symbol } if of.node == Node::Var(THIS) => Some(FieldId::of(*symbol)),
        Node::Key(of) => match &of.node {
            Node::Link { of, symbol, .. } if of.node == Node::Var(THIS) => Some(FieldId::of(*symbol)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the schema language takes an index of the field.
fn indexable(collection: &Collection, field: FieldId) -> bool {
    match &collection.field(field).kind {
        FieldKind::Scalar(scalar) => !matches!(scalar, Scalar::Json | Scalar::Bytes),
        FieldKind::Enum(_) | FieldKind::ToOne { .. } => true,
        _ => false,
    }
}

/// Whether an index or a unique begins like this.
fn has(collection: &Collection, fields: &[FieldId]) -> bool {
    let indexes = collection.indexes.iter().map(|index| &index.fields);
    let key = collection.system.id.is_some_and(|id| fields == [id]);
    key || indexes
        .chain(collection.naming_uniques().map(|unique| &unique.fields))
        .any(|known| known.starts_with(fields))
}
