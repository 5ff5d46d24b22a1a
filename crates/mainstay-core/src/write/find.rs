//! Look-ups by a unique as steps: those of one kind together, however many.
use mainstay_expr::{Value, own_fields_only};
use mainstay_schema::{CollectionId, FieldId};
use mainstay_store::{Source as StoreSource, Step, Task};

use super::{
    failure::{Meaning, Part},
    steps::Steps,
};
use crate::{
    Core, Error, Request,
    errors::from_store,
    expressions::RuleKind,
    plan::{
        Given, Origin,
        find::{FindAsk, FindKind, FindShape},
        rules::Gate,
    },
    record::{
        late::{By, Late, Slot, Source},
        new::NewRecord,
    },
    run::PreparedWrite,
};

/// Rows of a look-up that are compared with a new one, so that the same record is not looked up twice.
const COMPARED_ROWS_MAX: usize = 32;

/// Rows of one look-up by several values at most: their lists are read against each other.
const ROWS_OF_SEVERAL_MAX: usize = 64;

/// Look-ups that become one step.
struct Group {
    target: CollectionId,
    fields: Vec<FieldId>,
    needed: bool,
    rows: Vec<By>,
}

impl Group {
    fn takes(&self, by: &By) -> bool {
        let room = self.fields.len() == 1 || self.rows.len() < ROWS_OF_SEVERAL_MAX;
        room && self.target == by.target && self.needed == by.needed && self.fields == by.fields
    }

    /// The row of a look-up.
    fn row(&mut self, by: By) -> u32 {
        let first = self.rows.len().saturating_sub(COMPARED_ROWS_MAX);
        let same = |row: &By| row.values == by.values && row.late == by.late;
        let at = match self.rows[first..].iter().position(same) {
            Some(at) => first + at,
            None => {
                self.rows.push(by);
                self.rows.len() - 1
            }
        };
        at as u32
    }
}

/// Does something with each key that is not known yet.
type EachLate<'e> = dyn FnMut(&mut dyn FnMut(&mut Late)) + 'e;

/// Look-ups in the making: the first step that they will have.
pub(crate) struct Groups {
    base: u32,
    list: Vec<Group>,
}

impl Groups {
    /// Takes the look-up out of a key that is not known yet.
    fn take(&mut self, late: &mut Late) {
        let Source::By(by) = &mut late.source else { return };
        let empty = By { values: Vec::new(), fields: Vec::new(), late: Vec::new(), pointer: String::new(), ..**by };
        let by = std::mem::replace(&mut **by, empty);
        let at = self.list.iter().position(|group| group.takes(&by)).unwrap_or_else(|| {
            let fields = by.fields.clone();
            self.list.push(Group { target: by.target, fields, needed: by.needed, rows: Vec::new() });
            self.list.len() - 1
        });
        let row = self.list[at].row(by);
        late.source = Source::Step(StoreSource::Found(self.base + at as u32, row));
    }
}

impl Steps<'_> {
    /// Makes the look-ups of a record steps of their own, right here.
    pub(super) fn look_up(&mut self, late: &mut [Late], of: CollectionId) -> Result<(), Error> {
        for one in late.iter_mut() {
            if let Source::By(by) = &mut one.source
                && !by.late.is_empty()
            {
                self.settle(&mut by.late, of, super::steps::Around::default())?;
            }
        }
        let mut groups = Groups { base: self.next(), list: Vec::new() };
        late.iter_mut().for_each(|one| groups.take(one));
        self.find(groups, of)
    }

    /// Look-ups that may be made before everything else, since nothing that the write does can change what they find: the
    /// same ones of all its records are one step.
    pub(crate) fn first(
        &mut self,
        written: &[CollectionId],
        of: CollectionId,
        each: &mut EachLate<'_>,
    ) -> Result<(), Error> {
        let mut groups = Groups { base: self.next(), list: Vec::new() };
        let (core, request) = (self.core, self.request);
        let mut known: Vec<(CollectionId, bool)> = Vec::new();
        each(&mut |late| {
            let Source::By(by) = &late.source else { return };
            let target = by.target;
            let stays = match known.iter().find(|(of, _)| *of == target) {
                Some((_, stays)) => *stays,
                None => {
                    let stays = !written.contains(&target) && core.stays(request, target);
                    known.push((target, stays));
                    stays
                }
            };
            if stays && by.late.is_empty() {
                groups.take(late);
            }
        });
        self.find(groups, of)
    }

    /// The same of new records, where there are several.
    pub(crate) fn look_up_first(&mut self, of: CollectionId, records: &mut [NewRecord]) -> Result<(), Error> {
        let mut written = Vec::new();
        let mut looks = false;
        for record in records.iter_mut() {
            record.each(&mut |record| {
                looks |= record.late.iter().any(|late| matches!(late.source, Source::By(_)));
                if !written.contains(&record.collection) {
                    written.push(record.collection);
                }
            });
        }
        if !looks || records.len() < 2 {
            return Ok(());
        }
        self.first(&written, of, &mut |run| {
            let mut each = |record: &mut NewRecord| record.late.iter_mut().for_each(&mut *run);
            records.iter_mut().for_each(|record| record.each(&mut each));
        })
    }

    fn find(&mut self, groups: Groups, of: CollectionId) -> Result<(), Error> {
        for group in groups.list {
            let kind = if group.needed { FindKind::Needed } else { FindKind::Wanted };
            let task = self.core.find_task(self.request, kind, group.target, &group.fields, &group.rows)?;
            let place = |by: By| (by.pointer, group.target);
            let part = Part::Find(group.rows.into_iter().map(place).collect());
            self.push(Step::Run(task), Meaning::new(of, part, String::new()));
        }
        Ok(())
    }
}

impl Core {
    /// Whether what the caller may read of a collection does not depend on other records.
    fn stays(&self, request: &Request, of: CollectionId) -> bool {
        self.gate(request, (of, RuleKind::Read)).is_ok_and(|gate| match gate.gate() {
            Gate::Open | Gate::Shut => true,
            Gate::When(condition) => own_fields_only(condition),
        })
    }

    /// The statement that looks keys up, with the values of its rows.
    pub(super) fn find_task(
        &self,
        request: &Request,
        kind: FindKind,
        target: CollectionId,
        fields: &[FieldId],
        rows: &[By],
    ) -> Result<Task, Error> {
        let ask = FindAsk { collection: target, fields, kind };
        let kept = self.finds.shape(&ask, |shape| shape.fits(&ask), || Ok(FindShape::new(&self.schema, &ask)))?;
        let resolved = kept.shape.expressions.resolve(&self.schema, request, &[])?;
        let prepared = kept.plan(resolved.variant(&[]), |shape| {
            let (plan, origins) = shape.plan(&self.schema, &resolved);
            let statement = self.store.prepare_write(&self.schema, &plan).map_err(from_store)?;
            Ok(PreparedWrite { statement, origins })
        })?;
        let list = |at: usize| Value::List(rows.iter().map(|row| row.values[at].clone()).collect());
        let input: Vec<Value> = (0..fields.len()).map(list).collect();
        let given = Given { slots: &resolved.slots, input: &input, ..Given::default() };
        let mut late = Vec::new();
        for (row, by) in rows.iter().enumerate() {
            late.extend(by.late.iter().filter_map(|late| origin(fields, late, row)));
        }
        let late = Given::late(&prepared.origins, &late);
        Ok(Task { statement: prepared.statement.clone(), values: given.bind(&prepared.origins), late })
    }
}

/// Where a key goes that another step tells to a look-up.
fn origin(fields: &[FieldId], late: &Late, row: usize) -> Option<(Origin, Option<u32>, StoreSource)> {
    let (Slot::Field(field), Source::Step(source)) = (late.slot, &late.source) else { return None };
    let at = fields.iter().position(|of| *of == field)?;
    Some((Origin::Input(at as u16), Some(row as u32), *source))
}
