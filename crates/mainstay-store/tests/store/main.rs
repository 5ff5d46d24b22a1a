//! The store as the core sees it, on a real database file.
#![expect(clippy::unwrap_used, reason = "a test that meets something unexpected ends")]

mod again;
mod agreement;
mod alike;
mod borders;
mod cascades;
mod creates;
mod dropped;
mod evolution;
mod groups;
mod half_open;
mod indexes;
mod migrations;
mod moving;
mod nodes;
mod opening;
mod plans;
mod reads;
mod updates;
mod world;
