//! A way to the database that can be cut: everything of a node's passes here.
use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// Bytes that are passed on at a time.
const CHUNK_BYTES: usize = 16 * 1024;

/// What the way lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Everything.
    Open,
    /// Nothing, and nobody is told: as when a cable is pulled.
    Silent,
    /// Nothing: what was open is broken, what is new is refused.
    Broken,
}

/// The way of one node.
#[derive(Debug)]
pub(super) struct Relay {
    /// Where the node finds its database.
    pub(super) address: SocketAddr,
    way: watch::Sender<Way>,
}

impl Relay {
    /// Passes on what comes to a free port.
    pub(super) async fn start(to: SocketAddr) -> io::Result<Relay> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (way, watched) = watch::channel(Way::Open);
        tokio::spawn(async move {
            while let Ok((node, _)) = listener.accept().await {
                if *watched.borrow() != Way::Broken {
                    tokio::spawn(join(node, to, watched.clone()));
                }
            }
        });
        Ok(Relay { address, way })
    }

    /// From now on it is like this.
    pub(super) fn become_way(&self, way: Way) {
        self.way.send_replace(way);
    }
}

async fn join(node: TcpStream, to: SocketAddr, way: watch::Receiver<Way>) {
    let Ok(database) = TcpStream::connect(to).await else { return };
    let _ = (node.set_nodelay(true), database.set_nodelay(true));
    let ((from_node, to_node), (from_database, to_database)) = (node.into_split(), database.into_split());
    let mut broken = way.clone();
    tokio::select! {
        () = pass(from_node, to_database, way.clone()) => {}
        () = pass(from_database, to_node, way) => {}
        _ = broken.wait_for(|way| *way == Way::Broken) => {}
    }
}

/// Passes bytes on until one end has gone; holds them while the way is silent.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut way: watch::Receiver<Way>) {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let length = match from.read(&mut chunk).await {
            Ok(length @ 1..) => length,
            _ => return,
        };
        if way.wait_for(|way| *way == Way::Open).await.is_err() || to.write_all(&chunk[..length]).await.is_err() {
            return;
        }
    }
}
