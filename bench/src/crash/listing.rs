//! What is there after a crash, read page by page through the API.
use std::net::SocketAddr;

use serde::Deserialize;

use crate::{
    Outcome,
    http::{Connection, percent_encode, request},
};

const PAGE: u32 = 1_000;

/// A record as the API gives it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Found {
    pub(super) id: String,
    pub(super) version: i64,
    pub(super) run: u64,
    pub(super) writer: u64,
    pub(super) seq: u64,
    pub(super) counter: u64,
    pub(super) body: String,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Found>,
    next: Option<String>,
}

/// The records of one run.
pub(super) async fn of_run(address: SocketAddr, run: u64) -> Outcome<Vec<Found>> {
    pages(address, &format!("&filter={}", percent_encode(&format!("run == {run}")))).await
}

/// The records of all runs.
pub(super) async fn of_all(address: SocketAddr) -> Outcome<Vec<Found>> {
    pages(address, "").await
}

async fn pages(address: SocketAddr, filter: &str) -> Outcome<Vec<Found>> {
    let mut connection = Connection::open(address).await?;
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/entries?limit={PAGE}{filter}{after}");
        let answer = connection.exchange(request("GET", &path, None, "").as_bytes()).await?;
        if answer.status != 200 {
            let body = String::from_utf8_lossy(answer.body);
            return Err(format!("GET {path} is answered with {}: {body}", answer.status).into());
        }
        let page: Page = serde_json::from_slice(answer.body)?;
        found.extend(page.items);
        match page.next {
            Some(cursor) => after = format!("&after={}", percent_encode(&cursor)),
            None => return Ok(found),
        }
    }
}
