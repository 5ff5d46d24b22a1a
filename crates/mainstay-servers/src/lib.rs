//! Private servers from Debian's packages, for tests and benches: on free ports, in folders of their own, stopped with the value.
mod pgbouncer;
mod postgres;

pub use pgbouncer::{Pgbouncer, has_pgbouncer};
pub use postgres::{Keeps, Postgres, Stop, is_installed};
