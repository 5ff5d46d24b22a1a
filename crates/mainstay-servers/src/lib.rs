//! Private servers from Debian's packages, for tests and benches: on free ports, in folders of their own, stopped with the value.
mod postgres;

pub use postgres::{Postgres, Stop, is_installed};
