//! The promise: what was acknowledged is there, however the server ends.
use std::path::PathBuf;

use mainstay_bench::crash::{Setup, run};
use mainstay_test_db::sqlite_only;

/// How often the server is killed; by hand it is more often.
const KILLS: u64 = 100;

#[tokio::test(flavor = "current_thread")]
async fn no_acknowledged_write_is_missing_after_any_kill() {
    sqlite_only!("the harness reads its file");
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup {
        mainstay: PathBuf::from(env!("CARGO_BIN_EXE_mainstay")),
        folder: folder.path().to_owned(),
        times: KILLS,
        writers: 64,
        seed: 20_261_121,
        feed: true,
    };
    let report = run(&setup).await.expect("the harness runs to its end");
    assert!(report.violations.is_empty(), "{}", report.text());
    assert_eq!(report.kills, KILLS);
    let counts = report.counts;
    assert!(
        [counts.creates, counts.arrays, counts.patches, counts.deletes].iter().all(|count| *count > 0),
        "{counts:?}"
    );
}
