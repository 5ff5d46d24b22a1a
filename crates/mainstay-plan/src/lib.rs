//! The plain values between core and store: what to read, what to write. Nothing here knows a caller, SQL or an engine.
//!
//! A plan holds no values of the request: conditions name them as [`mainstay_expr::Node::Bound`], and they travel beside the
//! plan as a list of values. So a plan is the *shape* of a request, and two requests of one shape share a prepared statement.

mod change;
mod figure;
mod own;
mod query;
mod sum;
mod write;

pub use change::{Change, ChangeOp, Position};
pub use figure::{Aggregate, Figure, Group, GroupFigure, GroupKey, GroupOrder, PathValue, TimePart};
pub use own::{OwnFields, OwnRecords};
pub use query::{Count, LinkFigure, Nested, Order, Output, OutputValue, Query};
pub use sum::sum;
pub use write::{
    Answer, Create, Delete, FieldRule, Find, LinkChange, LinkCheck, LinkMode, Load, Matching, Note, Update, WritePlan,
};
