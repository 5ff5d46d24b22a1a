//! A thread of the engine's own, for what is asked of it by those who wait: migrations, notes, explanations.
use std::{pin::Pin, thread::JoinHandle};

use parking_lot::Mutex;
use tokio::{
    runtime::Builder,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::LocalSet,
};

use super::pool::closed;
use crate::StoreError;

/// Begins on the thread what goes on there.
type Job = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// The thread, with a runtime.
pub(super) struct Own {
    jobs: Mutex<Option<UnboundedSender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Own {
    pub(super) fn start() -> std::io::Result<Own> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (sender, mut jobs) = unbounded_channel::<Job>();
        let name = "mainstay-database".to_owned();
        let thread = std::thread::Builder::new().name(name).spawn(move || {
            let local = LocalSet::new();
            runtime.block_on(local.run_until(serve(&mut jobs)));
        })?;
        Ok(Own { jobs: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }

    /// Does something there; blocks until it is done.
    pub(super) fn run<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: AsyncFnOnce() -> T + Send + 'static,
    {
        let (answer, answered) = std::sync::mpsc::sync_channel(1);
        self.spawn(async move || {
            let _ = answer.send(work().await);
        })?;
        answered.recv().map_err(|_| closed())
    }

    /// Does something there that nobody waits for.
    pub(super) fn spawn<W>(&self, work: W) -> Result<(), StoreError>
    where
        W: AsyncFnOnce() + Send + 'static,
    {
        let job: Job = Box::new(move || Box::pin(async move { work().await }));
        match &*self.jobs.lock() {
            Some(jobs) => jobs.send(job).map_err(|_| closed()),
            None => Err(closed()),
        }
    }

    /// Ends the thread, and what runs there.
    pub(super) fn close(&self) {
        drop(self.jobs.lock().take());
        if let Some(thread) = self.thread.lock().take() {
            // A thread that panicked has nothing left to do.
            let _ = thread.join();
        }
    }
}

async fn serve(jobs: &mut UnboundedReceiver<Job>) {
    while let Some(job) = jobs.recv().await {
        drop(tokio::task::spawn_local(job()));
    }
}
