//! Expressions in the files: checked, with their errors where they stand.
use std::sync::Arc;

use mainstay_expr::{Compiled, Limits, Problem, Type, compile};

use super::{builder::Builder, files::Place, text_map::TextMap};
use crate::CollectionId;

/// Where a named expression is used: what is wrong inside of it is told of the first of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Used {
    /// In another one.
    InNamed,
    /// In any other expression.
    InExpression,
}

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
        match compile(&text.value, &self.schema.scope(this), want, limits) {
            Ok(compiled) => Some(Arc::new(compiled)),
            Err(problems) => {
                self.problems(text, problems, Used::InExpression);
                None
            }
        }
    }

    /// Checks an expression that others use by its name.
    pub(super) fn compile_named(
        &mut self,
        this: Option<CollectionId>,
        text: &Text,
        want: &Type,
    ) -> Option<Arc<Compiled>> {
        match compile(&text.value, &self.schema.scope(this), want, &Limits::default()) {
            Ok(compiled) => Some(Arc::new(compiled)),
            Err(problems) => {
                self.problems(text, problems, Used::InNamed);
                None
            }
        }
    }

    fn problems(&mut self, text: &Text, problems: Vec<Problem>, used: Used) {
        for problem in problems {
            let about = text.value.get(problem.span.start as usize..problem.span.end as usize);
            if self.uses_broken_name(about.unwrap_or(&text.value)) {
                continue;
            }
            let place = self.place_in(text, problem.span.start as usize, problem.span.end as usize);
            match problem.inlined {
                None => self.report.tell(place, problem),
                Some(_) => self.inlined.push((used, place, problem)),
            }
        }
    }

    /// Tells what is wrong inside of the named expressions that others use, unless it is told where they stand.
    pub(super) fn tell_inlined(&mut self) {
        let mut inlined = std::mem::take(&mut self.inlined);
        inlined.sort_by_key(|(used, ..)| *used);
        for (_, place, problem) in inlined {
            let bare = problem.inlined.as_deref().unwrap_or_default();
            if !self.report.told(bare) && !self.report.told(&problem.message) {
                self.report.tell(place, problem);
            }
        }
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
