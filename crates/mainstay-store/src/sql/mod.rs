//! Plans to SQL: pure, for any engine that has a [`Dialect`].
//!
//! A [`query()`], [`group()`], [`create()`], [`update()`] or [`delete()`] gives statements with their binds, and says how their columns are
//! read. Conditions become SQL by two functions that call each other, `is_true` and `is_false` (`condition.rs`), so that no null
//! of SQL leaks into an answer.

mod cascade;
pub(crate) mod columns;
mod compare;
mod compute;
mod condition;
mod ddl;
mod dialect;
mod feed;
mod figure;
mod find;
mod keyset;
mod links;
mod look;
mod migration;
mod moving;
mod nested;
mod nodes;
mod noted;
mod notes;
mod once;
mod own;
mod path;
mod quantify;
mod query;
mod statement;
mod test;
#[cfg(test)]
pub(crate) mod tests;
mod value;
mod write;
mod writer;

pub use cascade::cascades;
pub use ddl::{bookkeeping, create_all, recall, remember};
pub use dialect::{Dialect, JsonMember};
pub(crate) use dialect::{literal, one_of};
pub(crate) use feed::FeedSql;
pub use feed::{make_feed, of_load};
pub use figure::group;
pub use find::{find, matching};
pub use migration::{
    Asked, Call, CallRows, Early, InPlace, InPlaceSql, InspectionSql, MigrationSql, create_in_place, in_place,
    migration,
};
pub(crate) use moving::{
    MovedTable, forget_moving, kept_sums, make_moving, moving_notes, note_moving, sql as plain, sql_names,
};
pub use nested::OBJECT_MEMBERS_MAX;
pub use nodes::make_nodes;
pub(crate) use nodes::widen_nodes;
pub use notes::{note, note_tables, noted_sources, noted_waiting};
pub use once::make_once;
pub(crate) use once::{OnceSql, TRIMMED_ONE_IN, number_anew};
pub use query::query;
pub use statement::{
    Bind, Cascade, Cell, ChangeSql, Clear, Column, ComputeSql, Computed, CreateSql, Decode, DeleteSql, Encode,
    FedDelete, FedLinks, FedList, FedUpdate, FedValues, FieldRuleSql, FindSql, Image, Incoming, InsertSql, Inserted,
    LinkRuleSql, LinkSql, LookSql, Member, ReadSql, Returning, Sql, Unlink, UpdateSql, Updated,
};
pub use write::{create, delete, load, update};
