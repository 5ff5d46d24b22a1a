//! Where a run that was killed goes on: a source is known by the bytes that were done, so one that was repaired or has grown behind
//! them goes on too.
use std::io::Read;

use aws_lc_rs::digest::{Context, SHA256};

use super::{
    Source,
    load::{Loading, Start},
    notes::{SOURCES_MAX, State},
    parts::{Part, length, open},
    unreadable,
    write::failed,
};
use crate::Error;

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
        let mut noted = if self.options.resumable { self.core.noted()? } else { Vec::new() };
        let surplus = noted.len().saturating_sub(SOURCES_MAX);
        let mut forget: Vec<String> = noted.drain(..surplus).map(|(id, _)| id).collect();
        for part in self.parts.clone() {
            let source = &self.sources[part.source];
            let name = &self.core.schema().collection(part.collection).name;
            let of: Vec<(String, State)> =
                noted.iter().filter(|(_, state)| state.collection == *name).cloned().collect();
            let mut found = known(source, &part, of)?;
            if self.options.again {
                forget.extend(found.take().map(|(id, _)| id));
            }
            let (id, state) = found.unwrap_or_else(|| (uuid::Uuid::now_v7().to_string(), State::default()));
            let digest = Digest::of(source, self.options.resumable)?;
            self.starts.push(Start { id, before: state.clone(), state, digest });
        }
        let steps = forget.iter().map(|id| self.core.note_forgotten(id)).collect::<Result<Vec<_>, _>>()?;
        if !steps.is_empty() {
            self.core.store().write(self.write_of(steps)).await.map_err(failed)?;
        }
        Ok(())
    }
}

/// The note that goes farthest of those whose bytes the source begins with.
fn known(source: &Source, part: &Part, mut noted: Vec<(String, State)>) -> Result<Option<(String, State)>, Error> {
    let length = length(source)?;
    noted.retain(|(_, state)| state.position > part.start && state.position <= length);
    noted.sort_by_key(|(_, state)| state.position);
    let mut digest = Digest::of(source, !noted.is_empty())?;
    let mut found = None;
    for (id, state) in noted {
        if digest.up_to(state.position)? == state.digest && !state.digest.is_empty() {
            found = Some((id, state));
        }
    }
    Ok(found)
}
