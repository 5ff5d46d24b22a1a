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
        let found = sent.wait_for(|all| all.windows(bytes.len()).any(|part| part == bytes)).await;
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
        let way = self.clone();
        thread::spawn(move || pass(from_client, to_server, |bytes| way.sent.send_modify(|all| all.extend(bytes))));
        thread::spawn(move || pass(from_server, to_client, |_| ()));
    }
}

/// Passes on what comes, until one of the two has gone.
fn pass(mut from: TcpStream, mut to: TcpStream, mut seen: impl FnMut(&[u8])) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
        seen(&bytes[..count]);
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
