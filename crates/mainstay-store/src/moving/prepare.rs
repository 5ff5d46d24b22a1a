//! Before the first record: whether the target may be filled, its tables, and what it remembers of a move.
use mainstay_schema::{Migration, Schema};
use uuid::Uuid;

use super::{MoveError, Side, is_there, run::Moving};
use crate::{Settings, Store, sql::MovedTable};

/// The target's note that it is not filled to its end: the move's id.
pub(super) const INTO: &str = "into";
/// The source's note that it was moved: the move's id.
pub(super) const MOVED: &str = "moved";
/// The source's notes of moves that have begun.
pub(super) const MOVING: &str = "moving:";
/// The target's note up to where it has what the feed told.
pub(super) const POSITION: &str = "position";
/// The target's note of the schema that it is filled by.
const SCHEMA: &str = "schema";
/// The target's note that its indexes and references were taken away; [`MAKING`] once they come back.
pub(super) const LOOSE: &str = "loose";
/// They are about to come back.
pub(super) const MAKING: &str = "making";
/// The target's notes of what makes them again, by number.
pub(super) const MAKES: &str = "makes:";
/// The target's notes of tables that are copied.
pub(super) const COPIED: &str = "copied:";

/// Fails unless a database may be filled: it is empty, or a move has begun to fill it.
pub(super) fn look_at(settings: &Settings) -> Result<(), MoveError> {
    if !is_there(&settings.at) {
        return Ok(());
    }
    let store = Store::open(Settings { read_only: true, ..settings.clone() })?;
    let looked = store.engine().side().map_err(MoveError::from).and_then(|mut side| look(&mut *side));
    store.close();
    looked
}

fn look(side: &mut dyn Side) -> Result<(), MoveError> {
    if side.noted(INTO)?.is_some() {
        return Ok(());
    }
    let tables = side.tables()?;
    if let Some(other) = tables.iter().find(|name| !name.starts_with("mainstay_")) {
        return Err(MoveError::Used(format!("there is a table \"{other}\"")));
    }
    Ok(())
}

impl Moving<'_> {
    /// Fails where the source was moved before; whether that was this very move, which only has to be ended.
    pub(super) fn is_sealed(&mut self) -> Result<bool, MoveError> {
        match (self.source.noted(MOVED)?, self.target.noted(INTO)?) {
            (None, _) => Ok(false),
            (Some(moved), Some(into)) if moved == into => Ok(true),
            (Some(_), _) => Err(MoveError::Sealed),
        }
    }

    /// Both sides know of the move, and the target has the tables; whether an earlier move had begun.
    pub(super) fn prepare(&mut self) -> Result<bool, MoveError> {
        self.target.make_notes()?;
        let begun = self.target.noted(INTO)?;
        let fingerprint = self.schema.snapshot().fingerprint();
        match &begun {
            Some(id) if self.source.noted(&format!("{MOVING}{id}"))?.is_none() => return Err(MoveError::Elsewhere),
            Some(_) if self.target.noted(SCHEMA)? != Some(fingerprint.clone()) => return Err(MoveError::OtherSchema),
            Some(_) => {}
            None => self.begin(&fingerprint)?,
        }
        self.make_tables(self.schema)?;
        if self.settings.restart {
            self.empty()?;
        }
        self.loosen()?;
        if self.target.noted(POSITION)?.is_none() {
            let position = self.source.position()?;
            self.target.note(POSITION, &position.to_string())?;
        }
        Ok(begun.is_some())
    }

    /// The source hears of it first: a target that nobody has heard of is not filled.
    fn begin(&mut self, fingerprint: &str) -> Result<(), MoveError> {
        let id = Uuid::now_v7().to_string();
        self.source.make_notes()?;
        self.source.note(&format!("{MOVING}{id}"), fingerprint)?;
        self.target.note(SCHEMA, fingerprint)?;
        Ok(self.target.note(INTO, &id)?)
    }

    fn make_tables(&mut self, schema: &std::sync::Arc<Schema>) -> Result<(), MoveError> {
        if self.store.snapshot()?.is_none() {
            self.store.migrate(&Migration::between(None, schema), schema)?;
        }
        self.make_import_notes()
    }

    /// An import may begin at whatever time.
    pub(super) fn make_import_notes(&mut self) -> Result<(), MoveError> {
        if self.source.has("mainstay_import")? {
            self.store.prepare_notes()?;
        }
        Ok(())
    }

    /// Fails where the source has another schema by now: what that added is in none of the tables that are copied.
    pub(super) fn require_schema(&mut self) -> Result<(), MoveError> {
        let now = self.source.schema()?;
        let is_same = now.is_some_and(|now| Migration::between(Some(&now), self.schema).is_done());
        if is_same { Ok(()) } else { Err(MoveError::OtherSchema) }
    }

    /// Forgets what an earlier run has copied.
    fn empty(&mut self) -> Result<(), MoveError> {
        self.target.begin()?;
        for table in self.plan.tables().into_iter().chain([&self.plan.kept]) {
            let clear = table.clear(self.target.dialect());
            self.target.execute(&clear, &[])?;
        }
        let copied = self.target.notes(COPIED)?;
        for name in copied.iter().map(|(name, _)| name.as_str()).chain([LOOSE, POSITION]) {
            self.target.forget(name)?;
        }
        Ok(self.target.commit()?)
    }

    /// Takes indexes and references away until the records are there; what makes them again is noted in the same transaction.
    fn loosen(&mut self) -> Result<(), MoveError> {
        // Where tables are copied they were away, and may be back.
        if self.target.noted(LOOSE)?.is_some() || !self.target.notes(COPIED)?.is_empty() {
            return Ok(());
        }
        self.target.begin()?;
        // Those that a run had made again are noted no more: a count of the others is no free number.
        let last = self.target.notes(MAKES)?.into_iter().next_back();
        let first =
            last.and_then(|(name, _)| name.strip_prefix(MAKES)?.parse::<usize>().ok()).map_or(0, |last| last + 1);
        let tables: Vec<&MovedTable> = self.plan.tables();
        for (at, make) in self.target.loosen(&tables)?.into_iter().enumerate() {
            self.target.note(&format!("{MAKES}{:05}", first + at), &make)?;
        }
        self.target.note(LOOSE, "")?;
        Ok(self.target.commit()?)
    }
}
