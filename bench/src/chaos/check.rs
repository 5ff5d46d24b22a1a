//! What is there in the end, held against what was acknowledged: each write once.
use std::{collections::BTreeMap, time::Duration};

use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::Value as Json;

use super::{Violation, writer::Acknowledged};
use crate::Outcome;

/// How often a page is asked for, and what is between two times.
const PAGE_TRIES_MAX: u32 = 20;
const AGAIN: Duration = Duration::from_millis(500);

/// Reads a whole collection, page by page.
pub(super) async fn all(client: &Client, url: &str, token: &str) -> Outcome<Vec<Json>> {
    let (mut items, mut after) = (Vec::new(), None::<String>);
    loop {
        let mut request = client.get(url).bearer_auth(token).query(&[("limit", "1000")]);
        if let Some(after) = &after {
            request = request.query(&[("after", after)]);
        }
        let page = page(request).await?;
        items.extend(page["items"].as_array().into_iter().flatten().cloned());
        match page["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => return Ok(items),
        }
    }
}

/// One page; it is asked for again where the machine is too busy to answer in time.
async fn page(request: RequestBuilder) -> Outcome<Json> {
    let mut tries = 1..PAGE_TRIES_MAX;
    loop {
        let request = request.try_clone().ok_or("a request without a body")?;
        let answer = async { request.send().await?.error_for_status()?.text().await };
        match answer.await {
            Ok(text) => return Ok(serde_json::from_str(&text)?),
            Err(error) if is_busy(&error) && tries.next().is_some() => tokio::time::sleep(AGAIN).await,
            Err(error) => return Err(error.into()),
        }
    }
}

fn is_busy(error: &reqwest::Error) -> bool {
    error.is_timeout() || error.status() == Some(StatusCode::SERVICE_UNAVAILABLE)
}

/// Each acknowledged entry is there once, and nothing else is.
pub(super) fn entries(found: &[Json], acknowledged: &[Acknowledged]) -> Vec<Violation> {
    let mut there: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    for entry in found {
        let number = |name: &str| entry[name].as_u64().unwrap_or(u64::MAX);
        *there.entry((number("writer"), number("number"))).or_default() += 1;
    }
    let mut violations = Vec::new();
    for of in acknowledged {
        for number in 0..of.entries {
            match there.remove(&(of.writer, number)) {
                Some(1) => {}
                Some(times) => violations.push(wrong(of.writer, number, &format!("is there {times} times"))),
                None => violations.push(wrong(of.writer, number, "was acknowledged and is lost")),
            }
        }
    }
    violations.extend(there.keys().map(|(writer, number)| wrong(*writer, *number, "was never acknowledged")));
    violations
}

fn wrong(writer: u64, number: u64, text: &str) -> Violation {
    Violation(format!("entry {number} of writer {writer} {text}"))
}

/// Each account is there, and was counted up as often as that was acknowledged.
pub(super) fn accounts(found: &[Json], keys: &[String], acknowledged: &[Acknowledged]) -> Vec<Violation> {
    let wrong = keys.iter().enumerate().filter_map(|(at, key)| {
        let counted: u64 = acknowledged.iter().map(|of| of.counted[at]).sum();
        let Some(account) = found.iter().find(|account| account["id"] == key.as_str()) else {
            return Some(Violation(format!("account {at} is gone, acknowledged were {counted}")));
        };
        let counter = &account["counter"];
        let text = || format!("account {at} says {counter}, acknowledged were {counted}");
        (counter.as_u64() != Some(counted)).then(|| Violation(text()))
    });
    wrong.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn acknowledged(entries: u64) -> Vec<Acknowledged> {
        vec![Acknowledged { writer: 1, entries, counted: vec![2], ..Acknowledged::default() }]
    }

    #[test]
    fn what_is_lost_twice_or_unasked_for_is_told() {
        let entry = |number: u64| json!({ "writer": 1, "number": number });
        assert_eq!(entries(&[entry(0), entry(1)], &acknowledged(2)), []);
        for (found, text) in [
            (vec![entry(0)], "entry 1 of writer 1 was acknowledged and is lost"),
            (vec![entry(0), entry(1), entry(1)], "entry 1 of writer 1 is there 2 times"),
            (vec![entry(0), entry(1), entry(2)], "entry 2 of writer 1 was never acknowledged"),
        ] {
            assert_eq!(entries(&found, &acknowledged(2)), [Violation(text.to_owned())]);
        }
        let check = |found: Json, text: Option<&str>| {
            let expected: Vec<Violation> = text.iter().map(|text| Violation((*text).to_owned())).collect();
            assert_eq!(accounts(&[found], &["a".to_owned()], &acknowledged(0)), expected);
        };
        check(json!({ "id": "a", "counter": 2 }), None);
        check(json!({ "id": "a", "counter": 3 }), Some("account 0 says 3, acknowledged were 2"));
        check(json!({ "id": "a", "counter": null }), Some("account 0 says null, acknowledged were 2"));
        check(json!({ "id": "b", "counter": 2 }), Some("account 0 is gone, acknowledged were 2"));
    }
}
