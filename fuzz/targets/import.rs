//! Files that are imported: CSV, NDJSON and JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mainstay_fuzz::import(bytes));
