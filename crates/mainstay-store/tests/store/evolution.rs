//! Migrations are held to a model: random schemas with random records, changed at random, there and back.
//!
//! After each migration the tables are those of a fresh database, and the records are what the model says; a migration that
//! the model expects to be refused is, and leaves all as it was. `EVOLUTION_CASES` asks for more cases, `EVOLUTION_SEED` for
//! others.
mod case;
mod change;
mod kinds;
mod model;
mod predict;
mod records;

use std::{cell::Cell, env};

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{RngSeed, TestRunner},
};

use self::case::Tally;

const CASES: u64 = 40;
const SEED: u64 = 1;

/// A number from the environment.
fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn records_are_what_the_model_says() {
    let cases = u32::try_from(number("EVOLUTION_CASES", CASES)).unwrap();
    let rng_seed = RngSeed::Fixed(number("EVOLUTION_SEED", SEED));
    let config = ProptestConfig {
        cases,
        rng_seed,
        failure_persistence: None,
        max_shrink_iters: u32::try_from(number("EVOLUTION_SHRINK", 400)).unwrap(),
        ..ProptestConfig::default()
    };
    let tally = Cell::new(Tally::default());
    let input = (vec(any::<u8>(), 20..160), vec(any::<u8>(), 50..500), vec(vec(any::<u8>(), 8..60), 1..6));
    let asked = TestRunner::new(config).run(&input, |(schema, records, changes)| {
        let mut counted = tally.get();
        let outcome = case::run(&schema, &records, &changes, &mut counted);
        tally.set(counted);
        outcome.map_err(TestCaseError::fail)
    });
    if let Err(error) = asked {
        panic!("a migration did something else: {error}");
    }
    let tally = tally.get();
    assert!(tally.done * 3 > tally.migrations, "too few migrations are carried out: {tally:?}");
    assert!(tally.refused * 30 > tally.migrations, "too few migrations are refused: {tally:?}");
}
