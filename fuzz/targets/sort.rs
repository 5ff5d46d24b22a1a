//! `sort=` of a list.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mainstay_fuzz::ask("sort", bytes));
