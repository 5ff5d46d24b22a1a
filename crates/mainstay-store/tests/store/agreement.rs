//! SQL is held to memory: whatever an expression means there, it means in the database.
//!
//! Random schemas, records, callers and expressions. `AGREEMENT_CASES` asks for more cases, `AGREEMENT_SEED` for others.
pub(crate) mod bytes;
mod case;
mod operands;
mod paths;
pub(crate) mod records;
pub(crate) mod schemas;
mod truths;
mod values;

use std::{cell::Cell, env};

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{RngSeed, TestRunner},
};

use self::case::{Input, Tally};

const CASES: u64 = 300;
const SEED: u64 = 1;

/// A number from the environment.
fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().unwrap())
}

prop_compose! {
    fn input()(
        schema in vec(any::<u8>(), 0..40),
        records in vec(any::<u8>(), 0..400),
        caller in vec(any::<u8>(), 0..16),
        guards in vec(vec(any::<u8>(), 0..40), 0..5),
        expressions in vec(vec(any::<u8>(), 0..120), 1..12),
    ) -> Input {
        Input { schema, records, caller, guards, expressions }
    }
}

#[test]
fn sql_means_what_memory_says() {
    let cases = u32::try_from(number("AGREEMENT_CASES", CASES)).unwrap();
    let rng_seed = RngSeed::Fixed(number("AGREEMENT_SEED", SEED));
    let config = ProptestConfig { cases, rng_seed, failure_persistence: None, ..ProptestConfig::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tally = Cell::new(Tally::default());
    let asked = TestRunner::new(config).run(&input(), |input| {
        let mut counted = tally.get();
        let outcome = runtime.block_on(case::run(&input, &mut counted));
        tally.set(counted);
        outcome.map_err(TestCaseError::fail)
    });
    if let Err(error) = asked {
        panic!("SQL and memory disagree: {error}");
    }
    let tally = tally.get();
    assert!(tally.refused * 20 < tally.expressions, "too many expressions do not compile: {tally:?}");
    assert!(tally.memory_only * 5 < tally.expressions, "too many expressions are not for SQL: {tally:?}");
    let verdicts = tally.trues + tally.falses + tally.errors;
    for kind in [tally.trues, tally.falses, tally.errors] {
        assert!(kind * 10 > verdicts, "one kind of outcome is rare: {tally:?}");
    }
}
