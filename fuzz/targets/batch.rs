//! Bodies of batches.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mainstay_fuzz::post("/api/batch", bytes));
