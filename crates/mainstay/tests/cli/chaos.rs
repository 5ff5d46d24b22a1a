//! The promise of several nodes: what was acknowledged is there once, whatever breaks.
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use mainstay_bench::chaos::{Setup, run};
use mainstay_test_db::postgres_only;

/// How long things are broken; by hand it is longer.
const TIME: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "current_thread")]
async fn nodes_and_their_database_break_and_nothing_is_lost_or_done_twice() {
    postgres_only!("several nodes have one database");
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup {
        mainstay: PathBuf::from(env!("CARGO_BIN_EXE_mainstay")),
        nginx: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/nginx/nginx.conf"),
        folder: folder.path().to_owned(),
        time: TIME,
        writers: 16,
        seed: 20_261_121,
    };
    let report = run(&setup).await.expect("the harness runs to its end");
    assert!(report.violations.is_empty(), "{}", report.text());
    assert!(report.entries > 0 && report.batches > 0 && report.events.len() == 6, "{}", report.text());
}
