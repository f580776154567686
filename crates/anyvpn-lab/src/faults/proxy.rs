//! A proxy in front of a server that forwards connections or breaks them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyvpn_testkit::time::VirtualTime;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::tls::server_hello;

/// The fault of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectionFault {
    /// It is forwarded to the server.
    Through,
    /// Nothing is read and nothing is sent.
    Silence,
    /// As above, but before the TLS handshake, for which the transport has its own time limit.
    SilenceInHandshake,
    /// It is reset after this many bytes of the request.
    ResetAfter(usize),
    ResetBeforeLast,
    CloseAfter(usize),
    /// The first exchange is forwarded, then this fault occurs.
    StaleReset,
    StaleClose,
    IdleClose,
    IdleReset,
    Idle408,
    Idle200,
    /// The server answers with a ServerHello of this version, whose random bytes end like this.
    Hello([u8; 2], [u8; 8]),
    PlainHttp,
    HelloReset,
    HelloClose,
    /// The reply is sent without its length, and the connection is closed without TLS's `close_notify`.
    CutTls,
    ForgedRecord,
}

/// A proxy in front of a server, which listens until it is dropped.
pub(crate) struct FaultProxy {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    task: AbortHandle,
}

struct Shared {
    server: SocketAddr,
    fault: ConnectionFault,
    tls: Option<Tls>,
    time: VirtualTime,
    mended: AtomicBool,
    /// The number of requests that arrived, at least in part, but did not reach the server.
    lost: AtomicUsize,
    /// Notified when a connection has had its exchange and then its fault.
    ended: Notify,
}

pub(crate) struct Tls {
    /// `None` if the fault happens before a handshake.
    pub(crate) broken: Option<Arc<ServerConfig>>,
    pub(crate) good: Arc<ServerConfig>,
}

impl ConnectionFault {
    /// Returns whether the client expects TLS but no handshake takes place.
    pub(crate) fn is_in_handshake(self) -> bool {
        matches!(
            self,
            Self::SilenceInHandshake
                | Self::Hello(..)
                | Self::PlainHttp
                | Self::HelloReset
                | Self::HelloClose
        )
    }

    /// Returns whether the fault happens only after the first exchange.
    pub(crate) fn is_for_kept_connections(self) -> bool {
        matches!(self, Self::StaleReset | Self::StaleClose) || self.is_for_idle_connections()
    }

    /// Returns whether the fault happens by itself, before a kept connection is used again.
    pub(crate) fn is_for_idle_connections(self) -> bool {
        matches!(self, Self::IdleClose | Self::IdleReset | Self::Idle408 | Self::Idle200)
    }
}

impl FaultProxy {
    /// Starts a proxy that breaks every connection with `fault` until it is mended, and then forwards
    /// all of them.
    pub(crate) async fn start(
        server: SocketAddr,
        fault: ConnectionFault,
        tls: Option<Tls>,
        time: VirtualTime,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((server.ip(), 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            server,
            fault,
            tls,
            time,
            mended: AtomicBool::new(false),
            lost: AtomicUsize::new(0),
            ended: Notify::new(),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared))).abort_handle();
        Ok(Self { address, shared, task })
    }

    /// Returns a handle that makes the proxy forward all further connections.
    pub(crate) fn mend(&self) -> impl FnOnce() + Send + use<> {
        let shared = Arc::clone(&self.shared);
        move || shared.mended.store(true, Ordering::SeqCst)
    }

    pub(crate) fn lost(&self) -> usize {
        self.shared.lost.load(Ordering::SeqCst)
    }

    /// Waits until this side has ended a kept connection.
    pub(crate) async fn ended(&self) {
        self.shared.ended.notified().await;
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            // Errors are expected here: connections are broken on purpose.
            let _ = stream.set_nodelay(true);
            let _ = shared.lead(stream).await;
        });
    }
}

impl Shared {
    async fn lead(&self, mut stream: TcpStream) -> io::Result<()> {
        let broken = !self.mended.load(Ordering::SeqCst);
        let fault = if broken { self.fault } else { ConnectionFault::Through };
        let config = match &self.tls {
            Some(tls) if broken => tls.broken.as_ref(),
            Some(tls) => Some(&tls.good),
            None => None,
        };
        if let Some(config) = config {
            let stream = TlsAcceptor::from(Arc::clone(config)).accept(stream).await?;
            return match fault {
                ConnectionFault::CutTls | ConnectionFault::ForgedRecord => {
                    self.corrupt_tls(stream, fault).await
                }
                _ => self.through(stream).await,
            };
        }
        match fault {
            ConnectionFault::Through | ConnectionFault::CutTls | ConnectionFault::ForgedRecord => {
                self.through(stream).await
            }
            ConnectionFault::Silence => {
                self.lose(&stream).await?;
                let wait = self.time.server_waits(Duration::MAX);
                let gone =
                    async { while read(&mut stream).await.is_ok_and(|part| !part.is_empty()) {} };
                tokio::select! { () = wait => {}, () = gone => {} }
                Ok(())
            }
            ConnectionFault::SilenceInHandshake => {
                while !read(&mut stream).await?.is_empty() {}
                Ok(())
            }
            ConnectionFault::ResetAfter(bytes) => {
                self.take(&mut stream, bytes).await?;
                stream.set_zero_linger()
            }
            ConnectionFault::CloseAfter(bytes) => {
                self.take(&mut stream, bytes).await?;
                // Send FIN, then read the rest: closing with unread bytes would send RST instead.
                stream.shutdown().await?;
                while !read(&mut stream).await?.is_empty() {}
                Ok(())
            }
            ConnectionFault::ResetBeforeLast => {
                self.lost.fetch_add(1, Ordering::SeqCst);
                message(&mut stream).await?;
                stream.set_zero_linger()
            }
            ConnectionFault::Hello(version, random_end) => {
                read(&mut stream).await?;
                stream.write_all(&server_hello(version, &random_end)).await?;
                while !read(&mut stream).await?.is_empty() {}
                Ok(())
            }
            ConnectionFault::HelloReset => {
                read(&mut stream).await?;
                stream.set_zero_linger()
            }
            ConnectionFault::HelloClose => read(&mut stream).await.map(drop),
            ConnectionFault::PlainHttp => {
                read(&mut stream).await?;
                let refusal = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
                stream.write_all(refusal).await
            }
            kept => self.kept(stream, kept).await,
        }
    }

    async fn through(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let mut server = TcpStream::connect(self.server).await?;
        server.set_nodelay(true)?;
        copy_bidirectional(&mut stream, &mut server).await.map(drop)
    }

    /// Waits for a request that will not be forwarded. A kept connection can be reported as readable
    /// although everything has been read, so only an actual byte counts.
    async fn lose(&self, stream: &TcpStream) -> io::Result<()> {
        if stream.peek(&mut [0]).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.lost.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// Reads this many bytes of a request that will not be forwarded.
    async fn take(&self, stream: &mut TcpStream, bytes: usize) -> io::Result<()> {
        let mut taken = vec![0; bytes];
        self.lose(stream).await?;
        stream.read_exact(&mut taken).await.map(drop)
    }

    /// Forwards one exchange with the server, then causes a fault.
    async fn kept(&self, mut stream: TcpStream, fault: ConnectionFault) -> io::Result<()> {
        self.exchange(&mut stream).await?;
        match fault {
            ConnectionFault::StaleReset => {
                self.take(&mut stream, 1).await?;
                stream.set_zero_linger()?;
            }
            ConnectionFault::StaleClose => {
                message(&mut stream).await?;
                self.lost.fetch_add(1, Ordering::SeqCst);
            }
            ConnectionFault::IdleReset => stream.set_zero_linger()?,
            ConnectionFault::Idle408 => {
                stream
                    .write_all(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n")
                    .await?;
            }
            ConnectionFault::Idle200 => {
                let forged =
                    b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{\"status\":\"success\"}";
                stream.write_all(forged).await?;
                self.ended.notify_one();
                while !read(&mut stream).await?.is_empty() {}
            }
            _ => {}
        }
        drop(stream);
        self.ended.notify_one();
        Ok(())
    }

    /// Forwards one request, and returns the server's reply.
    async fn exchange(&self, stream: &mut TcpStream) -> io::Result<()> {
        let request = message(stream).await?;
        let mut server = TcpStream::connect(self.server).await?;
        server.write_all(&request).await?;
        let reply = message(&mut server).await?;
        stream.write_all(&reply).await
    }

    /// Forwards the request, and breaks its reply below TLS.
    async fn corrupt_tls(
        &self,
        mut stream: tokio_rustls::server::TlsStream<TcpStream>,
        fault: ConnectionFault,
    ) -> io::Result<()> {
        let request = message(&mut stream).await?;
        let mut server = TcpStream::connect(self.server).await?;
        server.write_all(&request).await?;
        let reply = message(&mut server).await?;
        let text = String::from_utf8_lossy(&reply).replace("content-length", "x-length");
        let part = match fault {
            // Headers without a body are a complete reply.
            ConnectionFault::CutTls if text.ends_with("\r\n\r\n") => b"",
            ConnectionFault::CutTls => text.as_bytes(),
            _ => &text.as_bytes()[..text.len() / 2],
        };
        stream.write_all(part).await?;
        stream.flush().await?;
        let (mut stream, _) = stream.into_inner();
        if fault == ConnectionFault::ForgedRecord {
            stream.write_all(&[23, 3, 3, 0, 32]).await?;
            stream.write_all(&[0x5a; 32]).await?;
        }
        stream.shutdown().await
    }
}

/// Reads the bytes that have arrived; empty at the end of the stream.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut part = vec![0; 16 * 1024];
    let length = stream.read(&mut part).await?;
    part.truncate(length);
    Ok(part)
}

/// Reads a message and its body, whose length the headers announce.
async fn message(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let part = read(stream).await?;
        if part.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        message.extend(part);
        let Some(end) = message.windows(4).position(|part| part == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&message[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length = length.and_then(|length| length.trim().parse::<usize>().ok()).unwrap_or(0);
        if message.len() >= end + 4 + length {
            return Ok(message);
        }
    }
}

/// An address whose connections are never accepted, because its queue is full.
pub(crate) struct BlackHole {
    listener: TcpListener,
    /// The connections that fill the queue.
    _queue: Vec<TcpStream>,
}

impl BlackHole {
    pub(crate) async fn at(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(1)?;
        let address = listener.local_addr()?;
        let mut queue = Vec::new();
        let wait = Duration::from_millis(50);
        while let Ok(connected) = tokio::time::timeout(wait, TcpStream::connect(address)).await {
            queue.push(connected?);
        }
        Ok(Self { listener, _queue: queue })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Accepts connections from now on, and forwards them to the server.
    pub(crate) fn mend(self, server: SocketAddr) {
        lead_through(self.listener, server);
    }
}

/// Forwards every connection to the server, until the runtime ends.
pub(crate) fn lead_through(listener: TcpListener, server: SocketAddr) {
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            while connections.try_join_next().is_some() {}
            connections.spawn(async move {
                let mut server = TcpStream::connect(server).await?;
                copy_bidirectional(&mut stream, &mut server).await.map(drop)
            });
        }
        Ok::<(), io::Error>(())
    });
}
