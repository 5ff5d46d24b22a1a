//! What is told of an import: records that are wrong, how far it is, and what it did.
use super::{
    CollectionReport, Problem, Progress, Report,
    load::{Loading, Start},
    prepare::Ready,
    read::Raw,
};
use crate::{Error, FieldError};

impl Loading<'_> {
    /// What is wrong with a record, with its place.
    pub(super) fn problems(&self, part: usize, line: u64, at: u64, wrong: Vec<FieldError>) -> Vec<Problem> {
        let part = &self.parts[part];
        let collection = &self.core.schema().collection(part.collection).name;
        let place = match part.format {
            super::Format::Json => format!("{}/{at}", part.pointer),
            _ => String::new(),
        };
        let problem = |error: FieldError| Problem {
            source: self.sources[part.source].name.clone(),
            collection: collection.clone(),
            line: Some(line),
            pointer: format!("{place}{}", error.pointer),
            message: error.message,
            hint: error.hint,
        };
        wrong.into_iter().map(problem).collect()
    }

    /// Ends the import: nothing of the chunk is written.
    pub(super) fn refuse(&mut self, part: usize, rows: u64, problems: Vec<Problem>) {
        self.skipped[part] += rows;
        self.report.problems(problems);
    }

    /// Writes a bad record into the file for them; whether it is not there yet.
    pub(super) fn put_aside(
        &mut self,
        part: usize,
        problems: &[Problem],
        (at, key): (u64, Option<String>),
        record: &str,
    ) -> Result<bool, Error> {
        if let Some(bad) = &mut self.bad {
            bad.add(problems, record)?;
        }
        self.count_wrong(part, at, key.is_some());
        Ok(self.starts[part].put_aside(at, key))
    }

    /// Counts a record that is wrong, once for all of its links.
    pub(super) fn count_wrong(&mut self, part: usize, at: u64, is_written: bool) {
        if is_written && self.told.replace((part, at)) == Some((part, at)) {
            return;
        }
        self.report.bad += u64::from(self.bad.is_some());
        let counts = if is_written { &mut self.incomplete } else { &mut self.skipped };
        counts[part] += 1;
    }

    /// Puts the records aside that are not ready; without a file for them it tells what is wrong.
    pub(super) fn put_bad_aside(&mut self, part: usize, raws: &[Raw], readies: &[Ready]) -> Result<(), Error> {
        for (raw, ready) in raws.iter().zip(readies) {
            let Ready::Bad(wrong) = ready else { continue };
            let problems = self.problems(part, raw.line, raw.at, wrong.clone());
            if self.bad.is_some() {
                self.put_aside(part, &problems, (raw.at, self.repaired_key(part, raw.at)), &raw.shown())?;
            } else {
                self.report.problems(problems);
            }
        }
        Ok(())
    }

    /// Tells how far everything is.
    pub(super) fn tell(&mut self, part: usize) {
        let of =
            |start: &Start<'_>| start.state.created + start.state.updated - start.before.created - start.before.updated;
        let records = self.starts.iter().map(of).sum();
        let done: u64 = self.parts[..part].iter().map(|part| part.bytes).sum();
        let here = self.starts[part].state.position.saturating_sub(self.parts[part].start);
        let bytes_all = self.parts.iter().map(|part| part.bytes).sum();
        (self.progress)(Progress { records, bytes: done + here, bytes_all });
    }

    /// The report, in the order of the sources.
    pub(super) fn finish(mut self) -> Report {
        self.report.notes.extend(self.mapped.told());
        let mut order: Vec<usize> = (0..self.parts.len()).collect();
        order.sort_by_key(|at| (self.parts[*at].source, self.parts[*at].start));
        for at in order {
            let (part, start) = (&self.parts[at], &self.starts[at]);
            self.report.collections.push(CollectionReport {
                source: self.sources[part.source].name.clone(),
                collection: self.core.schema().collection(part.collection).name.clone(),
                created: start.state.created - start.before.created,
                updated: start.state.updated - start.before.updated,
                already: start.before.loaded(),
                skipped: self.skipped.get(at).copied().unwrap_or(0),
                incomplete: self.incomplete.get(at).copied().unwrap_or(0),
                links_left_out: start.state.links_left_out - start.before.links_left_out,
            });
        }
        self.report
    }
}
