//! What clauses read, as it is told: of the caller, of the record, of the one at the other end of a link.
use mainstay_expr::{Compiled, Expr, ITEM, NEW, Node, OLD, Outcome, SlotValue, Symbol, THIS, Value, wire};
use mainstay_schema::{Collection, FieldId};

use super::clauses::{Item, Subject};
use crate::{ValueRead, expressions::Resolved};

/// What a clause reads of the caller and of the record itself.
pub(super) fn values_read(
    collection: &Collection,
    compiled: &Compiled,
    clause: &Expr,
    resolved: &Resolved,
    subject: Subject<'_>,
) -> Vec<ValueRead> {
    let mut values: Vec<ValueRead> = Vec::new();
    let mut push = |name: String, value: String| {
        if !values.iter().any(|known| known.name == name) {
            values.push(ValueRead { name, value });
        }
    };
    let record = subject.values();
    clause.any(&mut |part| {
        match &part.node {
            Node::Slot(at) => {
                let Some(slot) = compiled.slots.get(*at as usize) else { return false };
                push(slot.expr.to_string(), resolved.slots.get(*at as usize).map(shown_slot).unwrap_or_default());
            }
            Node::Field { of, symbol } | Node::Link { of, symbol, .. } if subject.lacks(of, *symbol) => {}
            Node::Field { of, symbol } | Node::Link { of, symbol, .. } if of.node == Node::Var(THIS) => {
                if let (Some(field), Some(record)) = (own_field(collection, *symbol), record) {
                    push(collection.field(field).name.clone(), shown(record.get(field.0 as usize)));
                }
            }
            Node::Field { of, symbol } if matches!(of.node, Node::Var(OLD | NEW)) => {
                let (Some(field), Subject::Changed(changed)) = (own_field(collection, *symbol), subject) else {
                    return false;
                };
                let (word, values) = match of.node {
                    Node::Var(OLD) => ("old", changed.before),
                    _ => ("new", changed.after.values),
                };
                let name = format!("{word}.{}", collection.field(field).name);
                push(name, shown(values.get(field.0 as usize)));
            }
            _ => {}
        }
        false
    });
    values
}

/// What a clause reads of the record at the other end of a link.
pub(super) fn item_values(target: &Collection, clause: &Expr, (_, values): Item<'_>) -> Vec<ValueRead> {
    let mut read: Vec<ValueRead> = Vec::new();
    clause.any(&mut |part| {
        if let Node::Field { of, symbol } = &part.node
            && of.node == Node::Var(ITEM)
            && let Some(field) = own_field(target, *symbol)
        {
            let name = format!("item.{}", target.field(field).name);
            if !read.iter().any(|known| known.name == name) {
                read.push(ValueRead { name, value: shown(values.get(field.0 as usize)) });
            }
        }
        false
    });
    read
}

fn own_field(collection: &Collection, symbol: Symbol) -> Option<FieldId> {
    collection.fields.get(symbol.0 as usize).map(|field| field.id)
}

fn shown_slot(slot: &SlotValue) -> String {
    match slot.outcome {
        Outcome::False => "false".to_owned(),
        Outcome::True => "true".to_owned(),
        Outcome::Null => "null".to_owned(),
        Outcome::Error => "not there".to_owned(),
        Outcome::NoKey => "no key of that type".to_owned(),
        Outcome::Value => shown(Some(&slot.value)),
    }
}

pub(super) fn shown(value: Option<&Value>) -> String {
    let mut out = String::new();
    match value {
        None => out.push_str("null"),
        Some(Value::Text(text)) => out = format!("{text:?}"),
        Some(value) => wire::write_text(value, &mut out),
    }
    out
}
