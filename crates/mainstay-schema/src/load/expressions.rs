//! Expressions in the files: checked, with their errors where they stand.
use std::sync::Arc;

use mainstay_expr::{Compiled, Limits, Type, compile};

use super::{builder::Builder, files::Place, text_map::TextMap};
use crate::CollectionId;

/// A checked rule.
pub(super) type Rule = Arc<Compiled>;

/// The text of an argument, and the place of its literal.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) value: String,
    pub(super) place: Place,
}

impl Builder {
    /// Checks an expression over the records of a collection, or over the caller alone; tells what is wrong with it.
    pub(super) fn compile(&mut self, this: Option<CollectionId>, text: &Text, want: &Type) -> Option<Arc<Compiled>> {
        self.compile_within(this, text, want, &Limits::default())
    }

    /// The same within other limits.
    pub(super) fn compile_within(
        &mut self,
        this: Option<CollectionId>,
        text: &Text,
        want: &Type,
        limits: &Limits,
    ) -> Option<Arc<Compiled>> {
        let problems = match compile(&text.value, &self.schema.scope(this), want, limits) {
            Ok(compiled) => return Some(Arc::new(compiled)),
            Err(problems) => problems,
        };
        for problem in problems {
            let about = text.value.get(problem.span.start as usize..problem.span.end as usize);
            if self.uses_broken_name(about.unwrap_or(&text.value)) {
                continue;
            }
            let place = self.place_in(text, problem.span.start as usize, problem.span.end as usize);
            let told = self.report.error(place, problem.code, problem.message);
            if let Some(hint) = problem.hint {
                told.hint(hint);
            }
        }
        None
    }

    /// The place in the file of a range of a text's bytes.
    pub(super) fn place_in(&self, text: &Text, start: usize, end: usize) -> Place {
        let map = TextMap::new(self.report.files.text(text.place));
        let (start, end) = map.range(&text.value, start, end);
        Place { file: text.place.file, start: text.place.start + start, end: text.place.start + end }
    }

    fn uses_broken_name(&self, text: &str) -> bool {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        text.split(|c| !is_part(c)).any(|word| self.broken.contains(word))
    }
}
