//! Plans run: the only stage that waits.
mod batch;
mod create;
mod delete;
mod group;
mod load;
mod matching;
mod read;
mod update;

pub(crate) use create::Wanted;
pub(crate) use update::{NOT_IN_FILES, change};

use std::sync::Arc;

use mainstay_store::{ReadStatement, WriteStatement};

pub(crate) use read::cursor_context;

use crate::{plan::Origin, record::json::RecordWriter};

/// A read that is ready to run with the values of a request.
pub(crate) struct PreparedRead {
    pub(crate) statement: Arc<ReadStatement>,
    pub(crate) origins: Vec<Origin>,
}

/// A change or delete that is ready to run with the values of a request.
pub(crate) struct PreparedWrite {
    pub(crate) statement: Arc<WriteStatement>,
    pub(crate) origins: Vec<Origin>,
}

/// A create that is ready to run with the values of a request.
pub(crate) struct PreparedCreate {
    pub(crate) statement: Arc<WriteStatement>,
    pub(crate) origins: Vec<Origin>,
    /// Writes the answer, where it is made from the values that were written.
    pub(crate) writer: Option<RecordWriter>,
    /// Whether it answers own stored fields only.
    pub(crate) own: bool,
}
