//! The core over a real database: who is refused, then what is answered.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod house;

mod creates;
mod deletes;
mod explains;
mod import_names;
mod import_random;
mod imports;
mod lists;
mod reads;
mod refusals;
mod rules;
mod updates;
