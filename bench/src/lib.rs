//! Measures a server side by side with hand-written ones, and kills one again and again to see what it loses.
//!
//! The parts, from the wire up: [`http`] one connection, [`load`] many of them for some seconds, [`process`] a server
//! as the kernel sees it, [`postgres`] a database of the bench's own, [`sides`] the two servers, [`cases`] what is asked of
//! them, [`compare`] the interleaved rounds, [`run`] all of it for each engine and size, [`report`] the table. [`crash`] is
//! the harness that kills, [`chaos`] the one that breaks several nodes and their database.

pub mod bare;
pub mod cases;
pub mod chaos;
pub mod compare;
pub mod cpu;
pub mod crash;
pub mod histogram;
pub mod http;
pub mod load;
pub mod moment;
pub mod postgres;
pub mod process;
pub mod project;
pub mod random;
pub mod report;
pub mod requests;
pub mod run;
pub mod seed;
pub mod sides;

/// Why a measurement could not be made, in words for a terminal.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What everything here gives back.
pub type Outcome<T> = Result<T, Failure>;

/// Tells how far the work has come, on standard error, so that standard output holds the table alone.
pub fn say(text: &str) {
    use std::io::Write as _;
    // Nobody is helped by a bench that stops because nobody listens.
    let _ = writeln!(std::io::stderr(), "{text}");
}
