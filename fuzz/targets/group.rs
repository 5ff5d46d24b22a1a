//! `group=` and `select=` of a list, with a line between them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mainstay_fuzz::group(bytes));
