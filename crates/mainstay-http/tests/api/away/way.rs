//! The way to the database, by a door of the test's own: it sees what is sent, and can be shut.
use std::{
    env,
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use mainstay_store::{Location, Settings};
use tokio::sync::watch;

use super::wire::Dialogue;

/// What asks a server to end a statement.
pub(super) const CANCEL: &[u8] = &[0, 0, 0, 16, 0x04, 0xd2, 0x16, 0x2e];

/// A door before the server of the tests; shut with the value.
pub(super) struct Way {
    door: SocketAddr,
    server: String,
    shared: Arc<Shared>,
}

struct Shared {
    /// All that was sent to the server.
    sent: watch::Sender<Vec<u8>>,
    is_open: AtomicBool,
    has_ended: AtomicBool,
    /// How often somebody came to the door.
    came: AtomicUsize,
    through: Mutex<Vec<TcpStream>>,
    /// Nothing comes through, and nobody is told.
    is_silent: AtomicBool,
    /// What is lost on the way to the server.
    lost: Mutex<Option<&'static [u8]>>,
    /// Statements that were prepared by a name outside of a transaction.
    prepared_alone: Mutex<Vec<String>>,
}

impl Way {
    pub(super) fn open() -> Way {
        let url = env::var("MAINSTAY_TEST_POSTGRES").expect("a server");
        let server = url.split('@').nth(1).and_then(|rest| rest.split('/').next()).expect("a host").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let door = listener.local_addr().expect("the port");
        let shared = Arc::new(Shared {
            sent: watch::Sender::new(Vec::new()),
            is_open: AtomicBool::new(true),
            has_ended: AtomicBool::new(false),
            came: AtomicUsize::new(0),
            through: Mutex::default(),
            is_silent: AtomicBool::new(false),
            lost: Mutex::default(),
            prepared_alone: Mutex::default(),
        });
        let (way, to) = (shared.clone(), server.clone());
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                way.came.fetch_add(1, Ordering::SeqCst);
                if way.has_ended.load(Ordering::SeqCst) {
                    return;
                }
                if way.is_open.load(Ordering::SeqCst) {
                    way.lead(client, &to);
                }
            }
        });
        Way { door, server, shared }
    }

    /// The same database, through the door.
    pub(super) fn lead(&self) -> impl Fn(&mut Settings) + Send + use<> {
        let (server, door) = (self.server.clone(), self.door.to_string());
        move |settings| {
            let Location::Postgres(url) = &settings.at else { panic!("a database on a server") };
            settings.at = Location::Postgres(url.replace(&server, &door));
        }
    }

    /// Waits until this was sent to the server.
    pub(super) async fn sent(&self, bytes: &[u8]) {
        let mut sent = self.shared.sent.subscribe();
        let found = sent.wait_for(|all| holds(all, bytes)).await;
        drop(found.expect("the door is there"));
    }

    /// Forgets what was sent until now.
    pub(super) fn forget(&self) {
        self.shared.sent.send_modify(Vec::clear);
    }

    /// Nobody comes through from now on, and who is through is cut off.
    pub(super) fn shut(&self) {
        self.shared.is_open.store(false, Ordering::SeqCst);
        let through = std::mem::take(&mut *self.shared.through.lock().expect("no test ends in here"));
        through.iter().for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
    }

    /// Nothing comes through from now on, either way, and nobody is told.
    pub(super) fn fall_silent(&self) {
        self.shared.is_silent.store(true, Ordering::SeqCst);
    }

    /// What holds these bytes does not come to the server from now on, and nobody is told.
    pub(super) fn lose(&self, bytes: &'static [u8]) {
        *self.shared.lost.lock().expect("no test ends in here") = Some(bytes);
    }

    /// Statements that were prepared by a name outside of a transaction.
    pub(super) fn prepared_alone(&self) -> Vec<String> {
        self.shared.prepared_alone.lock().expect("no test ends in here").clone()
    }

    /// As it was.
    pub(super) fn open_again(&self) {
        self.shared.is_open.store(true, Ordering::SeqCst);
    }

    /// How often somebody came to the door.
    pub(super) fn came(&self) -> usize {
        self.shared.came.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn lead(self: &Arc<Shared>, client: TcpStream, to: &str) {
        let server = TcpStream::connect(to).expect("the server answers");
        let [from_client, to_client] = [(); 2].map(|()| client.try_clone().expect("a stream"));
        let [from_server, to_server] = [(); 2].map(|()| server.try_clone().expect("a stream"));
        self.through.lock().expect("no test ends in here").extend([client, server]);
        let (way, back) = (self.clone(), self.clone());
        let mut dialogue = Dialogue::default();
        thread::spawn(move || pass(from_client, to_server, |bytes| way.comes_through(&mut dialogue, bytes)));
        thread::spawn(move || pass(from_server, to_client, |_| !back.is_silent.load(Ordering::SeqCst)));
    }

    /// Whether this comes to the server.
    fn comes_through(&self, dialogue: &mut Dialogue, bytes: &[u8]) -> bool {
        let alone = dialogue.take(bytes);
        self.prepared_alone.lock().expect("no test ends in here").extend(alone);
        self.sent.send_modify(|all| all.extend(bytes));
        let lost = *self.lost.lock().expect("no test ends in here");
        !self.is_silent.load(Ordering::SeqCst) && !lost.is_some_and(|lost| holds(bytes, lost))
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|bytes| bytes == part)
}

/// Passes on what comes and may, until one of the two has gone.
fn pass(mut from: TcpStream, mut to: TcpStream, mut may: impl FnMut(&[u8]) -> bool) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if may(&bytes[..count]) && to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

impl Drop for Way {
    fn drop(&mut self) {
        self.shared.has_ended.store(true, Ordering::SeqCst);
        self.shut();
        let _ = TcpStream::connect(self.door);
    }
}
