//! The promise of several nodes: what was acknowledged is there once, whatever breaks.
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use mainstay_bench::chaos::{Report, Setup, Violation, run};
use mainstay_test_db::postgres_only;

/// How long things are broken; by hand it is longer.
const TIME: Duration = Duration::from_secs(60);
/// Enough for the first thing that happens: a node is stopped.
const A_STOP: Duration = Duration::from_secs(1);
/// Things that are broken.
const EVENTS: usize = 7;

async fn broken(time: Duration, sabotage: bool) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup {
        mainstay: PathBuf::from(env!("CARGO_BIN_EXE_mainstay")),
        nginx: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/nginx/nginx.conf"),
        folder: folder.path().to_owned(),
        time,
        writers: 16,
        seed: 20_261_121,
        sabotage,
    };
    run(&setup).await.expect("the harness runs to its end")
}

#[tokio::test(flavor = "current_thread")]
async fn nodes_and_their_database_break_and_nothing_is_lost_or_done_twice() {
    postgres_only!("several nodes have one database");
    let report = broken(TIME, false).await;
    assert!(report.violations.is_empty(), "{}", report.text());
    assert!(report.entries > 0 && report.batches > 0 && report.events.len() == EVENTS, "{}", report.text());
}

#[tokio::test(flavor = "current_thread")]
async fn chaos_in_front_of_a_database_that_is_not_to_be_trusted_is_noticed() {
    postgres_only!("several nodes have one database");
    let report = broken(A_STOP, true).await;
    for text in [
        "was acknowledged and is lost",
        "is there 2 times",
        "was never acknowledged",
        "account 0 says",
        "account 1 is gone",
        "the feed tells version",
        "reader 2 of the feed got",
        "ms after a graceful stop had begun: 502",
    ] {
        let is_told = report.violations.iter().any(|Violation(violation)| violation.contains(text));
        assert!(is_told, "{text}:\n{}", report.text());
    }
}
