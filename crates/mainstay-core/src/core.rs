//! The core itself: what a surface holds.
use std::sync::Arc;

use mainstay_schema::Schema;
use mainstay_store::Store;

use crate::{
    Answer, Answered, Error, Limits, Operation, Request, Select, Selection,
    expressions::RuleKind,
    gate::{GateShape, PreparedGate},
    plan::{
        create::CreateShape, cursor::CursorKey, delete::DeleteShape, find::FindShape, group::GroupShape,
        read::ReadShape, update::UpdateShape,
    },
    plans::Plans,
    record::field::Sender,
    run::{PreparedCreate, PreparedRead, PreparedWrite},
};

/// How the core behaves.
#[derive(Clone, Debug)]
pub struct CoreSettings {
    /// What one request may ask for.
    pub limits: Limits,
    /// The key that cursors are authenticated with; the same on every node.
    pub cursor_key: [u8; 32],
    /// Whether a refusal says which clause of the rule refused, with its values: for development only.
    pub explain_refusals: bool,
}

/// A schema, its database, and the one path between an operation and its answer.
pub struct Core {
    pub(crate) schema: Arc<Schema>,
    pub(crate) store: Arc<Store>,
    pub(crate) settings: CoreSettings,
    pub(crate) cursor_key: CursorKey,
    pub(crate) gates: Plans<GateShape, PreparedGate>,
    pub(crate) reads: Plans<ReadShape, PreparedRead>,
    pub(crate) groups: Plans<GroupShape, PreparedRead>,
    pub(crate) creates: Plans<CreateShape, PreparedCreate>,
    pub(crate) updates: Plans<UpdateShape, PreparedWrite>,
    pub(crate) deletes: Plans<DeleteShape, PreparedWrite>,
    pub(crate) finds: Plans<FindShape, PreparedWrite>,
    pub(crate) matchings: Plans<ReadShape, PreparedWrite>,
    /// Of a write that answers nothing of its records.
    pub(crate) nothing: Answered,
    /// Of all that match, what there is to find: their keys. Nothing selected would be all fields, with the rules that read them.
    pub(crate) keys: Arc<Selection>,
}

impl Core {
    /// A core for a schema and the database that matches it.
    pub fn new(schema: Arc<Schema>, store: Arc<Store>, settings: CoreSettings) -> Core {
        let limits = settings.limits.clone();
        let core = Core {
            schema,
            store,
            cursor_key: CursorKey::new(&settings.cursor_key),
            settings,
            gates: Plans::new(&limits),
            reads: Plans::new(&limits),
            groups: Plans::new(&limits),
            creates: Plans::new(&limits),
            updates: Plans::new(&limits),
            deletes: Plans::new(&limits),
            finds: Plans::new(&limits),
            matchings: Plans::new(&limits),
            nothing: Answered { selection: Some(Arc::default()), params: Vec::new() },
            keys: Arc::new(Selection { parts: vec![Select::Field { alias: None, name: "id".to_owned() }] }),
        };
        core.retain();
        core
    }

    /// The schema.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// What one request may ask for.
    pub fn limits(&self) -> &Limits {
        &self.settings.limits
    }

    /// The database.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Does what was asked, as far as the caller may.
    pub async fn run(&self, request: &Request, operation: Operation<'_>) -> Result<Answer, Error> {
        if let Some(kept) = self.recall(request, &operation).await? {
            return Ok(Answer::Kept(kept));
        }
        self.act(request, operation).await.map_err(|error| self.explain_by_name(request, error))
    }

    async fn act(&self, request: &Request, operation: Operation<'_>) -> Result<Answer, Error> {
        match operation {
            Operation::ReadOne(read) => match self.read_one(request, &read).await {
                Ok(record) => Ok(Answer::One(record)),
                Err(error) => Err(self
                    .explain_stored_refusal(request, (read.collection, RuleKind::Read), &read.target, error)
                    .await),
            },
            Operation::List(list) => Ok(Answer::Page(self.list(request, &list).await?)),
            Operation::Group(group) => Ok(Answer::Page(self.group(request, &group).await?)),
            Operation::Create(create) => self.create(request, &create, Sender::Caller).await,
            Operation::Update(update) => self.update(request, &update).await,
            Operation::UpdateMatching(update) => self.update_matching(request, &update).await,
            Operation::DeleteMatching(matching) => self.delete_matching(request, &matching).await,
            Operation::Batch(batch) => self.batch(request, &batch).await,
            Operation::Delete(delete) => {
                self.delete(request, &delete).await?;
                Ok(Answer::Deleted)
            }
        }
    }
}
