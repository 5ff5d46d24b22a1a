//! The vectors of Wycheproof for signed tokens. Their payloads are no claims: only the verify step is under test.
use serde_json::Value as JsonValue;

use super::set_settings;
use crate::{keys::Keys, token};

const VECTORS: &str = include_str!("../../tests/data/jws_hs256.json");

/// Vectors that contradict the specification or each other, with what we do instead: 372 and 373 call a foreign character in a
/// part valid, RFC 7515 does not; 367 and 370 are named for a padding that their text has lost, and are equal to the valid 357.
const DIFFERENT: [(u64, bool); 4] = [(367, true), (370, true), (372, false), (373, false)];

#[test]
fn every_vector_is_judged_as_it_should_be() {
    let vectors: JsonValue = serde_json::from_str(VECTORS).unwrap();
    let mut judged = 0;
    for group in vectors["testGroups"].as_array().unwrap() {
        let keys = Keys::new(&set_settings(&[group["private"].clone()])).unwrap();
        for test in group["tests"].as_array().unwrap() {
            let id = test["tcId"].as_u64().unwrap();
            let token = test["jws"].as_str().map_or_else(|| test["jws"].to_string(), str::to_owned);
            let different = DIFFERENT.iter().find(|(of, _)| *of == id);
            let expected = different.map_or(test["result"] == "valid", |(_, expected)| *expected);
            assert_eq!(token::verify(&token, &keys).is_ok(), expected, "{id}: {}", test["comment"]);
            judged += 1;
        }
    }
    assert_eq!(judged, 38);
}
