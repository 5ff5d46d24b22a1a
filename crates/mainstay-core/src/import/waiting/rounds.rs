//! Rounds over what waits, as long as something is settled; then what links to records that do not come is told, or goes without them.
use super::{
    super::{load::Loading, lookup::Known},
    note::Note,
};
use crate::Error;

/// What became of a round.
#[derive(Default)]
pub(super) struct Round {
    pub(super) settled: u64,
    pub(super) left: u64,
}

impl Loading<'_> {
    /// Settles what waits of all parts. A record is written as soon as the links are there that it needs; so what is left in the end
    /// waits for records that do not come.
    pub(in crate::import) async fn settle_waiting(&mut self) -> Result<(), Error> {
        // What was not there while parts were read may be there by now.
        self.known = Known::default();
        if self.rounds().await? > 0 && self.report.errors.is_empty() {
            self.is_last_round = true;
            self.rounds().await?;
        }
        Ok(())
    }

    /// Goes over what waits of all parts as long as something is settled. Gives how much is left.
    async fn rounds(&mut self) -> Result<u64, Error> {
        let mut backward = true;
        loop {
            let all = self.all_parts(backward).await?;
            // What is settled may leave more that waits, even where it was the last.
            if all.settled == 0 || !self.report.errors.is_empty() {
                return Ok(all.left);
            }
            // Each record may need the one before it, or the one behind it: so every other round goes the other way.
            backward = !backward;
        }
    }

    async fn all_parts(&mut self, backward: bool) -> Result<Round, Error> {
        self.order.begin_round();
        if self.order.counts() {
            self.hold_links()?;
        }
        // What is wrong is told in the order of the file; where records wait behind others of their names, those come first.
        let backward = backward && !self.is_last_round && !self.order.counts();
        let mut all = Round::default();
        for part in 0..self.parts.len() {
            let round = self.round(part, backward).await?;
            (all.settled, all.left) = (all.settled + round.settled, all.left + round.left);
        }
        Ok(all)
    }

    /// Goes over what waits of a part. In the last round something is said of all that is left.
    async fn round(&mut self, part: usize, backward: bool) -> Result<Round, Error> {
        self.upsert = self.upsert_field(part)?;
        let id = self.starts[part].id.clone();
        let mut from = None;
        let mut round = Round::default();
        while let Some(noted) = self.noted_from(&id, &mut from, backward)? {
            let notes = noted.iter().map(|(number, text)| self.parse(part, *number, text));
            self.all_of(part, notes.collect::<Result<_, _>>()?, &mut round).await?;
            if !self.looks_on() {
                break;
            }
        }
        Ok(round)
    }

    /// Whether others are looked at behind one that is wrong.
    fn looks_on(&self) -> bool {
        self.is_last_round || self.report.errors.is_empty()
    }

    /// Goes over some notes as long as one of them is settled: others may wait for it.
    async fn all_of(&mut self, part: usize, mut notes: Vec<Note<'_>>, round: &mut Round) -> Result<(), Error> {
        if self.upsert.is_some() {
            // The last of one name holds.
            notes.sort_by_key(|note| note.number);
        }
        while !notes.is_empty() && self.looks_on() {
            let before = notes.len();
            let mut stays = self.some(part, &notes, round).await?.into_iter();
            notes.retain(|_| stays.next().unwrap_or(true));
            if notes.len() == before {
                break;
            }
        }
        notes.iter().for_each(|note| self.hold(part, note));
        round.left += notes.len() as u64;
        Ok(())
    }
}
