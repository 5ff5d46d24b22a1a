//! A step of a write, rendered and kept.
use std::{fmt, sync::Arc};

use mainstay_plan::{Create, Delete, Find, Note, Update, WritePlan};
use mainstay_schema::{Collection, CollectionId, Schema};

use crate::{
    StoreError,
    sql::{
        self, Cascade, ChangeSql, CreateSql, DeleteSql, Dialect, FedValues, FindSql, InsertSql, LinkSql, Sql,
        UpdateSql, Updated,
    },
};

/// A step of a write rendered for the engine: kept and used again for every request of its shape.
pub struct WriteStatement {
    pub(crate) schema: Arc<Schema>,
    pub(crate) collection: CollectionId,
    pub(crate) parts: Parts,
}

/// The plan of a step beside its statements.
pub(crate) enum Parts {
    Create {
        plan: Box<Create>,
        sql: Box<CreateSql>,
    },
    Update {
        plan: Box<Update>,
        sql: Box<UpdateSql>,
    },
    Delete {
        plan: Box<Delete>,
        sql: Box<DeleteSql>,
        cascades: Arc<[Cascade]>,
    },
    Find {
        plan: Box<Find>,
        sql: Box<FindSql>,
    },
    /// The bound value `limit` holds how many there may be.
    Matching {
        limit: u16,
        sql: Box<FindSql>,
    },
    Load {
        width: usize,
        sql: InsertSql,
        /// What the change feed is told of each record.
        fed: Option<FedValues>,
    },
    Note {
        sql: Vec<Sql>,
        /// Whether it must find what it is about.
        finds: bool,
    },
}

impl WriteStatement {
    /// Renders a plan. `cascades` gives those of the whole schema.
    pub(crate) fn render(
        schema: &Arc<Schema>,
        dialect: &dyn Dialect,
        plan: &WritePlan,
        cascades: impl FnOnce() -> Result<Arc<[Cascade]>, StoreError>,
    ) -> Result<WriteStatement, StoreError> {
        let (collection, parts) = match plan {
            WritePlan::Load(plan) => {
                let sql = sql::load(schema, dialect, plan);
                (plan.collection, Parts::Load { width: plan.columns.len(), sql, fed: sql::of_load(schema, plan) })
            }
            // A note is about no collection.
            WritePlan::Note(note) => {
                let parts = Parts::Note { sql: sql::note(dialect, *note), finds: *note == Note::Holds };
                (CollectionId(0), parts)
            }
            WritePlan::Create(plan) => {
                let sql = Box::new(sql::create(schema, dialect, plan)?);
                (plan.collection, Parts::Create { plan: Box::new(plan.clone()), sql })
            }
            WritePlan::Update(plan) => {
                let sql = Box::new(sql::update(schema, dialect, plan)?);
                (plan.collection, Parts::Update { plan: Box::new(plan.clone()), sql })
            }
            WritePlan::Delete(plan) => {
                let sql = Box::new(sql::delete(schema, dialect, plan)?);
                (plan.collection, Parts::Delete { plan: Box::new(plan.clone()), sql, cascades: cascades()? })
            }
            WritePlan::Find(plan) => {
                let sql = Box::new(sql::find(schema, dialect, plan)?);
                (plan.collection, Parts::Find { plan: Box::new(plan.clone()), sql })
            }
            WritePlan::Matching(plan) => {
                let sql = Box::new(sql::matching(schema, dialect, plan)?);
                (plan.collection, Parts::Matching { limit: plan.limit, sql })
            }
        };
        Ok(WriteStatement { schema: schema.clone(), collection, parts })
    }

    /// Its SQL, one text for each statement.
    pub fn sql(&self) -> Vec<String> {
        self.all().into_iter().map(|sql| sql.text.clone()).collect()
    }

    /// Its statements.
    pub(crate) fn all(&self) -> Vec<&Sql> {
        let mut all = Vec::new();
        match &self.parts {
            Parts::Load { sql, .. } => all.push(&sql.each),
            Parts::Note { sql, .. } => all.extend(sql),
            Parts::Create { sql, .. } => {
                all.extend(links(&sql.links));
                all.extend(sql.compute.as_ref().map(|compute| &compute.sql));
                all.push(&sql.insert);
                all.extend(changes(&sql.changes));
                all.extend(&sql.after);
                all.extend(sql.answer.as_ref().map(|read| &read.page));
            }
            Parts::Update { sql, .. } => {
                all.extend(sql.noting.as_ref().or(sql.fast.as_ref()).map(|(sql, _)| sql));
                all.push(&sql.look.sql);
                all.extend(links(&sql.links));
                all.extend(sql.compute.as_ref().map(|compute| &compute.sql));
                all.extend(&sql.update);
                all.extend(changes(&sql.changes));
                all.extend(&sql.after);
                if let Updated::Read(read) = &sql.answer {
                    all.push(&read.page);
                }
            }
            Parts::Find { sql, .. } | Parts::Matching { sql, .. } => all.push(&sql.sql),
            Parts::Delete { sql, cascades, .. } => {
                all.push(&sql.look.sql);
                all.extend(cascades.iter().filter(|of| of.collection == self.collection).flat_map(ends));
            }
        }
        all
    }

    /// Whether it is one statement, unless that one comes to nothing.
    pub(crate) fn is_single(&self) -> bool {
        match &self.parts {
            Parts::Create { sql, .. } => {
                let before = !sql.links.is_empty() || sql.compute.is_some();
                let after = !sql.changes.is_empty() || sql.after.is_some() || !sql.fields.is_empty();
                !before && !after && sql.answer.is_none() && (sql.fed.is_none() || sql.noting.is_some())
            }
            Parts::Update { sql, .. } => sql.fast.is_some() && (sql.fed.is_none() || sql.noting.is_some()),
            _ => false,
        }
    }

    /// The schema that it was rendered for.
    pub(crate) fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The collection that it writes.
    pub(crate) fn of(&self) -> &Collection {
        self.schema.collection(self.collection)
    }
}

fn links(links: &[LinkSql]) -> impl Iterator<Item = &Sql> {
    links.iter().map(|link| &link.check)
}

fn changes(changes: &[ChangeSql]) -> impl Iterator<Item = &Sql> {
    changes.iter().flat_map(|change| change.missing.iter().chain(&change.statements))
}

fn ends(of: &Cascade) -> impl Iterator<Item = &Sql> {
    let unlink = of.unlink.iter().flat_map(|one| one.count_up.iter().map(|(sql, _)| sql).chain([&one.delete]));
    of.incoming.iter().map(|incoming| &incoming.find).chain(unlink).chain([&of.delete])
}

impl fmt::Debug for WriteStatement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.sql()).finish()
    }
}
