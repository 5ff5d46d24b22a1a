//! Bodies of `POST /api/query`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mainstay_fuzz::post("/api/query", bytes));
