//! The change feed for those who see everything: admins, and the server's own parts.
use std::sync::Arc;

use mainstay_plan::{Change, Position};
use mainstay_schema::{CollectionId, json_int, json_string};
use mainstay_store::{ChangesAsked, Committed, Retention, Store};

use crate::{AdminPass, Caller, Core, Error, ErrorKind, errors::from_store};

/// Where a reader of the feed begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedFrom {
    /// At the first change that is kept.
    Start,
    /// Behind this one.
    After(Position),
    /// Behind the last one.
    End,
}

/// A reader of the feed: it gets each change once, in the order of the commits. It holds nothing of the database while it waits.
pub struct Feed {
    store: Arc<Store>,
    asked: ChangesAsked,
    committed: Committed,
    more: bool,
}

impl Core {
    /// Begins to read the changes of all collections, or of one.
    pub async fn feed(&self, _: &AdminPass, from: FeedFrom, of: Option<CollectionId>) -> Result<Feed, Error> {
        let of = of.map(|of| self.schema.collection(of));
        if let Some(of) = of.filter(|of| of.changes.off) {
            let message = format!("no changes of \"{}\" are kept", of.path);
            let error = Error::new(ErrorKind::InvalidArgument, message);
            return Err(error.with_hint("the schema says @changes(off: true)"));
        }
        // Taken first: what is committed from here on wakes it.
        let committed = self.store.committed();
        let after = match from {
            FeedFrom::Start => None,
            FeedFrom::After(after) => Some(after),
            FeedFrom::End => Some(self.store.changes_end().await.map_err(from_store)?),
        };
        let collection = of.map(|of| Arc::from(&*of.path));
        let asked = ChangesAsked { after, collection, limit: 0, bytes: 0 };
        Ok(Feed { store: self.store.clone(), asked, committed, more: true })
    }

    /// Who may read the feed: admins.
    pub fn feed_pass(&self, caller: &Caller) -> Result<AdminPass, Error> {
        match caller {
            Caller::Admin(pass) => Ok(pass.clone()),
            Caller::Anonymous => Err(Error::new(ErrorKind::Unauthenticated, "only admins read the change feed")),
            Caller::User(_) => Err(Error::new(ErrorKind::Forbidden, "only admins read the change feed")
                .with_hint("it tells every field of every record; callers read what the rules let them see")),
        }
    }

    /// Tells the store how long the changes of each collection are kept.
    pub(crate) fn retain(&self) {
        let spoken_of = self.schema.collections.iter().filter_map(|of| {
            let keep_s = of.changes.keep_s?;
            Some(Retention { collection: Arc::from(&*of.path), keep_s })
        });
        self.store.retain(&spoken_of.collect::<Vec<_>>());
    }
}

impl Feed {
    /// The next changes that are there, at most so many and about so many bytes; none at the end.
    pub async fn next(&mut self, limit: usize, bytes: usize) -> Result<Vec<Change>, Error> {
        loop {
            (self.asked.limit, self.asked.bytes) = (limit, bytes);
            let page = self.store.changes(self.asked.clone()).await.map_err(from_store)?;
            self.asked.after = Some(page.end);
            self.more = page.more;
            if !page.changes.is_empty() || !page.more {
                return Ok(page.changes);
            }
        }
    }

    /// Whether there are more at once.
    pub fn has_more(&self) -> bool {
        self.more
    }

    /// Waits until there may be more; sometimes there are none.
    pub async fn wait(&mut self) -> Result<(), Error> {
        self.store.changed(&mut self.committed).await.map_err(from_store)
    }

    /// Behind which change it is.
    pub fn position(&self) -> Position {
        self.asked.after.unwrap_or_default()
    }
}

/// Appends a change as a JSON object.
pub fn write_change(change: &Change, out: &mut Vec<u8>) {
    let text = |out: &mut Vec<u8>, name: &str, value: Option<&str>| {
        out.extend_from_slice(name.as_bytes());
        match value {
            Some(value) => json_string(out, value),
            None => out.extend_from_slice(b"null"),
        }
    };
    let json = |out: &mut Vec<u8>, name: &str, value: Option<&str>| {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(value.unwrap_or("null").as_bytes());
    };
    text(out, "{\"position\":", Some(&change.position.to_string()));
    text(out, ",\"collection\":", Some(&change.collection));
    text(out, ",\"id\":", Some(&change.id));
    text(out, ",\"op\":", Some(change.op.as_str()));
    out.extend_from_slice(b",\"version\":");
    match change.version {
        Some(version) => json_int(out, version),
        None => out.extend_from_slice(b"null"),
    }
    json(out, ",\"before\":", change.before.as_deref());
    json(out, ",\"after\":", change.after.as_deref());
    text(out, ",\"caller\":", change.caller.as_deref());
    let mut time = [0; mainstay_expr::wire::TIMESTAMP_LEN];
    mainstay_expr::wire::format_timestamp(change.time_micros, &mut time);
    text(out, ",\"time\":", Some(std::str::from_utf8(&time).unwrap_or_default()));
    text(out, ",\"request\":", change.request.as_deref());
    out.push(b'}');
}
