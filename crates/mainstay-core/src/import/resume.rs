//! Where a run that was killed goes on: a source is known by the bytes that were done, so one that was repaired or has grown behind
//! them goes on too.
use std::{
    collections::{BTreeMap, HashSet},
    io::Read,
};

use aws_lc_rs::digest::{Context, SHA256};

use mainstay_store::Step;

use super::{
    Input, Source,
    load::{Loading, Start},
    notes::{SOURCES_MAX, State},
    parts::{Part, open},
    sum::Sum,
    unreadable,
    write::failed,
};
use crate::{Error, errors::from_store};

/// The SHA-256 of the beginning of a source.
pub(super) struct Digest<'a> {
    context: Context,
    /// `None`: nobody asks for it.
    input: Option<Box<dyn Read + Send + 'a>>,
    source: &'a Source,
    at: u64,
}

impl<'a> Digest<'a> {
    pub(super) fn of(source: &'a Source, wanted: bool) -> Result<Digest<'a>, Error> {
        let input = if wanted { open(source, 0)? } else { None };
        Ok(Digest { context: Context::new(&SHA256), input, source, at: 0 })
    }

    /// Of the bytes before a position; empty where nobody asks.
    pub(super) fn up_to(&mut self, position: u64) -> Result<String, Error> {
        if position < self.at {
            *self = Digest::of(self.source, self.input.is_some())?;
        }
        let Some(input) = &mut self.input else { return Ok(String::new()) };
        let mut buffer = vec![0; 64 * 1024];
        while self.at < position {
            let wanted = usize::try_from(position - self.at).unwrap_or(usize::MAX).min(buffer.len());
            let count = input.read(&mut buffer[..wanted]).map_err(|error| unreadable(&self.source.name, &error))?;
            if count == 0 {
                break;
            }
            self.context.update(&buffer[..count]);
            self.at += count as u64;
        }
        let digest = self.context.clone().finish();
        Ok(digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl<'a> Loading<'a> {
    /// Finds where each part goes on.
    pub(super) async fn begin(&mut self) -> Result<(), Error> {
        let noted = if self.options.resumable { self.core.noted()? } else { Vec::new() };
        let (mut forget, mut steps) = (Vec::new(), Vec::new());
        for part in self.parts.clone() {
            let start = self.start_of(&part, &noted, &mut forget, &mut steps)?;
            self.starts.push(start);
        }
        let are_here: HashSet<&str> = self.starts.iter().map(|start| start.id.as_str()).collect();
        let others = noted.iter().map(|(id, _)| id).filter(|id| !are_here.contains(id.as_str()));
        let surplus = others.clone().count().saturating_sub(SOURCES_MAX);
        forget.extend(others.take(surplus).cloned());
        for id in forget {
            steps.push(self.core.note_forgotten(&id)?);
        }
        if !steps.is_empty() {
            self.core.store().write(self.write_of(steps)).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Where a part goes on: behind what is done of the same bytes; or of the same records, where those that were wrong were repaired
    /// since. Where others changed too, nobody knows which of them are new.
    fn start_of(
        &mut self,
        part: &Part,
        noted: &[(String, State)],
        forget: &mut Vec<String>,
        steps: &mut Vec<Step>,
    ) -> Result<Start<'a>, Error> {
        let source = &self.sources[part.source];
        let name = &self.core.schema().collection(part.collection).name;
        let place = place_of(source, part);
        let noted: Vec<(String, State)> =
            noted.iter().filter(|(_, state)| state.collection == *name).cloned().collect();
        let mut found = known(source, part, &place, noted.clone())?;
        let (mut repairs, mut was_repaired) = (BTreeMap::new(), false);
        let goes_on = found.is_some() && !self.options.again;
        if !goes_on && !place.is_empty() {
            let repaired = if self.options.again { None } else { self.repaired(part, &place, &noted)? };
            match repaired {
                Some(repaired) => {
                    steps.extend(repaired.steps);
                    (repairs, was_repaired) = (repaired.repairs, true);
                    found = Some((repaired.id, repaired.state));
                }
                None => forget.extend(self.replaced(part, &place, &noted)?),
            }
        }
        if self.options.again {
            forget.extend(found.take().map(|(id, _)| id));
        }
        let waits = match &found {
            Some((id, _)) => !self.core.store().noted_waiting(id, 0, false, 1).map_err(from_store)?.is_empty(),
            None => false,
        };
        let (id, state) = found.unwrap_or_else(|| (uuid::Uuid::now_v7().to_string(), State::default()));
        let digest = Digest::of(source, self.options.resumable)?;
        Ok(Start {
            id,
            before: state.clone(),
            state,
            digest,
            place,
            names: Sum::default(),
            waits,
            was_repaired,
            repairs,
        })
    }
}

/// Which file a part is in, and which array of it; empty where it is in none.
fn place_of(source: &Source, part: &Part) -> String {
    let Input::File(path) = &source.input else { return String::new() };
    let path = path.canonicalize().unwrap_or_else(|_| path.clone());
    format!("{}{}", path.display(), part.pointer)
}

/// The note of those whose bytes the source begins with: its own, if there is one, since several files may begin alike; else the one that
/// goes farthest.
fn known(
    source: &Source,
    part: &Part,
    place: &str,
    mut noted: Vec<(String, State)>,
) -> Result<Option<(String, State)>, Error> {
    noted.retain(|(_, state)| {
        !state.repairing && state.position > part.start && state.position <= part.start + part.bytes
    });
    noted.sort_by_key(|(_, state)| state.position);
    let mut digest = Digest::of(source, !noted.is_empty())?;
    let (mut own, mut other) = (None, None);
    for (id, state) in noted {
        if digest.up_to(state.position)? == state.digest && !state.digest.is_empty() {
            let found = if !place.is_empty() && state.place == place { &mut own } else { &mut other };
            *found = Some((id, state));
        }
    }
    Ok(own.or(other))
}
