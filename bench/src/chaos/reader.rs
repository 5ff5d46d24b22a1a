//! Readers of the change feed, one at each node, while nodes and their database break: each gets every change once, and all get them in
//! one order.
use std::{
    cell::Cell,
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    rc::Rc,
    time::{Duration, Instant},
};

use reqwest::Client;
use serde_json::Value as Json;

use super::Violation;
use crate::Outcome;

/// How long a reader waits before it asks again.
const AGAIN: Duration = Duration::from_millis(50);
/// How long a reader may take to come to the end once nothing is written any more.
const PATIENCE: Duration = Duration::from_secs(60);

/// What one reader has got.
#[derive(Debug, Default)]
pub(super) struct Got {
    /// A word for each change, in the order in which they came.
    pub(super) changes: Vec<u64>,
    /// The version that each record has reached.
    versions: HashMap<String, u64>,
    pub(super) violations: Vec<Violation>,
}

/// Reads the feed of a node until so many changes have come, and asks once more: behind them there is none.
pub(super) async fn read(client: Client, url: String, token: String, wanted: Rc<Cell<Option<usize>>>) -> Got {
    let (mut got, mut after, mut ends) = (Got::default(), String::new(), None);
    loop {
        let wanted = wanted.get();
        let has_all = wanted.is_some_and(|wanted| got.changes.len() >= wanted);
        match ask(&client, &url, &token, &after).await {
            Ok((lines, position)) => {
                lines.lines().for_each(|line| got.take(line));
                after = position;
                if has_all && lines.is_empty() {
                    return got;
                }
            }
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
        if wanted.is_some() && Instant::now() >= *ends.get_or_insert_with(|| Instant::now() + PATIENCE) {
            return got;
        }
    }
}

async fn ask(client: &Client, url: &str, token: &str, after: &str) -> Outcome<(String, String)> {
    let mut request = client.get(url).bearer_auth(token).query(&[("limit", "1000"), ("wait", "1")]);
    if !after.is_empty() {
        request = request.query(&[("after", after)]);
    }
    let answer = request.send().await?.error_for_status()?;
    let position = answer.headers().get("mainstay-position").ok_or("no position")?.to_str()?.to_owned();
    Ok((answer.text().await?, position))
}

impl Got {
    fn take(&mut self, line: &str) {
        let mut word = DefaultHasher::new();
        line.hash(&mut word);
        self.changes.push(word.finish());
        let change: Json = serde_json::from_str(line).unwrap_or_default();
        let id = change["id"].as_str().unwrap_or_default().to_owned();
        let version = self.versions.entry(id).or_default();
        *version += 1;
        if change["version"].as_u64() != Some(*version) {
            self.violations.push(Violation(format!("the feed tells version {} next, in {line}", *version)));
        }
    }
}

/// Every reader has got every change, in the order of the first.
pub(super) fn judge(readers: &mut [Got], wanted: usize) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (number, got) in readers.iter_mut().enumerate() {
        violations.append(&mut got.violations);
        if got.changes.len() != wanted {
            let text = format!("reader {number} of the feed got {} of {wanted} changes", got.changes.len());
            violations.push(Violation(text));
        }
    }
    if let [first, others @ ..] = readers {
        let differs = |other: &&Got| other.changes != first.changes;
        violations
            .extend(others.iter().filter(differs).map(|_| Violation("two readers differ in the feed".to_owned())));
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn got(lines: &[&str]) -> Got {
        let mut got = Got::default();
        lines.iter().for_each(|line| got.take(line));
        got
    }

    #[test]
    fn what_is_missing_twice_or_in_another_order_is_told() {
        let [a1, a2, b1] = [("a", 1), ("a", 2), ("b", 1)].map(|(id, of)| format!(r#"{{"id":"{id}","version":{of}}}"#));
        let check = |one: &[&str], other: &[&str]| judge(&mut [got(one), got(other)], 3).len();
        assert_eq!(check(&[&a1, &a2, &b1], &[&a1, &a2, &b1]), 0);
        assert_eq!(check(&[&a1, &a2, &b1], &[&a1, &b1, &a2]), 1);
        assert_eq!(check(&[&a1, &a2], &[&a1, &a2]), 2);
        assert_eq!(check(&[&a2, &a1, &b1], &[&a2, &a1, &b1]), 4);
        assert_eq!(check(&[&a1, &a2, &a2], &[&a1, &a2, &a2]), 2);
    }
}
