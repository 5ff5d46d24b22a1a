//! Tells when the schema's files may have changed.
use std::{path::Path, time::Duration};

use notify::{Config, Event, PollWatcher, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use crate::{failure::Failure, project::Project};

/// How long it must be quiet before the files are looked at: editors write in several steps.
const QUIET: Duration = Duration::from_millis(60);

/// How often files are looked at where the system does not tell of changes.
const POLL: Duration = Duration::from_millis(500);

/// A watch over the schema's files.
pub(super) struct Watch {
    /// Ends with it.
    _watcher: Box<dyn Watcher + Send>,
    events: mpsc::Receiver<()>,
}

impl Watch {
    /// Watches the project's folder and its `schema/`. Where the system cannot, the files are looked at again and again.
    pub(super) fn start(project: &Project) -> Result<Watch, Failure> {
        let failure = |error: notify::Error| Failure::new("watch", format!("the schema cannot be watched: {error}"));
        // One waiting event says as much as many.
        let (sender, events) = mpsc::channel(1);
        let told = sender.clone();
        let recommended = RecommendedWatcher::new(handler(told), Config::default())
            .map(|watcher| Box::new(watcher) as Box<dyn Watcher + Send>)
            .and_then(|watcher| watch(watcher, project));
        let watcher = match recommended {
            Ok(watcher) => watcher,
            Err(error) => {
                tracing::warn!(%error, "the system does not tell of changes: looking at the files every 500 ms");
                let config = Config::default().with_poll_interval(POLL).with_compare_contents(true);
                let watcher = PollWatcher::new(handler(sender), config).map_err(failure)?;
                watch(Box::new(watcher), project).map_err(failure)?
            }
        };
        Ok(Watch { _watcher: watcher, events })
    }

    /// Waits for a change, and until it is quiet again.
    pub(super) async fn changed(&mut self) {
        if self.events.recv().await.is_none() {
            // The watcher is gone; nothing will change any more.
            std::future::pending::<()>().await;
        }
        while let Ok(Some(())) = tokio::time::timeout(QUIET, self.events.recv()).await {}
    }
}

/// Folders, not files: editors put a new file in the old one's place.
fn watch(mut watcher: Box<dyn Watcher + Send>, project: &Project) -> notify::Result<Box<dyn Watcher + Send>> {
    watcher.watch(&project.root, RecursiveMode::NonRecursive)?;
    let folder = project.root.join("schema");
    if folder.is_dir() {
        watcher.watch(&folder, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

fn handler(sender: mpsc::Sender<()>) -> impl FnMut(notify::Result<Event>) {
    move |event| {
        let schema = |path: &Path| path.extension().is_some_and(|extension| extension == "graphql");
        let of_schema = event.is_ok_and(|event| !event.kind.is_access() && event.paths.iter().any(|path| schema(path)));
        if of_schema {
            let _ = sender.try_send(());
        }
    }
}
