//! Names to keys: asked of the database for many at once, and remembered as far as there is room.
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use foldhash::fast::RandomState;
use mainstay_expr::Value;
use mainstay_schema::{Collection, CollectionId, FieldId, Json, JsonLimits, nearest};
use mainstay_store::ReadStatement;

use super::{
    links::{Name, as_name, name_fields, reads_as_key},
    load::Loading,
    prepare::Understood,
};
use crate::{Core, Error, Request, errors::from_store, record::normalize};

/// Names that are remembered of one collection, or of one field of it where links say the field; where nothing else is said.
pub(super) const NAMES_MAX: usize = 50_000;

/// Names that are compared with those that lead nowhere, letter by letter, all together: then no likely ones are told any more.
const COMPARED_MAX: usize = 500_000;

/// Names that are asked for at once.
const ASKED_MAX: usize = 1_000;

/// What names are of: of any field that names records of a collection, or of this one.
pub(super) type NamesOf = (CollectionId, Option<FieldId>);

/// Names that are to be looked up.
pub(super) type Unknown = HashSet<(NamesOf, String)>;

type Names = HashMap<String, Option<String>, RandomState>;

/// What is known of names: the key as text, or that there is no such record.
#[derive(Default)]
pub(super) struct Known {
    names: HashMap<NamesOf, Names, RandomState>,
    statements: HashMap<(CollectionId, FieldId), Arc<ReadStatement>, RandomState>,
    compared: AtomicUsize,
}

impl Known {
    pub(super) fn get(&self, of: CollectionId, name: &Name<'_>) -> Option<Option<&str>> {
        self.names.get(&(of, name.by))?.get(&*name.text).map(Option::as_deref)
    }

    /// Makes room for names that are to be looked up, so that no more than `max` of each kind are remembered. Whether names were
    /// forgotten for it: then those at hand may be among them.
    fn make_room(&mut self, more: &Unknown, max: usize) -> bool {
        let mut counts: HashMap<NamesOf, usize, RandomState> = HashMap::default();
        more.iter().for_each(|(of, _)| *counts.entry(*of).or_default() += 1);
        let mut forgotten = false;
        for (of, names) in &mut self.names {
            if counts.get(of).is_some_and(|more| names.len() + more > max) {
                forgotten |= !names.is_empty();
                names.clear();
            }
        }
        forgotten
    }

    /// Forgets what was not there: it may be by now.
    pub(super) fn forget_missing(&mut self) {
        self.names.values_mut().for_each(|names| names.retain(|_, key| key.is_some()));
    }

    /// The known name that is most like this one.
    pub(super) fn nearest(&self, of: CollectionId, name: &Name<'_>) -> Option<&str> {
        let known = self.names.get(&(of, name.by))?.iter().filter(|(_, key)| key.is_some());
        self.nearest_of(name, known.map(|(name, _)| name.as_str()))
    }

    /// The most like one among these.
    pub(super) fn nearest_of<'n>(&self, name: &Name<'_>, among: impl Iterator<Item = &'n str>) -> Option<&'n str> {
        if self.compared.load(Ordering::Relaxed) >= COMPARED_MAX {
            return None;
        }
        let mut count = 0;
        let near = nearest(&name.text, among.inspect(|_| count += 1));
        self.compared.fetch_add(count, Ordering::Relaxed);
        near
    }

    /// Asks the database for names. Of those that it does not have it is remembered where nothing can come any more.
    pub(super) async fn look_up(
        &mut self,
        core: &Core,
        request: &Request,
        (of, by): NamesOf,
        names: Vec<String>,
        closed: bool,
    ) -> Result<(), Error> {
        let mut left = names;
        let target = core.schema().collection(of);
        for field in by.map_or_else(|| name_fields(target), |by| vec![by]) {
            let (asked, others): (Vec<String>, Vec<String>) =
                left.into_iter().partition(|name| may_be_of(target, by, field, name));
            left = others;
            if asked.is_empty() {
                continue;
            }
            let found = self.by_field(core, request, (of, field), &asked).await?;
            left.extend(asked.into_iter().filter(|name| !found.contains_key(name)));
            let known = self.names.entry((of, by)).or_default();
            known.extend(found.into_iter().map(|(name, key)| (name, Some(key))));
        }
        if closed {
            self.names.entry((of, by)).or_default().extend(left.into_iter().map(|name| (name, None)));
        }
        Ok(())
    }

    /// The keys of the records whose field has one of these names.
    pub(super) async fn by_field(
        &mut self,
        core: &Core,
        request: &Request,
        (of, field): (CollectionId, FieldId),
        names: &[String],
    ) -> Result<HashMap<String, String, RandomState>, Error> {
        let statement = match self.statements.get(&(of, field)) {
            Some(statement) => statement.clone(),
            None => {
                let statement = core.look_up_statement(request, of, field)?;
                self.statements.insert((of, field), statement.clone());
                statement
            }
        };
        let mut found = HashMap::default();
        for names in names.chunks(ASKED_MAX) {
            // Several spellings may be normalized to one name.
            let mut asked: HashMap<String, Vec<&String>, RandomState> = HashMap::default();
            let mut values = Vec::with_capacity(names.len());
            for name in names {
                if let Some((value, text)) = parsed(core, of, field, name) {
                    let spellings = asked.entry(text).or_default();
                    if spellings.is_empty() {
                        values.push(value);
                    }
                    spellings.push(name);
                }
            }
            if values.is_empty() {
                continue;
            }
            let list = vec![Value::List(values.into())];
            let page = core.store().read(&statement, list, b"[".to_vec()).await.map_err(from_store)?;
            let mut json = page.json;
            json.push(b']');
            for (key, name) in pairs(&json) {
                let spellings = asked.remove(&name).unwrap_or_default();
                found.extend(spellings.into_iter().map(|name| (name.clone(), key.clone())));
            }
        }
        Ok(found)
    }
}

impl Loading<'_> {
    /// The names of other records that are not known yet. There is room for them then.
    pub(super) fn unknown(&mut self, part: usize, rows: &[Understood<'_>]) -> Unknown {
        let unknown = self.not_known(part, rows);
        // Names that were known may be forgotten for those that are not: the records at hand need both.
        if self.known.make_room(&unknown, self.options.names_max) { self.not_known(part, rows) } else { unknown }
    }

    fn not_known(&self, part: usize, rows: &[Understood<'_>]) -> Unknown {
        let mut unknown = HashSet::new();
        let links = rows.iter().filter_map(|row| row.read.as_ref().ok()).flat_map(|(_, links)| links);
        for link in links {
            let target = self.core.schema().collection(link.target);
            let trusts_keys = !self.verifies(part, link.target);
            for name in &link.names {
                let is_known = self.known.get(link.target, name).is_some();
                if !(is_known || trusts_keys && name.is_key(target)) {
                    unknown.insert(((link.target, name.by), name.text.clone().into_owned()));
                }
            }
        }
        unknown
    }

    pub(super) async fn look_up_links(&mut self, part: usize, rows: &[Understood<'_>]) -> Result<(), Error> {
        let unknown = self.unknown(part, rows);
        self.look_up(part, unknown).await
    }

    pub(super) async fn look_up(&mut self, part: usize, unknown: Unknown) -> Result<(), Error> {
        let mut unknown: Vec<(NamesOf, String)> = unknown.into_iter().collect();
        unknown.sort_unstable();
        while let Some((asked, _)) = unknown.last() {
            let asked = *asked;
            let from = unknown.partition_point(|(of, _)| *of < asked);
            let names = unknown.split_off(from).into_iter().map(|(_, name)| name).collect();
            let closed = self.is_all_read() || !self.comes_later(part, asked.0);
            self.known.look_up(self.core, self.request, asked, names, closed).await?;
        }
        Ok(())
    }
}

/// Whether a name may be of a field. What reads as a key is one where nothing else is said: the record may still come.
pub(super) fn may_be_of(target: &Collection, by: Option<FieldId>, field: FieldId, name: &str) -> bool {
    by.is_some() || target.system.id == Some(field) || !reads_as_key(target, name)
}

/// A name as the field would be answered: what is normalized alike is one name.
pub(super) fn spelled(core: &Core, of: CollectionId, field: FieldId, name: &str) -> Option<String> {
    parsed(core, of, field, name).map(|(_, text)| text)
}

/// A name as a value of the field, and as the text that the field would be answered as.
fn parsed(core: &Core, of: CollectionId, field: FieldId, name: &str) -> Option<(Value, String)> {
    let collection = core.schema().collection(of);
    let mut json = Vec::new();
    let declared = collection.field(field);
    let value = normalize::parse(core.schema(), collection, declared, name)?;
    match collection.system.id == Some(field) {
        true => collection.key.write(&value, &mut json),
        false => core.schema().write_value(&declared.kind, &value, &mut json),
    }
    let text =
        Json::parse(&json, JsonLimits::default()).ok().and_then(|json| as_name(&json).map(|name| name.into_owned()));
    Some((value, text?))
}

/// The keys and names of an answer.
fn pairs(json: &[u8]) -> Vec<(String, String)> {
    let Ok(Json::Array(items)) = Json::parse(json, JsonLimits::default()) else { return Vec::new() };
    let text = |item: &Json<'_>, name: &str| item.get(name).and_then(as_name).map(|name| name.into_owned());
    items.iter().filter_map(|item| Some((text(item, "key")?, text(item, "name")?))).collect()
}
