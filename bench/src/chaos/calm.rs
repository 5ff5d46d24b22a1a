//! Times in which nothing was broken, and who was refused then. A node that stops gracefully breaks nothing: its stop, its absence and
//! its start belong to such a time.
use std::time::Instant;

use super::Violation;

/// What is no refusal: a node that serves answers so when the writes of others got in the way each time it tried, or were waited for too
/// long (here 3 s), as often with a stop as without one. Nothing of it was done, and `Retry-After` says when to come again.
const OF_OTHERS: [&str; 2] = ["503 write_conflict", "503 timed_out"];
/// Of so many writes one may be told so: all writers meet in a few accounts, and the machine may be busy.
const OF_OTHERS_ONE_IN: usize = 200;
/// So often may every writer be told so beside: a disk that stands still for a while holds all of them up at once.
const STANDSTILLS_MAX: usize = 4;

/// An attempt of a writer that came to nothing.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// When it was sent.
    pub(super) sent: Instant,
    /// When it was told.
    pub(super) told: Instant,
    /// What was told.
    pub(super) why: String,
}

/// A time in which everything was ready, but for nodes that stopped gracefully.
#[derive(Clone, Debug)]
pub(super) struct Calm {
    since: Instant,
    until: Option<Instant>,
    /// When nodes were asked to stop.
    stops: Vec<Instant>,
}

impl Calm {
    /// It begins.
    pub(super) fn begin() -> Calm {
        Calm { since: Instant::now(), until: None, stops: Vec::new() }
    }

    /// A node is asked to stop.
    pub(super) fn stop(&mut self) {
        self.stops.push(Instant::now());
    }

    /// Something is about to be broken.
    pub(super) fn end(&mut self) {
        self.until = Some(Instant::now());
    }

    /// Whether an attempt was made in this time from its sending to what was told.
    fn holds(&self, failure: &Failure) -> bool {
        failure.sent >= self.since && self.until.is_none_or(|until| failure.told < until)
    }

    fn refused(&self, failure: &Failure) -> Violation {
        let stop = self.stops.iter().rev().find(|stop| **stop <= failure.told);
        let (moment, what) = match stop {
            Some(stop) => (stop, "a graceful stop had begun"),
            None => (&self.since, "everything was ready"),
        };
        Violation(format!("{} ms after {what}: {}", (failure.told - *moment).as_millis(), failure.why))
    }
}

/// Attempts that came to nothing though nothing was broken; too many where others were in the way. To be asked once all writers have
/// ended, with their number and that of their writes: one that is told of its failure while a node comes back was refused as well.
pub(super) fn refused(failures: &[Failure], calms: &[Calm], (writers, writes): (usize, usize)) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut of_others = 0;
    for failure in failures {
        let Some(calm) = calms.iter().find(|calm| calm.holds(failure)) else { continue };
        if OF_OTHERS.contains(&failure.why.as_str()) {
            of_others += 1;
        } else {
            violations.push(calm.refused(failure));
        }
    }
    if of_others > writes / OF_OTHERS_ONE_IN + writers * STANDSTILLS_MAX {
        violations.push(Violation(format!("{of_others} of {writes} writes were told that others were in the way")));
    }
    violations
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_is_refused_while_nothing_is_broken_is_told() {
        let zero = Instant::now();
        let at = |ms: u64| zero + Duration::from_millis(ms);
        let calms = [
            Calm { since: at(100), until: Some(at(900)), stops: vec![at(300)] },
            Calm { since: at(2_000), until: None, stops: Vec::new() },
        ];
        let check = |sent: u64, told: u64, expected: Option<&str>| {
            let failure = Failure { sent: at(sent), told: at(told), why: "502".to_owned() };
            let expected: Vec<Violation> = expected.iter().map(|text| Violation((*text).to_owned())).collect();
            assert_eq!(refused(&[failure], &calms, (1, 0)), expected, "{sent} to {told}");
        };
        check(150, 200, Some("100 ms after everything was ready: 502"));
        check(250, 310, Some("10 ms after a graceful stop had begun: 502"));
        // The node is away, or comes back.
        check(800, 850, Some("550 ms after a graceful stop had begun: 502"));
        check(2_500, 9_000, Some("7000 ms after everything was ready: 502"));
        // What was broken before or after may have had a part in it.
        check(50, 310, None);
        check(850, 900, None);
        check(1_000, 2_500, None);
        let told = |times: usize, sent: u64| {
            let of_others = Failure { sent: at(sent), told: at(sent + 50), why: OF_OTHERS[0].to_owned() };
            refused(&vec![of_others; times], &calms, (1, 1_000))
        };
        assert_eq!((told(9, 150), told(10, 50)), (Vec::new(), Vec::new()));
        let too_many = "10 of 1000 writes were told that others were in the way";
        assert_eq!(told(10, 150), [Violation(too_many.to_owned())]);
    }
}
