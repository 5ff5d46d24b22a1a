//! The loading itself: rows in chunks, each chunk written whole or not at all.
use std::borrow::Cow;

use mainstay_schema::{CollectionId, Json, KeyKind};
use uuid::Uuid;

use super::{
    CollectionReport, Problem, Progress, Report, Source,
    links::{End, Link, Names, RowId, id_of, key_json},
    read::Table,
};
use crate::{Answer, Core, Create, Error, Request, Select, Selection, record::field::Sender};

/// Records that are written together.
pub(super) const CHUNK_ROWS_MAX: usize = 500;

/// An import under way.
pub(super) struct Loading<'a> {
    pub(super) core: &'a Core,
    pub(super) request: &'a Request,
    pub(super) source: Source<'a>,
    pub(super) tables: Vec<Table<'a>>,
    pub(super) names: Names,
    /// The links of each row.
    pub(super) links: Vec<Vec<Vec<Link>>>,
    /// The key of each row that is written, or about to be.
    pub(super) keys: Vec<Vec<Option<String>>>,
    /// The rows in the order of writing.
    pub(super) order: Vec<RowId>,
    /// Links that wait until all rows are written.
    pub(super) waiting: Vec<(RowId, Link)>,
    created: Vec<usize>,
}

/// Rows of one collection that are written together.
struct Chunk<'a> {
    table: usize,
    rows: Vec<usize>,
    records: Vec<Json<'a>>,
}

impl<'a> Loading<'a> {
    pub(super) fn new(core: &'a Core, request: &'a Request, source: Source<'a>, tables: Vec<Table<'a>>) -> Loading<'a> {
        let names = Names::of(core.schema(), &tables);
        let keys = tables.iter().map(|table| vec![None; table.rows.len()]).collect();
        let links = tables.iter().map(|table| Vec::with_capacity(table.rows.len())).collect();
        let created = vec![0; tables.len()];
        Loading { core, request, source, tables, names, links, keys, order: vec![], waiting: vec![], created }
    }

    /// Writes everything; ends with the first chunk in which something is wrong.
    pub(super) async fn run(
        &mut self,
        report: &mut Report,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<(), Error> {
        let order = std::mem::take(&mut self.order);
        let total = order.len();
        let mut done = 0;
        let mut chunk: Option<Chunk<'a>> = None;
        for row in order {
            if chunk.as_ref().is_some_and(|chunk| self.must_end(chunk, row)) {
                done += self.write(chunk.take(), report).await?;
                progress(Progress { done, total });
            }
            if !report.errors.is_empty() {
                return Ok(());
            }
            self.add(&mut chunk, row);
        }
        done += self.write(chunk, report).await?;
        progress(Progress { done, total });
        if report.errors.is_empty() { self.link_the_rest(report).await } else { Ok(()) }
    }

    /// Whether a chunk is full, of another collection, or holds a record whose key the row needs and nobody knows yet.
    fn must_end(&self, chunk: &Chunk<'a>, (table, row): RowId) -> bool {
        let chunk_max = CHUNK_ROWS_MAX.min(self.core.limits().batch_max);
        let mut ends = self.links[table][row].iter().flat_map(|link| &link.ends);
        let waits = |end: &End| matches!(end, End::Row((of, needed)) if *of == chunk.table && chunk.rows.contains(needed) && self.keys[*of][*needed].is_none());
        chunk.table != table || chunk.rows.len() >= chunk_max || ends.any(waits)
    }

    fn add(&mut self, chunk: &mut Option<Chunk<'a>>, (table, row): RowId) {
        let collection = self.core.schema().collection(self.tables[table].collection);
        let mut fields = std::mem::take(&mut self.tables[table].rows[row].fields);
        for link in std::mem::take(&mut self.links[table][row]) {
            match self.ends(&link) {
                Some(value) => fields.push((Cow::Owned(collection.field(link.field).name.clone()), value)),
                None => self.waiting.push(((table, row), link)),
            }
        }
        let sent = fields.iter().find(|(name, _)| name == "id").map(|(_, key)| key.as_text().map(str::to_owned));
        self.keys[table][row] = match (sent, collection.key) {
            (Some(key), _) => key,
            (None, KeyKind::Uuid) => {
                let key = Uuid::now_v7().to_string();
                fields.push((Cow::Borrowed("id"), key_json(key.clone())));
                Some(key)
            }
            (None, KeyKind::Int | KeyKind::String) => None,
        };
        let chunk = chunk.get_or_insert_with(|| Chunk { table, rows: Vec::new(), records: Vec::new() });
        chunk.rows.push(row);
        chunk.records.push(Json::Object(fields));
    }

    /// What a link is sent as; `None` where one of its ends is not written yet.
    pub(super) fn ends(&self, link: &Link) -> Option<Json<'a>> {
        let key = |end: &End| match end {
            End::Key(key) => Some(key_json(key.clone())),
            End::Row((table, row)) => self.keys[*table][*row].clone().map(key_json),
        };
        if !link.many {
            return link.ends.first().and_then(key);
        }
        if link.ends.len() > self.core.limits().links_max {
            return None;
        }
        link.ends.iter().map(key).collect::<Option<Vec<_>>>().map(Json::Array)
    }

    async fn write(&mut self, chunk: Option<Chunk<'a>>, report: &mut Report) -> Result<usize, Error> {
        let Some(chunk) = chunk else { return Ok(0) };
        let collection = self.tables[chunk.table].collection;
        let selection = Selection { parts: vec![Select::Field { alias: None, name: "id".to_owned() }] };
        let selection = Some(std::sync::Arc::new(selection));
        let create = Create { collection, records: chunk.records, many: true, upsert: None, selection };
        match self.core.create(self.request, &create, Sender::File).await {
            Ok(Answer::Created { records, .. }) => {
                for (row, record) in chunk.rows.iter().zip(&records) {
                    self.keys[chunk.table][*row] = id_of(&record.json);
                }
                self.created[chunk.table] += records.len();
                Ok(records.len())
            }
            Ok(_) => Err(Error::internal("a create was answered by something else")),
            Err(error) if error.fields.is_empty() => Err(error),
            Err(error) => {
                for field in &error.fields {
                    let (at, pointer) = split_pointer(&field.pointer);
                    let row = chunk.rows.get(at).copied().unwrap_or_default();
                    let message = field.message.clone();
                    report.errors.push(self.problem((chunk.table, row), pointer, message, field.hint.clone()));
                }
                Ok(0)
            }
        }
    }

    /// Something that is wrong with a row.
    pub(super) fn problem(&self, (table, row): RowId, pointer: &str, message: String, hint: Option<String>) -> Problem {
        let place = &self.tables[table].rows[row];
        Problem {
            source: self.source.name.to_owned(),
            collection: self.name_of(self.tables[table].collection),
            line: place.line,
            pointer: format!("{}{pointer}", place.pointer),
            message,
            hint,
        }
    }

    fn name_of(&self, of: CollectionId) -> String {
        self.core.schema().collection(of).name.clone()
    }

    /// Counts what was done.
    pub(super) fn finish(&self, report: &mut Report) {
        for (table, created) in self.tables.iter().zip(&self.created) {
            report.collections.push(CollectionReport {
                collection: self.name_of(table.collection),
                created: *created,
                skipped: table.rows.len() - created,
            });
        }
    }
}

/// `/3/slug` to 3 and `/slug`.
fn split_pointer(pointer: &str) -> (usize, &str) {
    let rest = pointer.strip_prefix('/').unwrap_or(pointer);
    let (at, field) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    (at.parse().unwrap_or_default(), field)
}
