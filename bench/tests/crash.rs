//! The harness that kills must find what a server loses, and nothing when it loses nothing.
use std::{fs, path::PathBuf};

use mainstay_bench::crash::{Report, Setup, Violation, run};

async fn killed(fault: &str, times: u64, feed: bool) -> Report {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("fault"), fault).expect("a file");
    let mainstay = PathBuf::from(env!("CARGO_BIN_EXE_pretend"));
    let setup = Setup { mainstay, folder: folder.path().to_owned(), times, writers: 16, seed: 7, feed };
    run(&setup).await.expect("the harness runs to its end")
}

fn texts(report: &Report) -> Vec<&str> {
    report.violations.iter().map(|Violation(text)| text.as_str()).collect()
}

async fn finds(fault: &str, part: &str) {
    let report = killed(fault, 6, false).await;
    assert!(texts(&report).iter().any(|text| text.contains(part)), "{fault}: {}", report.text());
}

#[tokio::test(flavor = "current_thread")]
async fn a_server_that_keeps_everything_is_cleared() {
    let report = killed("", 6, false).await;
    assert_eq!(texts(&report), [""; 0]);
    assert_eq!(report.kills, 6);
    let counts = report.counts;
    let all = [counts.creates, counts.arrays, counts.patches, counts.deletes, counts.under_way];
    assert!(all.iter().all(|count| *count > 0), "{counts:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_change_feed_that_is_not_there_is_found() {
    assert_eq!(texts(&killed("", 1, true).await), ["there is no change feed"]);
}

#[tokio::test(flavor = "current_thread")]
async fn answers_before_the_commit_are_found() {
    finds("early answers", "is lost").await;
}

#[tokio::test(flavor = "current_thread")]
async fn arrays_in_pieces_are_found() {
    finds("torn arrays", "of 5 records are there").await;
}

#[tokio::test(flavor = "current_thread")]
async fn patches_in_halves_are_found() {
    finds("half patches", "its body belongs to another state").await;
}

#[tokio::test(flavor = "current_thread")]
async fn acting_twice_is_found() {
    finds("forgotten keys", "is there twice").await;
}

#[tokio::test(flavor = "current_thread")]
async fn losses_at_a_restart_are_found() {
    finds("forgetful start", "is lost").await;
}
