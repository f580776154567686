//! Datagrams, for providers whose protocol uses UDP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use crate::fault::{DatagramFault, Fault};
use crate::handler::RequestHandler;
use crate::locked;
use crate::log::Entry;
use crate::provider::Provider;

/// Longer than any datagram that a provider here receives.
const LONGEST: usize = 2048;

/// Opens a provider's socket on the same port number as TCP, so that one `--listen` determines both. If
/// that number is taken and no particular port was requested (`is_free`), any port is used.
pub(crate) async fn bind(tcp: SocketAddr, is_free: bool) -> std::io::Result<UdpSocket> {
    match UdpSocket::bind(tcp).await {
        Err(_) if is_free => UdpSocket::bind((tcp.ip(), 0)).await,
        bound => bound,
    }
}

/// Answers a provider's datagrams until it is dropped.
pub(crate) async fn serve(
    socket: UdpSocket,
    provider: Arc<dyn Provider>,
    handler: Arc<RequestHandler>,
) {
    let socket = Arc::new(socket);
    let mut late = JoinSet::new();
    // A client's virtual time may stand still until the server waits too. The next datagram ends this
    // wait.
    let mut silence = JoinSet::new();
    let mut buffer = [0; LONGEST];
    loop {
        let Ok((length, peer)) = socket.recv_from(&mut buffer).await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        silence.abort_all();
        while late.try_join_next().is_some() || silence.try_join_next().is_some() {}
        let sent = answer(&buffer[..length], peer, &provider, &handler);
        handler.update_data_plane().await;
        let wait = &handler.wait.0;
        let is_answered = match sent {
            Sent::Nothing => false,
            Sent::Reply { bytes, times } => {
                for _ in 0..times {
                    // There is no way to report a failure.
                    let _ = socket.send_to(&bytes, peer).await;
                }
                true
            }
            Sent::Odd(bytes) => {
                let _ = socket.send_to(&bytes, peer).await;
                false
            }
            Sent::Foreign(bytes) => {
                let from = socket.local_addr().map(|address| SocketAddr::new(address.ip(), 0));
                if let Ok(from) = from
                    && let Ok(other) = UdpSocket::bind(from).await
                {
                    let _ = other.send_to(&bytes, peer).await;
                }
                false
            }
            Sent::Late { bytes, delay } => {
                let (wait, socket) = (wait(delay), Arc::clone(&socket));
                late.spawn(async move {
                    wait.await;
                    let _ = socket.send_to(&bytes, peer).await;
                });
                true
            }
        };
        if !is_answered {
            silence.spawn(wait(Duration::MAX));
        }
    }
}

/// A datagram to send in reply.
enum Sent {
    Nothing,
    Reply {
        bytes: Vec<u8>,
        times: u8,
    },
    /// A reply that the client may ignore.
    Odd(Vec<u8>),
    /// A datagram sent from another port.
    Foreign(Vec<u8>),
    Late {
        bytes: Vec<u8>,
        delay: Duration,
    },
}

fn answer(
    bytes: &[u8],
    peer: SocketAddr,
    provider: &Arc<dyn Provider>,
    handler: &RequestHandler,
) -> Sent {
    let operation = provider.datagram_operation(bytes);
    let fault = operation.and_then(|operation| locked(&handler.faults).next(operation));
    let mut received = Entry::of_datagram(provider.name(), bytes, operation);
    let refusal = match fault {
        Some(Fault::Status(code)) => Some(code),
        _ => None,
    };
    let is_lost = match &fault {
        Some(Fault::Datagram(fault)) => *fault == DatagramFault::LostRequest,
        None | Some(Fault::Status(_) | Fault::Delay(_)) => false,
        // Faults of HTTP do not apply here.
        Some(_) => true,
    };
    let reply = match is_lost {
        true => None,
        false => provider.datagram(bytes, peer.ip(), refusal),
    };
    received.effect = reply.is_some() && refusal.is_none();
    locked(&handler.log).push(received);
    let Some(mut bytes) = reply else { return Sent::Nothing };
    match fault {
        Some(Fault::Delay(delay)) => Sent::Late { bytes, delay },
        Some(Fault::Datagram(DatagramFault::LostReply)) => Sent::Nothing,
        Some(Fault::Datagram(DatagramFault::Doubled)) => Sent::Reply { bytes, times: 2 },
        Some(Fault::Datagram(DatagramFault::ForeignSource)) => Sent::Foreign(bytes),
        Some(Fault::Datagram(DatagramFault::Length(length))) => {
            bytes.resize(length, 0);
            Sent::Odd(bytes)
        }
        _ => Sent::Reply { bytes, times: 1 },
    }
}
