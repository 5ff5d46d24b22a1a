//! The elected node is cut off from the database: another one is elected, and no two believe to be at a time.
use std::time::{Duration, Instant};

use reqwest::Client;

use super::{
    ATTEMPT, Report, Violation,
    relay::Way,
    site::{NODES, Site},
};
use crate::Outcome;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long it may take until a node is elected: many times what the nodes are set to.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a node says that believes to be elected.
const ELECTED: &str = "mainstay_node_leader 1";

/// Cuts the elected node off until another one is elected; its way is open again afterwards.
pub(super) async fn depose(site: &Site, report: &mut Report) -> Outcome<()> {
    // On new connections: a node ends those that rest, and that may be as it is asked.
    let client = &Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(ATTEMPT).build()?;
    let Some(old) = first_elected(site, client).await? else {
        report.violations.push(Violation(format!("no node was elected in {} s", PATIENCE.as_secs())));
        return Ok(());
    };
    site.way(old, Way::Silent);
    let cut = Instant::now();
    let violation = until_another(site, client, old).await;
    site.way(old, Way::Open);
    report.elected = report.elected.max(cut.elapsed());
    report.violations.extend(violation?);
    Ok(())
}

async fn until_another(site: &Site, client: &Client, old: usize) -> Outcome<Option<Violation>> {
    let cut = Instant::now();
    while cut.elapsed() < PATIENCE {
        let mut elected = Vec::with_capacity(NODES);
        for number in (0..NODES).filter(|number| *number != old) {
            if is_elected(site, client, number).await? {
                elected.push(number);
            }
        }
        if !elected.is_empty() {
            // Nothing elects it anew while it is cut off: if it believes so now, it did when the others were asked.
            if is_elected(site, client, old).await? {
                elected.push(old);
            }
            let text = || format!("the nodes {elected:?} believe to be elected at a time");
            return Ok((elected.len() > 1).then(|| Violation(text())));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let text = format!("node {old} was elected and cut off, and none took over in {} s", PATIENCE.as_secs());
    Ok(Some(Violation(text)))
}

async fn first_elected(site: &Site, client: &Client) -> Outcome<Option<usize>> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        for number in 0..NODES {
            if is_elected(site, client, number).await? {
                return Ok(Some(number));
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(None)
}

/// Whether a node believes to be elected.
async fn is_elected(site: &Site, client: &Client, number: usize) -> Outcome<bool> {
    let metrics = client.get(site.node_url(number, "/metrics")).send().await?.error_for_status()?.text().await?;
    Ok(metrics.lines().any(|line| line == ELECTED))
}
