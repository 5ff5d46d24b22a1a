//! A write as a value: an ordered list of steps that is carried out in one transaction, and can be carried out again.
use std::{borrow::Cow, sync::Arc};

use mainstay_expr::Value;

use crate::{ReadStatement, WriteStatement, Written};

/// A write: its steps, and who wants it.
#[derive(Clone, Debug, Default)]
pub struct Write {
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// Who wants it.
    pub author: Author,
}

/// Who writes, as the change feed tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Author {
    /// The caller's id; `None`: nobody that is known.
    pub caller: Option<Arc<str>>,
    /// The id of the request.
    pub request: Option<Arc<str>>,
}

impl From<Vec<Step>> for Write {
    /// Nobody's.
    fn from(steps: Vec<Step>) -> Write {
        Write { steps, author: Author::default() }
    }
}

/// One step of a transaction. Nothing in it is used up.
#[derive(Clone, Debug)]
pub enum Step {
    /// Writes a record, or looks keys up.
    Run(Task),
    /// Reads the record that an earlier step wrote, as it has become.
    Read(ReadTask),
    /// Writes the record that has some values, or makes one.
    Upsert(Box<Upsert>),
    /// Writes all records that match.
    Each(Box<Each>),
}

/// A statement and its values.
#[derive(Clone, Debug)]
pub struct Task {
    /// What to do.
    pub statement: Arc<WriteStatement>,
    /// The bound values.
    pub values: Vec<Value>,
    /// Those among them that only an earlier step tells; empty in most writes.
    pub late: Vec<LateValue>,
}

/// Reads one record for the answer.
#[derive(Clone, Debug)]
pub struct ReadTask {
    /// The read.
    pub statement: Arc<ReadStatement>,
    /// The bound values.
    pub values: Vec<Value>,
    /// Those among them that only an earlier step tells.
    pub late: Vec<LateValue>,
    /// The step that wrote the record: its key and version are the answer where the record may not be read.
    pub of: usize,
}

/// Either of two writes, as it turns out.
#[derive(Clone, Debug)]
pub struct Upsert {
    /// Looks for one key by the values of a unique, whoever asks.
    pub find: Task,
    /// What is done where there is none; `None`: it cannot be done.
    pub create: Option<Task>,
    /// What is done where there is one; `None`: it cannot be done.
    pub update: Option<Task>,
    /// Looks for the same key for the caller, where the update cannot be done: whether they may know of the record.
    pub seen: Option<Task>,
}

/// The same write of each of some records, in the order of their keys.
#[derive(Clone, Debug)]
pub struct Each {
    /// Finds their keys.
    pub find: Task,
    /// What is done with each; its key is [`Source::Each`].
    pub write: Task,
}

/// A value that an earlier step of the same transaction tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LateValue {
    /// Which of the bound values.
    pub value: u16,
    /// Which element of it, where it is a list.
    pub element: Option<u32>,
    /// Whose key it is.
    pub source: Source,
}

/// Where a key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The record of this step.
    Record(u32),
    /// The n-th key that the look-up in this step found.
    Found(u32, u32),
    /// The record at which an [`Each`] is.
    Each,
}

impl Task {
    /// A task all of whose values are known.
    pub fn new(statement: Arc<WriteStatement>, values: Vec<Value>) -> Task {
        Task { statement, values, late: Vec::new() }
    }
}

impl Step {
    /// A step of one statement all of whose values are known.
    pub fn run(statement: Arc<WriteStatement>, values: Vec<Value>) -> Step {
        Step::Run(Task::new(statement, values))
    }

    /// The statement that it begins with, where it writes.
    pub(crate) fn statement(&self) -> Option<&Arc<WriteStatement>> {
        match self {
            Step::Run(task) => Some(&task.statement),
            Step::Upsert(upsert) => Some(&upsert.find.statement),
            Step::Each(each) => Some(&each.find.statement),
            Step::Read(_) => None,
        }
    }
}

impl Source {
    /// The key, where the step is done.
    fn key(self, done: &[Written]) -> Value {
        let of = |step: u32| done.get(step as usize).map(|written| &written.key);
        let key = match self {
            Source::Record(step) => of(step),
            Source::Found(step, at) => match of(step) {
                Some(Value::List(keys)) => keys.get(at as usize),
                _ => None,
            },
            Source::Each => None,
        };
        key.cloned().unwrap_or(Value::Null)
    }
}

/// The values of a step, once the earlier ones are done.
pub(crate) fn complete<'a>(values: &'a [Value], late: &[LateValue], done: &[Written]) -> Cow<'a, [Value]> {
    if late.is_empty() {
        return Cow::Borrowed(values);
    }
    let mut values = values.to_vec();
    let mut elements: Vec<&LateValue> = Vec::new();
    for one in late {
        match one.element {
            Some(_) => elements.push(one),
            None => {
                if let Some(value) = values.get_mut(usize::from(one.value)) {
                    *value = one.source.key(done);
                }
            }
        }
    }
    elements.sort_by_key(|one| one.value);
    for same in elements.chunk_by(|a, b| a.value == b.value) {
        let Some(Value::List(items)) = values.get(usize::from(same[0].value)) else { continue };
        let mut items = items.to_vec();
        for one in same {
            let at = one.element.unwrap_or_default() as usize;
            if let Some(item) = items.get_mut(at) {
                *item = one.source.key(done);
            }
        }
        values[usize::from(same[0].value)] = Value::List(items.into());
    }
    Cow::Owned(values)
}
