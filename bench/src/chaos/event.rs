//! What is broken, in which order, and how it is mended.
use std::time::Duration;

use mainstay_servers::Stop;

use super::{Report, calm::Calm, election, relay::Way, site::Site};
use crate::Outcome;

/// What is broken.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    Stop,
    Kill,
    Cut(Way),
    /// The elected node, for as long as it takes until another one is.
    Depose,
    Restart(Stop),
}

/// One after the other, again and again; each kind is among the first.
pub(super) const EVENTS: [Event; 9] = [
    Event::Stop,
    Event::Kill,
    Event::Restart(Stop::Fast),
    Event::Cut(Way::Broken),
    Event::Depose,
    Event::Restart(Stop::Immediate),
    Event::Cut(Way::Silent),
    Event::Stop,
    Event::Kill,
];

impl Event {
    pub(super) fn name(self) -> &'static str {
        match self {
            Event::Stop => "a node stopped",
            Event::Kill => "a node killed",
            Event::Cut(Way::Silent) => "a node's way to the database silent",
            Event::Cut(_) => "a node's way to the database broken",
            Event::Depose => "the elected node's way to the database silent",
            Event::Restart(Stop::Fast) => "the database restarted",
            Event::Restart(Stop::Immediate) => "the database crashed",
        }
    }

    /// How long it lasts, in milliseconds, at least and at most: a cut often longer than any statement may take, and than a node may
    /// give no sign of life.
    pub(super) fn lasts_ms(self) -> (u64, u64) {
        match self {
            Event::Cut(_) => (200, 6_000),
            _ => (200, 3_000),
        }
    }

    /// Breaks it, mends it, and waits until everything is ready again.
    pub(super) async fn happen(
        self,
        site: &mut Site,
        (node, lasts): (usize, Duration),
        (calms, report): (&mut Vec<Calm>, &mut Report),
    ) -> Outcome<()> {
        if let (Event::Stop, Some(calm)) = (self, calms.last_mut()) {
            calm.stop();
            site.stop(node).await?;
            tokio::time::sleep(lasts).await;
            site.begin(node).await?;
            report.mended = report.mended.max(site.all_ready().await?);
            return Ok(());
        }
        calms.last_mut().into_iter().for_each(Calm::end);
        match self {
            Event::Stop => {}
            Event::Kill => {
                site.kill(node)?;
                tokio::time::sleep(lasts).await;
                site.begin(node).await?;
            }
            Event::Cut(way) => {
                site.way(node, way);
                tokio::time::sleep(lasts).await;
                site.way(node, Way::Open);
            }
            Event::Depose => election::depose(site, report).await?,
            Event::Restart(how) => site.restart_database(how, lasts).await?,
        }
        report.mended = report.mended.max(site.all_ready().await?);
        calms.push(Calm::begin());
        Ok(())
    }
}
