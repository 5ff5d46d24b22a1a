//! What is remembered of sources, and which of it is whose: a source is the one that was at its place; where that place is gone, it is the
//! one that begins with the same bytes.
use std::{collections::HashSet, path::Path};

use mainstay_schema::{CollectionId, Schema};

use super::{Format, Input, Source, notes::State, parts::Part, resume::Digest};

/// A note of a source: its id, and how far it is.
pub(super) type Noted = (String, State);

/// Where a part is.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// The file; empty where it is in none.
    file: String,
    /// The file, and which array of it.
    pub(super) whole: String,
}

/// Whose a note is, for a part; the last one counts most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whose {
    /// Of another file, which still begins so.
    Another,
    /// Of a file that is not there any more, or is another by now: it may have been moved.
    Gone,
    /// Of an array of the same file that is not there any more: it may have been renamed.
    Renamed,
    Own,
}

/// All that is remembered, while it is found out whose it is.
pub(super) struct Remembered<'n> {
    notes: &'n [Noted],
    /// Of all parts of this run.
    places: HashSet<String>,
    /// Notes that a part goes on with: no other one does.
    taken: HashSet<String>,
}

impl Place {
    pub(super) fn of(source: &Source, part: &Part) -> Place {
        let Input::File(path) = &source.input else { return Place::default() };
        let path = path.canonicalize().unwrap_or_else(|_| path.clone());
        let file = path.display().to_string();
        Place { whole: format!("{file}{}", part.pointer), file }
    }

    /// Whether it is none that can be found again.
    pub(super) fn is_none(&self) -> bool {
        self.file.is_empty()
    }
}

impl<'n> Remembered<'n> {
    pub(super) fn new(notes: &'n [Noted], places: &[Place]) -> Remembered<'n> {
        let places = places.iter().map(|place| place.whole.clone()).collect();
        Remembered { notes, places, taken: HashSet::new() }
    }

    /// What may be of a collection, whatever that was called; the oldest first.
    pub(super) fn of(&self, schema: &Schema, collection: CollectionId) -> Vec<&'n Noted> {
        let (name, was) = (&schema.collection(collection).name, schema.past.of_type(collection));
        let is_of = |state: &State| state.collection == *name || was.contains(&state.collection);
        self.notes.iter().filter(|(id, state)| is_of(state) && !self.taken.contains(id)).collect()
    }

    /// Whether a note is of this place, or of an array of the same file that is not there any more.
    pub(super) fn is_own(&self, state: &State, place: &Place) -> bool {
        let array = || state.place.strip_prefix(&place.file).is_some_and(|array| array.starts_with('/'));
        !place.is_none() && (state.place == place.whole || array() && !self.places.contains(&state.place))
    }

    pub(super) fn whose(&self, state: &State, place: &Place) -> Whose {
        if self.is_own(state, place) {
            return if state.place == place.whole { Whose::Own } else { Whose::Renamed };
        }
        match file_of(state).is_some_and(|file| begins_so(file, state)) {
            true => Whose::Another,
            false => Whose::Gone,
        }
    }

    pub(super) fn take(&mut self, id: &str) {
        self.taken.insert(id.to_owned());
    }

    /// Notes that no part goes on with, the oldest first.
    pub(super) fn left(&self) -> impl DoubleEndedIterator<Item = &'n str> {
        self.notes.iter().map(|(id, _)| id.as_str()).filter(|id| !self.taken.contains(*id))
    }
}

/// The file that a note is of, if there is one at its place.
pub(super) fn file_of(state: &State) -> Option<&Path> {
    let place = Path::new(&state.place);
    if place.is_file() { Some(place) } else { place.parent().filter(|file| file.is_file()) }
}

/// Whether a file begins with the bytes that are done. One that cannot be read is none that they are in.
fn begins_so(file: &Path, state: &State) -> bool {
    let (name, input) = (state.name.clone(), Input::File(file.to_path_buf()));
    let source = Source { name, input, format: Format::Ndjson, collection: None };
    let digest = Digest::of(&source, true).and_then(|mut digest| digest.up_to(state.position));
    digest.is_ok_and(|digest| digest == state.digest)
}
