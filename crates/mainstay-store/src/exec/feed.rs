//! What a write tells the change feed: one change for each record that it wrote, noted while it runs and written down behind its
//! last step, in its transaction.
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use mainstay_expr::{Value, wire};
use mainstay_plan::ChangeOp;
use mainstay_schema::{FieldId, json_int};
use parking_lot::Mutex;

use super::{Failure, Inputs, Row, Session, WriteStatement, key::Key};
use crate::{
    Author, StoreError,
    sql::{FedLinks, FedList, FedValues, FeedSql, Image, Returning, Sql},
};

/// The changes of one write.
pub(crate) struct Feed<'a> {
    /// Who writes, and how changes are written down; `None`: nobody is told.
    to: Option<(&'a Author, &'a FeedSql)>,
    noted: Mutex<Vec<Noted>>,
    has_told: AtomicBool,
}

/// One change.
pub(super) struct Noted {
    /// The collection's name in the feed.
    pub(super) collection: Value,
    /// The record's key.
    pub(super) key: Value,
    /// What happened.
    pub(super) op: ChangeOp,
    /// The record's version: after a delete the last that it had.
    pub(super) version: Option<i64>,
    /// The members that changed as they were; of a delete all of them.
    pub(super) before: Option<Vec<u8>>,
    /// The record as it has become.
    pub(super) after: Option<Vec<u8>>,
}

impl<'a> Feed<'a> {
    /// The changes of somebody's write.
    pub(crate) fn new(author: &'a Author, sql: &'a FeedSql) -> Feed<'a> {
        Feed { to: Some((author, sql)), noted: Mutex::default(), has_told: AtomicBool::new(false) }
    }

    /// Nobody is told.
    pub(crate) fn none() -> Feed<'a> {
        Feed { to: None, noted: Mutex::default(), has_told: AtomicBool::new(false) }
    }

    /// Whether anybody is told.
    pub(super) fn is_on(&self) -> bool {
        self.to.is_some()
    }

    /// Whether changes were written down.
    pub(crate) fn has_told(&self) -> bool {
        self.has_told.load(Ordering::Relaxed)
    }

    /// Notes a change.
    pub(super) fn note(&self, noted: Noted) {
        self.noted.lock().push(noted);
    }

    /// Whether a change may be written down at once: none waits that comes before it.
    pub(super) fn is_empty(&self) -> bool {
        self.noted.lock().is_empty()
    }

    /// The values of a change that a statement notes itself.
    pub(super) fn values(&self, change: Noted, now: i64) -> Result<Vec<Value>, Failure> {
        let Some((author, sql)) = self.to else { return Ok(Vec::new()) };
        self.has_told.store(true, Ordering::Relaxed);
        let mut values = Vec::with_capacity(sql.note.each.binds.len());
        push(change, author, now, &mut values)?;
        Ok(values)
    }

    /// Forgets what was noted: the write begins anew.
    pub(super) fn clear(&self) {
        self.noted.lock().clear();
    }

    /// Writes down what was noted.
    pub(super) async fn write_down<S: Session>(&self, session: &mut S, now: i64) -> Result<(), Failure> {
        let noted = std::mem::take(&mut *self.noted.lock());
        if noted.is_empty() {
            return Ok(());
        }
        self.write(session, noted, now).await
    }

    /// Writes changes down.
    pub(super) async fn write<S: Session>(&self, session: &mut S, noted: Vec<Noted>, now: i64) -> Result<(), Failure> {
        let Some((author, sql)) = self.to else { return Ok(()) };
        let width = sql.note.each.binds.len();
        let mut values = Vec::with_capacity(noted.len() * width);
        for change in noted {
            push(change, author, now, &mut values)?;
        }
        self.has_told.store(true, Ordering::Relaxed);
        session.insert(&sql.note, &values, width).await
    }
}

/// Appends the values of a change, in the order of the feed's columns.
fn push(change: Noted, author: &Author, now: i64, values: &mut Vec<Value>) -> Result<(), Failure> {
    let text = |text: &Option<Arc<str>>| text.clone().map_or(Value::Null, Value::Text);
    values.extend([
        change.collection,
        key_text(change.key),
        Value::Int(change.op.number()),
        change.version.map_or(Value::Null, Value::Int),
        json(change.before)?,
        json(change.after)?,
        text(&author.caller),
        Value::Int(now),
        text(&author.request),
    ]);
    Ok(())
}

fn json(bytes: Option<Vec<u8>>) -> Result<Value, StoreError> {
    let Some(bytes) = bytes else { return Ok(Value::Null) };
    let text =
        std::str::from_utf8(&bytes).map_err(|error| StoreError::Engine(format!("a change is no text: {error}")))?;
    Ok(Value::text(text))
}

/// A key as the feed tells it.
fn key_text(key: Value) -> Value {
    match key {
        Value::Text(_) => key,
        key => {
            let mut text = String::with_capacity(wire::UUID_LEN);
            wire::write_text(&key, &mut text);
            Value::text(text)
        }
    }
}

/// A record that was made of these values.
pub(super) fn created(
    statement: &WriteStatement,
    fed: &FedValues,
    values: &[Value],
    (key, version): (&Value, Option<i64>),
    lists: &[u8],
) -> Noted {
    let of = statement.of();
    let mut after = Vec::with_capacity(64 + 40 * fed.fields.len() + lists.len());
    for (prefix, field, place) in &fed.fields {
        after.extend_from_slice(prefix);
        let value = place.and_then(|place| values.get(place)).unwrap_or(&Value::Null);
        if of.system.id == Some(*field) {
            of.key.write(key, &mut after);
        } else if of.system.version == Some(*field) {
            match version {
                Some(version) => json_int(&mut after, version),
                None => after.extend_from_slice(b"null"),
            }
        } else {
            statement.schema().write_value(&of.field(*field).kind, value, &mut after);
        }
    }
    after.push(b'}');
    let (collection, key) = (fed.collection.clone(), key.clone());
    let after = Some(object(after, lists));
    Noted { collection, key, op: ChangeOp::Create, version, before: None, after }
}

/// A record that is made of these values, its key among them.
pub(super) fn loaded(statement: &WriteStatement, fed: &FedValues, values: &[Value]) -> Noted {
    let of = statement.of();
    let value = |field: Option<FieldId>| {
        let place = fed.fields.iter().find(|(_, known, _)| Some(*known) == field).and_then(|(.., place)| *place);
        place.and_then(|place| values.get(place)).unwrap_or(&Value::Null)
    };
    let version = match value(of.system.version) {
        Value::Int(version) => Some(*version),
        _ => None,
    };
    created(statement, fed, values, (value(of.system.id), version), &[])
}

/// The members of an object with lists behind them.
fn object(mut members: Vec<u8>, lists: &[u8]) -> Vec<u8> {
    if members.last() == Some(&b'}') {
        members.pop();
    }
    // Without members the first list needs no comma.
    let lists = match members.as_slice() {
        [] | [b'{'] if !lists.is_empty() => {
            members.clear();
            members.push(b'{');
            &lists[1..]
        }
        [] => {
            members.push(b'{');
            lists
        }
        _ => lists,
    };
    members.extend_from_slice(lists);
    members.push(b'}');
    members
}

/// A record that was changed; `lists` are those of its links before and after, where they changed.
pub(super) fn updated(
    collection: &Value,
    (before, after): (Vec<u8>, Vec<u8>),
    written: (&Value, Option<i64>),
    lists: (&[u8], &[u8]),
) -> Noted {
    Noted {
        collection: collection.clone(),
        key: written.0.clone(),
        op: ChangeOp::Update,
        version: written.1,
        before: Some(object(before, lists.0)),
        after: Some(object(after, lists.1)),
    }
}

/// A change of a record that a statement fills in itself.
pub(super) fn of(collection: &Value) -> Noted {
    let (collection, op) = (collection.clone(), ChangeOp::Update);
    Noted { collection, key: Value::Null, op, version: None, before: None, after: None }
}

/// A whole record out of a row.
pub(super) fn image(row: &dyn Row, image: &Image) -> Result<Vec<u8>, Failure> {
    let mut json = Vec::with_capacity(super::create::RECORD_BYTES);
    row.write_from(image.first, &image.columns, &mut json)?;
    Ok(json)
}

/// The lists of links of the record that the step is about, as members of an object.
pub(super) async fn lists<S: Session>(
    session: &mut S,
    lists: &[FedList],
    inputs: &Inputs<'_>,
) -> Result<Vec<u8>, Failure> {
    let mut members = Vec::new();
    for list in lists {
        members.extend_from_slice(b",\"");
        members.extend_from_slice(list.name.as_bytes());
        members.extend_from_slice(b"\":[");
        let mut is_first = true;
        let mut take = |row: &dyn Row| {
            if !std::mem::take(&mut is_first) {
                members.push(b',');
            }
            list.kind.write(&row.value(list.item)?, &mut members);
            Ok(true)
        };
        session.query(&list.items, inputs, &mut take).await?;
        members.push(b']');
    }
    Ok(members)
}

/// Runs a statement that writes many records, and gives each of them: key, version, image.
pub(super) async fn each<S: Session>(
    session: &mut S,
    sql: &Sql,
    returning: &Returning,
    inputs: &Inputs<'_>,
) -> Result<Vec<(Value, Option<i64>, Vec<u8>)>, Failure> {
    let mut all = Vec::new();
    let mut take = |row: &dyn Row| {
        let whole = returning.image.as_ref().map(|of| image(row, of)).transpose()?.unwrap_or_default();
        let version = returning.version.map(|column| row.int(column)).transpose()?.flatten();
        all.push((row.value(returning.key)?, version, whole));
        Ok(true)
    };
    session.query(sql, inputs, &mut take).await?;
    Ok(all)
}

/// A record whose links are about to be cut.
pub(super) struct Cut {
    key: Value,
    before: Vec<u8>,
    list: Vec<u8>,
}

/// The records whose links a statement is about to cut; of more than `limit` one more than that: they are held here until they are told.
pub(super) async fn about_to_cut<S: Session>(
    session: &mut S,
    fed: &FedLinks,
    inputs: &Inputs<'_>,
    limit: usize,
) -> Result<Vec<Cut>, Failure> {
    let key = crate::sql::Cell { column: 0, ..fed.returning.key };
    let mut found = Vec::new();
    let mut take = |row: &dyn Row| {
        found.push(Cut { key: row.value(key)?, before: image(row, &fed.before.1)?, list: Vec::new() });
        Ok(found.len() <= limit)
    };
    session.query(&fed.before.0, inputs, &mut take).await?;
    if found.len() > limit {
        return Ok(found);
    }
    for cut in &mut found {
        cut.list = lists(session, fed.list.as_slice(), &Inputs { key: &cut.key, ..*inputs }).await?;
    }
    Ok(found)
}

/// Notes the records whose links were cut, once they are.
pub(super) async fn note_cut<S: Session>(
    session: &mut S,
    feed: &Feed<'_>,
    fed: &FedLinks,
    cut: Vec<Cut>,
    now: Vec<(Value, Option<i64>, Vec<u8>)>,
) -> Result<(), Failure> {
    let key_of = |key: &Value| Key::of(key.clone());
    let of = cut.into_iter().map(|cut| Ok((key_of(&cut.key)?, cut)));
    let mut was = of.collect::<Result<HashMap<Key, Cut>, StoreError>>()?;
    for (key, version, after) in now {
        let list = lists(session, fed.list.as_slice(), &Inputs { key: &key, ..Inputs::of(&[]) }).await?;
        let Some(was) = was.remove(&key_of(&key)?) else { continue };
        feed.note(updated(&fed.collection, (was.before, after), (&key, version), (&was.list, &list)));
    }
    Ok(())
}
