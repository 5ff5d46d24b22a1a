//! What a delete takes with it.
//!
//! 1. `reach` walks the links marked CASCADE breadth-first and collects every record that ends; a record is visited once, so
//!    cycles and links to itself come to an end.
//! 2. It then asks whether a record that stays is linked to one of them by a link marked RESTRICT.
//! 3. `end` makes the links marked SET_NULL null, takes the records out of join tables, and deletes, those that refer before
//!    those that are referred to.
use std::collections::{HashMap, HashSet};

use mainstay_expr::Value;
use mainstay_plan::ChangeOp;
use mainstay_schema::{CollectionId, OnDelete};

use super::{
    Failure, Feed, Inputs, Request, Row, Session,
    feed::{self, Noted},
    key::{Key, json_of},
};
use crate::{
    StepError, StoreError,
    sql::{Cascade, Cell, FedLinks, Incoming, Sql},
};

/// The records that end, by collection.
#[derive(Debug, Default)]
pub(super) struct Reach {
    keys: HashMap<CollectionId, HashSet<Key>>,
    count: usize,
}

impl Reach {
    fn has(&self, collection: CollectionId, key: &Key) -> bool {
        self.keys.get(&collection).is_some_and(|keys| keys.contains(key))
    }

    fn count_of(&self, collection: CollectionId) -> usize {
        self.keys.get(&collection).map_or(0, HashSet::len)
    }

    fn json(&self, collection: CollectionId) -> String {
        let keys: Vec<Key> = self.keys.get(&collection).into_iter().flatten().cloned().collect();
        json_of(&keys)
    }
}

/// Collects the records that end with `roots`; refused where others hold on to one of them.
pub(super) async fn reach<S: Session>(
    session: &mut S,
    cascades: &[Cascade],
    (of, roots): (CollectionId, Vec<Key>),
    limit: usize,
) -> Result<Reach, StepError> {
    if roots.len() > limit.max(1) {
        return Err(StepError::CascadeTooLarge { limit });
    }
    let mut reach = Reach { count: roots.len(), ..Reach::default() };
    reach.keys.entry(of).or_default().extend(roots.iter().cloned());
    let mut level = vec![(of, roots)];
    while let Some((collection, keys)) = level.pop() {
        let keys = json_of(&keys);
        for incoming in with(cascades, collection, OnDelete::Cascade)? {
            let found = follow(session, cascades, incoming, &keys, &mut reach, limit).await?;
            if !found.is_empty() {
                level.push((incoming.from, found));
            }
        }
    }
    restricted(session, cascades, &reach).await?;
    Ok(reach)
}

/// The records that a link leads back to and that were not reached before.
async fn follow<S: Session>(
    session: &mut S,
    cascades: &[Cascade],
    incoming: &Incoming,
    keys: &str,
    reach: &mut Reach,
    limit: usize,
) -> Result<Vec<Key>, StepError> {
    let key = Cell { column: 0, decode: of(cascades, incoming.from)?.key };
    // One more than may be reached tells that there are too many.
    let at_most = [at_most(limit)];
    let inputs = Inputs { keys, ..Inputs::of(&at_most) };
    let mut found = Vec::new();
    let mut take = |row: &dyn Row| {
        let key = Key::of(row.value(key)?)?;
        if reach.keys.entry(incoming.from).or_default().insert(key.clone()) {
            reach.count += 1;
            found.push(key);
        }
        Ok(reach.count <= limit)
    };
    session.query(&incoming.find, &inputs, &mut take).await?;
    if reach.count > limit {
        return Err(StepError::CascadeTooLarge { limit });
    }
    Ok(found)
}

fn at_most(records: usize) -> Value {
    Value::Int(i64::try_from(records).unwrap_or(i64::MAX))
}

async fn restricted<S: Session>(session: &mut S, cascades: &[Cascade], reach: &Reach) -> Result<(), StepError> {
    for collection in reach.keys.keys() {
        let keys = reach.json(*collection);
        for incoming in with(cascades, *collection, OnDelete::Restrict)? {
            let key = Cell { column: 0, decode: of(cascades, incoming.from)?.key };
            // One more than those that end tells that there is one that stays.
            let at_most = [at_most(reach.count_of(incoming.from))];
            let mut stays = false;
            let mut take = |row: &dyn Row| {
                stays = !reach.has(incoming.from, &Key::of(row.value(key)?)?);
                Ok(!stays)
            };
            session.query(&incoming.find, &Inputs { keys: &keys, ..Inputs::of(&at_most) }, &mut take).await?;
            if stays {
                return Err(StepError::Restricted { by: incoming.from, field: incoming.field });
            }
        }
    }
    Ok(())
}

/// Ends the records.
pub(super) async fn end<S: Session>(
    session: &mut S,
    cascades: &[Cascade],
    reach: &Reach,
    request: Request<'_>,
) -> Result<(), StepError> {
    let (now, feed) = (request.now, request.feed);
    let mut left: Vec<CollectionId> = reach.keys.keys().copied().collect();
    left.sort();
    for collection in &left {
        let keys = reach.json(*collection);
        let inputs = Inputs { keys: &keys, now, ..Inputs::of(&[]) };
        for clear in with(cascades, *collection, OnDelete::SetNull)?.filter_map(|incoming| incoming.clear.as_ref()) {
            cut(session, (&clear.sql, clear.fed.as_ref()), None, &inputs, request).await?;
        }
        for unlink in &of(cascades, *collection)?.unlink {
            match &unlink.count_up {
                Some((sql, fed)) => cut(session, (sql, fed.as_ref()), Some(&unlink.delete), &inputs, request).await?,
                None => session.execute(&unlink.delete, &inputs).await?,
            }
        }
    }
    while let Some(at) = next(cascades, &left)? {
        let collection = left.remove(at);
        let keys = reach.json(collection);
        let inputs = Inputs { keys: &keys, now, ..Inputs::of(&[]) };
        let cascade = of(cascades, collection)?;
        // Where collections refer to each other in a circle, one of the links is optional, and is cut here.
        for incoming in cascade.incoming.iter().filter(|incoming| left.contains(&incoming.from)) {
            if let Some(clear) = &incoming.clear {
                cut(session, (&clear.sql, clear.fed.as_ref()), None, &inputs, request).await?;
            }
        }
        delete(session, cascade, &inputs, feed).await?;
    }
    Ok(())
}

/// Deletes records.
async fn delete<S: Session>(
    session: &mut S,
    cascade: &Cascade,
    inputs: &Inputs<'_>,
    feed: &Feed<'_>,
) -> Result<(), StepError> {
    let Some(fed) = cascade.fed.as_ref().filter(|_| feed.is_on()) else {
        return session.execute(&cascade.delete, inputs).await.map_err(|failure| held(failure, cascade));
    };
    let gone = feed::each(session, &cascade.delete, &fed.returning, inputs).await;
    for (key, version, before) in gone.map_err(|failure| held(failure, cascade))? {
        let (collection, before) = (fed.collection.clone(), Some(before));
        feed.note(Noted { collection, key, op: ChangeOp::Delete, version, before, after: None });
    }
    Ok(())
}

/// Cuts links by a statement, and by one more behind it.
async fn cut<S: Session>(
    session: &mut S,
    (sql, fed): (&Sql, Option<&FedLinks>),
    then: Option<&Sql>,
    inputs: &Inputs<'_>,
    request: Request<'_>,
) -> Result<(), StepError> {
    let (feed, limit) = (request.feed, request.cascade_max);
    let about = match fed.filter(|_| feed.is_on()) {
        Some(fed) => Some((fed, feed::about_to_cut(session, fed, inputs, limit).await?)),
        None => None,
    };
    if about.as_ref().is_some_and(|(_, about)| about.len() > limit) {
        return Err(StepError::CascadeTooLarge { limit });
    }
    let now = match &about {
        Some((_, none)) if none.is_empty() => Vec::new(),
        Some((fed, _)) => feed::each(session, sql, &fed.returning, inputs).await?,
        None => {
            session.execute(sql, inputs).await?;
            Vec::new()
        }
    };
    if let Some(then) = then {
        session.execute(then, inputs).await?;
    }
    if let Some((fed, about)) = about {
        feed::note_cut(session, feed, fed, about, now).await?;
    }
    Ok(())
}

/// The next collection to delete from: one that no other on the list refers to, else one that only optional links refer to.
fn next(cascades: &[Cascade], left: &[CollectionId]) -> Result<Option<usize>, StepError> {
    let mut cuttable = None;
    for (at, collection) in left.iter().enumerate() {
        let refers = |incoming: &&Incoming| incoming.from != *collection && left.contains(&incoming.from);
        let mut incoming = of(cascades, *collection)?.incoming.iter().filter(refers).peekable();
        if incoming.peek().is_none() {
            return Ok(Some(at));
        }
        if incoming.all(|incoming| incoming.clear.is_some()) {
            cuttable = cuttable.or(Some(at));
        }
    }
    Ok(cuttable.or((!left.is_empty()).then_some(0)))
}

/// The database's own net: a record that refers to one of these has appeared since they were collected.
fn held(failure: Failure, cascade: &Cascade) -> StepError {
    match (failure, cascade.incoming.first()) {
        (Failure::ForeignKey, Some(incoming)) => StepError::Restricted { by: incoming.from, field: incoming.field },
        (Failure::ForeignKey, None) => StepError::HeldOutside,
        (failure, _) => failure.into(),
    }
}

fn with(
    cascades: &[Cascade],
    collection: CollectionId,
    on_delete: OnDelete,
) -> Result<impl Iterator<Item = &Incoming>, StoreError> {
    Ok(of(cascades, collection)?.incoming.iter().filter(move |incoming| incoming.on_delete == on_delete))
}

fn of(cascades: &[Cascade], collection: CollectionId) -> Result<&Cascade, StoreError> {
    let found = cascades.get(collection.0 as usize).filter(|of| of.collection == collection);
    found.ok_or_else(|| StoreError::Plan(format!("no cascade of collection {}", collection.0)))
}
