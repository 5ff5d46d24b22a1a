//! Connections: accepted up to a limit, kept alive, stopped gracefully.
use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::AsyncWrite as _,
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};

use crate::{
    app::App,
    service::Connection,
    settings::{HEADERS_MAX_DEFAULT, HttpSettings},
    stall::Stalling,
};

/// How long accepting rests after the system refused a connection: most often it has no file descriptors left.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// How long a connection that is closed still reads what its client sends, and how much.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES_MAX: usize = 1024 * 1024;

/// How long a connection may still be asked on when the server stops: one that was just made, or one of a proxy that was given a
/// delay to turn away. Whoever is at its other end does not know yet.
const LAST_REQUEST: Duration = Duration::from_secs(1);

/// Where the server is in its life; a connection looks at it between requests.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Answers.
    Running,
    /// Finishes the requests that run and closes each connection after.
    Draining,
    /// Closes whatever is left.
    Closing,
}

/// Answers requests until `stop` is done and the drain delay is over; then accepts no more, lets running requests finish within
/// the drain time, and closes the rest. Returns how many connections had to be closed while they were answering.
pub async fn serve(listener: TcpListener, app: Arc<App>, stop: impl Future<Output = ()>) -> usize {
    let settings = app.settings();
    let connections_max = u32::try_from(settings.connections_max.clamp(1, Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
    let room = Arc::new(Semaphore::new(connections_max as usize));
    let (phase, watched) = watch::channel(Phase::Running);
    let builder = builder(settings);
    let stop = async {
        stop.await;
        app.leave();
        tokio::time::sleep(settings.drain_delay).await;
    };
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accept(&listener, &room) => accepted,
        };
        if let Some((stream, address, permit)) = accepted {
            tokio::spawn(connection(builder.clone(), app.clone(), stream, address, permit, watched.clone()));
        }
    }
    // Whoever the system has let in already is answered.
    for (stream, address, permit) in let_in(listener, &room) {
        tokio::spawn(connection(builder.clone(), app.clone(), stream, address, permit, watched.clone()));
    }
    let _ = phase.send(Phase::Draining);
    let all_closed = room.acquire_many(connections_max);
    if tokio::time::timeout(settings.drain_timeout, all_closed).await.is_ok() {
        return 0;
    }
    let left = connections_max as usize - room.available_permits();
    tracing::warn!(connections = left, "closing connections that did not finish in time");
    let _ = phase.send(Phase::Closing);
    let _ = room.acquire_many(connections_max).await;
    left
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = room.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, address)) => Some((stream, address, permit)),
        Err(error) => {
            if !is_of_client(&error) {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_REST).await;
            }
            None
        }
    }
}

/// The connections that wait to be taken when the listener ends. The system itself is asked for them: on a busy machine the runtime has
/// not heard of all, and who is not taken is sent away though it may have sent its request.
fn let_in(listener: TcpListener, room: &Arc<Semaphore>) -> Vec<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    let mut waiting = Vec::new();
    while let Ok(permit) = room.clone().try_acquire_owned() {
        match listener.accept() {
            Ok((stream, address)) => {
                let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
                waiting.extend(stream.ok().map(|stream| (stream, address, permit)));
            }
            Err(error) if is_of_client(&error) => {}
            // Nobody waits any more.
            Err(_) => break,
        }
    }
    waiting
}

/// Whether a connection ended before it was taken.
fn is_of_client(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

fn builder(settings: &HttpSettings) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_timeout)
        .max_header_size(settings.header_bytes_max);
    // Any other number costs an allocation per request.
    if settings.headers_max != HEADERS_MAX_DEFAULT {
        builder.max_headers(settings.headers_max);
    }
    builder
}

async fn connection(
    builder: http1::Builder,
    app: Arc<App>,
    mut stream: TcpStream,
    address: SocketAddr,
    _permit: OwnedSemaphorePermit,
    mut phase: watch::Receiver<Phase>,
) {
    let _open = Open::new(app.clone());
    let _ = stream.set_nodelay(true);
    let shared = Arc::new(Connection::new(app, address.ip().to_canonical()));
    let answered = answer(&builder, &mut stream, shared, &mut phase).await;
    let more_may_come = match &answered {
        Ok(()) => true,
        Err(error) => error.is_parse(),
    };
    if more_may_come && *phase.borrow() == Phase::Running {
        let _ = tokio::time::timeout(LINGER, linger(stream)).await;
    }
    if let Err(error) = answered {
        tracing::debug!(%error, "a connection ended");
    }
}

/// Answers the requests of one connection until it ends.
async fn answer(
    builder: &http1::Builder,
    stream: &mut TcpStream,
    shared: Arc<Connection>,
    phase: &mut watch::Receiver<Phase>,
) -> hyper::Result<()> {
    let stream = Stalling::new(stream, shared.app.settings().answer_timeout);
    let connection = shared.clone();
    let service = service_fn(move |request| {
        let shared = connection.clone();
        async move { Ok::<_, Infallible>(shared.answer(request).await) }
    });
    let mut served = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let undisturbed = tokio::select! {
        biased;
        result = &mut served => Some(result),
        () = left(phase, Phase::Running) => None,
    };
    if let Some(result) = undisturbed {
        return result;
    }
    let may_be_asked = !shared.was_asked() || !shared.app.settings().drain_delay.is_zero();
    if may_be_asked && let Ok(result) = tokio::time::timeout(LAST_REQUEST, &mut served).await {
        return result;
    }
    served.as_mut().graceful_shutdown();
    tokio::select! {
        biased;
        result = &mut served => result,
        () = left(phase, Phase::Draining) => Ok(()),
    }
}

/// Says that nothing more will come, and reads on to nowhere: to close while the client still sends would take the last answer
/// away from it.
async fn linger(mut stream: TcpStream) {
    if poll_fn(|context| Pin::new(&mut stream).poll_shutdown(context)).await.is_err() {
        return;
    }
    let mut nowhere = [0; 4096];
    let mut left = LINGER_BYTES_MAX;
    while left > 0 && stream.readable().await.is_ok() {
        match stream.try_read(&mut nowhere) {
            Ok(0) => return,
            Ok(length) => left = left.saturating_sub(length),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

/// Waits until the server is in another phase.
async fn left(phase: &mut watch::Receiver<Phase>, was: Phase) {
    let _ = phase.wait_for(|phase| *phase != was).await;
}

/// Counts a connection while it is open.
struct Open(Arc<App>);

impl Open {
    fn new(app: Arc<App>) -> Open {
        app.metrics().connections.fetch_add(1, Relaxed);
        app.metrics().connections_total.fetch_add(1, Relaxed);
        Open(app)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.metrics().connections.fetch_sub(1, Relaxed);
    }
}
