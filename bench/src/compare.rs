//! Interleaved rounds of a case, and what they come to.
use std::time::Duration;

use serde::Serialize;

use crate::{
    Outcome,
    cases::{Case, Goal},
    load::{Pace, Round},
    say,
};

/// Between two rounds, so that the one side's last checkpoint does not fall into the other's time.
const PAUSE: Duration = Duration::from_millis(200);
/// From so many connections on the goals count.
const GOALS_FROM_CONNECTIONS: usize = 16;
/// The number of connections at which p99 is held against the base's.
const P99_CONNECTIONS: usize = 64;

/// How long and how often.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// The numbers of connections to try.
    pub connections: Vec<usize>,
    /// Rounds for each side.
    pub rounds: usize,
    /// Seconds of a round.
    pub seconds: f64,
    /// Seconds before they count.
    pub warm_up_seconds: f64,
    /// Where the random numbers begin.
    pub seed: u64,
}

/// One case at one number of connections.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// The engine.
    pub engine: &'static str,
    /// The case.
    pub case: String,
    /// Records in the table.
    pub rows: u64,
    /// Connections.
    pub connections: usize,
    /// Bytes of an answer of the base and of the subject.
    pub answer_bytes: [usize; 2],
    /// How near the subject must come.
    pub goal: Goal,
    /// The medians of the base.
    pub base: Figures,
    /// The medians of the subject.
    pub subject: Figures,
    /// The median of each pair's requests a second, subject by base.
    pub rate_ratio: f64,
    /// The median of each pair's processor time for a request, subject by base.
    pub cpu_ratio: f64,
    /// The median of each pair's processor time together with the database's, subject by base.
    pub total_ratio: f64,
    /// What of the goal was missed; none is a goal reached.
    pub missed: Vec<&'static str>,
    /// Every round, base and subject in turn.
    pub rounds: Vec<[Round; 2]>,
}

/// The medians of some rounds.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// Answers a second.
    pub requests_per_second: f64,
    /// Half of the answers came within so many microseconds.
    pub p50_us: f64,
    /// All but one in a hundred did.
    pub p99_us: f64,
    /// The server's time on a processor for each request.
    pub cpu_us: f64,
    /// What of it was in the kernel.
    pub kernel_us: f64,
    /// The database's own processes' time for each request.
    pub database_us: f64,
    /// The server's memory after a round.
    pub rss_mib: f64,
    /// Answers that were not 2xx, in all rounds together.
    pub errors: u64,
}

/// Runs a case at each number of connections, on an engine with so many records.
pub async fn compare(case: &Case, (engine, rows): (&'static str, u64), plan: &Plan) -> Outcome<Vec<Comparison>> {
    let answer_bytes = case.probe().await?;
    let mut comparisons = Vec::new();
    for &connections in &plan.connections {
        let mut rounds = Vec::new();
        for nth in 0..plan.rounds {
            let pace = Pace {
                connections,
                warm_up: Duration::from_secs_f64(plan.warm_up_seconds),
                measure: Duration::from_secs_f64(plan.seconds),
                seed: plan.seed.wrapping_add(nth as u64),
            };
            // Each goes first in its turn: whoever comes second finds a larger table and a warmer machine.
            let sides = if nth % 2 == 0 { [&case.base, &case.subject] } else { [&case.subject, &case.base] };
            let first = sides[0].round(pace).await?;
            tokio::time::sleep(PAUSE).await;
            let second = sides[1].round(pace).await?;
            tokio::time::sleep(PAUSE).await;
            rounds.push(if nth % 2 == 0 { [first, second] } else { [second, first] });
        }
        let comparison = Comparison::new(case, (engine, rows), connections, answer_bytes, rounds);
        say(&format!(
            "{engine}, {rows} rows, {}, c = {connections}: {:.0} of {:.0} req/s, {:.1} of {:.1} µs",
            comparison.case,
            comparison.subject.requests_per_second,
            comparison.base.requests_per_second,
            comparison.subject.cpu_us,
            comparison.base.cpu_us,
        ));
        comparisons.push(comparison);
    }
    Ok(comparisons)
}

impl Comparison {
    fn new(
        case: &Case,
        (engine, rows): (&'static str, u64),
        connections: usize,
        answer_bytes: [usize; 2],
        rounds: Vec<[Round; 2]>,
    ) -> Self {
        let ratio = |of: fn(&Round) -> f64| median(rounds.iter().map(|[base, subject]| of(subject) / of(base)));
        let mut comparison = Comparison {
            engine,
            case: case.name.clone(),
            rows,
            connections,
            answer_bytes,
            goal: case.goal,
            base: Figures::of(rounds.iter().map(|[base, _]| base)),
            subject: Figures::of(rounds.iter().map(|[_, subject]| subject)),
            rate_ratio: ratio(|round| round.requests_per_second),
            cpu_ratio: ratio(|round| round.server_cpu_us),
            total_ratio: ratio(|round| round.server_cpu_us + round.database_cpu_us),
            missed: Vec::new(),
            rounds,
        };
        comparison.missed = comparison.missed();
        comparison
    }

    /// Errors count at any number of connections, all else from 16 on.
    fn missed(&self) -> Vec<&'static str> {
        let counts = self.connections >= GOALS_FROM_CONNECTIONS;
        let p99 = self.goal.p99 && self.connections == P99_CONNECTIONS;
        let checks = [
            ("errors", self.base.errors + self.subject.errors > 0),
            ("rate", counts && self.goal.rate_min.is_some_and(|min| self.rate_ratio < min)),
            ("cpu", counts && self.goal.cpu_max.is_some_and(|max| self.cpu_ratio > max)),
            ("cpu µs", counts && self.goal.cpu_us_max.is_some_and(|max| self.subject.cpu_us > max)),
            ("total", counts && self.goal.total_max.is_some_and(|max| self.total_ratio > max)),
            ("p99", p99 && self.subject.p99_us > self.base.p99_us),
        ];
        checks.into_iter().filter(|(_, missed)| *missed).map(|(what, _)| what).collect()
    }
}

impl Figures {
    fn of<'a>(rounds: impl Iterator<Item = &'a Round> + Clone) -> Self {
        let middle = |of: fn(&Round) -> f64| median(rounds.clone().map(of));
        Figures {
            requests_per_second: middle(|round| round.requests_per_second),
            p50_us: middle(|round| round.p50_us),
            p99_us: middle(|round| round.p99_us),
            cpu_us: middle(|round| round.server_cpu_us),
            kernel_us: middle(|round| round.server_kernel_us),
            database_us: middle(|round| round.database_cpu_us),
            rss_mib: middle(|round| round.server_rss_kib as f64 / 1024.0),
            errors: rounds.clone().map(|round| round.errors).sum(),
        }
    }
}

/// The middle one, or the mean of the two in the middle; 0 of none.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_even_and_none() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
        assert_eq!(median(std::iter::empty()), 0.0);
    }
}
