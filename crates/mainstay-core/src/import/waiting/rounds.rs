//! Rounds over what waits, as long as something is settled; then what links to records that do not come is told, layer by layer.
use mainstay_schema::{CollectionId, FieldId};

use super::{
    super::{
        MissingLinks,
        first_look::Names,
        links::{as_name, name_fields},
        load::Loading,
        lookup::{Known, spelled},
    },
    note::{Note, What},
};
use crate::Error;

/// What became of a round.
#[derive(Default)]
pub(super) struct Round {
    pub(super) settled: u64,
    pub(super) left: u64,
}

/// What becomes of links to records that are not there.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Missing {
    /// Who has one waits on.
    Wait,
    /// Optional ones to records that do not even wait are left out.
    LeftOut,
    /// So it is, and required ones to such records are told.
    ToldUnlessAwaited,
    /// The first record that has one is told or goes without it; others wait, since they may link to that one.
    FirstTold,
    /// They are told.
    Told,
}

impl Missing {
    /// What becomes of them in a record behind one that is settled or told.
    pub(super) fn behind_another(self) -> Missing {
        if self == Missing::FirstTold { Missing::Wait } else { self }
    }
}

impl Loading<'_> {
    /// Settles what waits of all parts.
    pub(in crate::import) async fn settle_waiting(&mut self) -> Result<(), Error> {
        // What was not there while parts were read may be there by now.
        self.known = Known::default();
        while self.rounds().await? > 0 && self.report.errors.is_empty() {
            if !self.next_layer().await? {
                let null = self.options.missing_links == MissingLinks::Null;
                self.all_parts(false, if null { Missing::FirstTold } else { Missing::Told }).await?;
                break;
            }
        }
        Ok(())
    }

    /// Settles or tells those whose links lead to no record that waits: each may be the one that others wait for. Whether there were any.
    async fn next_layer(&mut self) -> Result<bool, Error> {
        if self.options.missing_links != MissingLinks::Null {
            return Ok(false);
        }
        self.names_that_wait = self.find_names_that_wait()?;
        for missing in [Missing::LeftOut, Missing::ToldUnlessAwaited] {
            if self.all_parts(false, missing).await?.settled > 0 || !self.report.errors.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Goes over what waits of all parts as long as something is settled. Gives how much is left.
    async fn rounds(&mut self) -> Result<u64, Error> {
        let mut backward = true;
        loop {
            let all = self.all_parts(backward, Missing::Wait).await?;
            // What is settled may leave more that waits, even where it was the last.
            if all.settled == 0 || !self.report.errors.is_empty() {
                return Ok(all.left);
            }
            // Each record may need the one before it, or the one behind it: so every other round goes the other way.
            backward = !backward;
        }
    }

    async fn all_parts(&mut self, backward: bool, missing: Missing) -> Result<Round, Error> {
        self.order.begin_round();
        // Where records wait behind others of their names, those come first.
        let backward = backward && !self.order.counts();
        let mut all = Round::default();
        for part in 0..self.parts.len() {
            let round = self.round(part, backward, missing).await?;
            (all.settled, all.left) = (all.settled + round.settled, all.left + round.left);
        }
        Ok(all)
    }

    /// Goes over what waits of a part. Where missing links are told, something is said of all that is left.
    async fn round(&mut self, part: usize, backward: bool, missing: Missing) -> Result<Round, Error> {
        self.upsert = self.upsert_field(part)?;
        let id = self.starts[part].id.clone();
        let mut from = None;
        let mut round = Round::default();
        while let Some(noted) = self.noted_from(&id, &mut from, backward)? {
            let notes = noted.iter().map(|(number, text)| self.parse(part, *number, text));
            self.all_of(part, notes.collect::<Result<_, _>>()?, missing, &mut round).await?;
            if !self.looks_on(missing) {
                break;
            }
        }
        Ok(round)
    }

    /// Whether others are looked at behind one that is wrong.
    fn looks_on(&self, missing: Missing) -> bool {
        !matches!(missing, Missing::Wait | Missing::LeftOut) || self.report.errors.is_empty()
    }

    /// The names of records that wait, as far as there is room.
    fn find_names_that_wait(&self) -> Result<Names, Error> {
        let mut names = Names::default();
        for part in 0..self.parts.len() {
            let mut from = None;
            while let Some(noted) = self
                .noted_from(&self.starts[part].id, &mut from, false)?
                .filter(|_| names.len() < self.options.names_max)
            {
                for (number, text) in &noted {
                    let note = self.parse(part, *number, text)?;
                    names.extend(self.names_of(part, &note));
                }
            }
        }
        Ok(names)
    }

    fn names_of(&self, part: usize, note: &Note<'_>) -> Vec<(CollectionId, FieldId, String)> {
        let What::Record(fields) = &note.what else { return Vec::new() };
        let of = self.parts[part].collection;
        let collection = self.core.schema().collection(of);
        let spelled = |id: FieldId| {
            let (_, value) = fields.iter().find(|(name, _)| **name == *collection.field(id).name)?;
            Some((of, id, spelled(self.core, of, id, &as_name(value)?)?))
        };
        name_fields(collection).into_iter().filter_map(spelled).collect()
    }

    /// Forgets that a record waits which was told to be wrong. With names that several have, another one may.
    pub(super) fn forget_name(&mut self, part: usize, note: &Note<'_>) {
        if self.options.upsert.is_none() && !self.names_that_wait.is_empty() {
            for name in self.names_of(part, note) {
                self.names_that_wait.remove(&name);
            }
        }
    }

    /// Goes over some notes as long as one of them is settled: others may wait for it.
    async fn all_of(
        &mut self,
        part: usize,
        mut notes: Vec<Note<'_>>,
        missing: Missing,
        round: &mut Round,
    ) -> Result<(), Error> {
        if self.upsert.is_some() {
            // The last of one name holds.
            notes.sort_by_key(|note| note.number);
        }
        let mut now = missing;
        while !notes.is_empty() && self.looks_on(missing) {
            let before = notes.len();
            let stays = self.some(part, &notes, now, round).await?;
            let mut stays = stays.into_iter();
            notes.retain(|_| stays.next().unwrap_or(true));
            if notes.len() == before && now == missing {
                break;
            }
            now = if notes.len() < before { missing.behind_another() } else { missing };
        }
        notes.iter().for_each(|note| self.hold(part, note));
        round.left += notes.len() as u64;
        Ok(())
    }
}
