//! The client: sends one request at a time on a connected UDP socket, with the retries of RFC 6886,
//! section 3.1.

use std::io::{self, ErrorKind as IoKind};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyvpn_core::{
    ActivityKind, CallEvent, CallObserver, Clock, Error, ErrorKind, LeaseStore, Observation,
    OperationId, Replay, SplitMix64, SystemClock, Timestamp, within,
};
use tokio::net::UdpSocket;
use tokio::sync::{Mutex, MutexGuard};
use tracing::Instrument as _;

use crate::Form;
use crate::epoch::Epoch;
use crate::gateway::Gateway;
use crate::operations;
use crate::wire::{MapProtocol, MapRequest, Reply, Request, ResultCode};

/// The first time to wait for a reply. It doubles with each attempt.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The number of attempts, which take 127.75 s in total.
pub(crate) const SENDS: u32 = 9;
/// The size of the receive buffer. Replies of NAT-PMP and PCP are smaller.
const LONGEST: usize = 1100;

/// The state that all clones of a client share.
pub(crate) struct Inner {
    pub(crate) gateway: Gateway,
    pub(crate) form: Form,
    /// The lifetime to request, in seconds.
    pub(crate) lifetime: u32,
    /// The time limit of a call.
    pub(crate) time: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Option<Arc<dyn CallObserver>>,
    pub(crate) leases: Arc<dyn LeaseStore>,
    /// Only the holder of this lock may send.
    pub(crate) state: Mutex<State>,
}

/// What we know about the gateway that was used last.
pub(crate) struct State {
    gateway: Option<SocketAddrV4>,
    epoch: Epoch,
    /// Whether the gateway has lost its mappings and they have not been renewed yet.
    pub(crate) has_reset: bool,
    pub(crate) random: SplitMix64,
}

impl State {
    pub(crate) fn new(random: SplitMix64) -> Self {
        Self { gateway: None, epoch: Epoch::default(), has_reset: false, random }
    }
}

/// A mapping that was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mapping {
    /// The port on this machine. At Proton VPN 0 can stand for the same number as the external one.
    pub internal_port: u16,
    /// The port on the gateway; 0 if the mapping was deleted.
    pub external_port: u16,
    /// The lifetime in whole seconds; 0 if the mapping was deleted.
    pub lifetime: Duration,
    /// The time since the gateway began with an empty table of mappings.
    pub epoch: Duration,
    /// When the mapping was requested. The lifetime does not start earlier.
    pub asked_at: Timestamp,
}

/// The exclusive right to send requests to a gateway.
pub(crate) struct Session<'a> {
    pub(crate) inner: &'a Inner,
    pub(crate) state: MutexGuard<'a, State>,
    pub(crate) gateway: SocketAddrV4,
    deadline: Option<Instant>,
}

impl Inner {
    /// Waits until no other call is in progress, and finds the gateway.
    pub(crate) async fn session(&self) -> Result<Session<'_>, Error> {
        // The socket needs a tokio runtime even with a virtual clock.
        SystemClock.ready()?;
        self.clock.ready()?;
        let mut state = self.state.lock().await;
        let gateway = self.gateway.find()?;
        if state.gateway != Some(gateway) {
            let random = state.random.clone();
            *state = State { gateway: Some(gateway), ..State::new(random) };
        }
        let deadline = self.clock.instant().checked_add(self.time);
        Ok(Session { inner: self, state, gateway, deadline })
    }

    /// Returns the key of a gateway's forwards in the store.
    pub(crate) fn place(gateway: SocketAddrV4) -> String {
        format!("natpmp-{gateway}")
    }
}

async fn connected(gateway: SocketAddrV4) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
    // A connected socket only receives datagrams from the gateway.
    socket.connect(gateway).await?;
    Ok(socket)
}

impl Session<'_> {
    /// Requests the public address. Also returns how long the gateway has kept its mappings.
    pub(crate) async fn address(&mut self) -> Result<(Ipv4Addr, Duration), Error> {
        let asked = self.call(operations::GET_ADDRESS, Replay::Safe, Request::Address, SENDS).await;
        match asked? {
            (Reply::Address { epoch, address }, _) => Ok((address, seconds(epoch))),
            (reply, _) => Err(unexpected(&reply)),
        }
    }

    /// Requests a mapping or its deletion, with at most this number of attempts.
    pub(crate) async fn map(&mut self, map: MapRequest, sends: u32) -> Result<Mapping, Error> {
        let operation = match map.protocol {
            MapProtocol::Udp => operations::MAP_UDP_PORT,
            MapProtocol::Tcp => operations::MAP_TCP_PORT,
        };
        let request = Request::Map(map);
        let (reply, asked_at) = self.call(operation, Replay::Idempotent, request, sends).await?;
        match reply {
            Reply::Map { epoch, internal_port, external_port, lifetime, .. }
                if map.lifetime == 0 || lifetime > 0 && external_port > 0 =>
            {
                Ok(Mapping {
                    internal_port,
                    external_port,
                    lifetime: seconds(lifetime),
                    epoch: seconds(epoch),
                    asked_at,
                })
            }
            reply => Err(unexpected(&reply).with_operation(operation)),
        }
    }

    /// Sends a request until its reply arrives. Returns the reply and the time of the last attempt.
    async fn call(
        &mut self,
        operation: OperationId,
        replay: Replay,
        request: Request,
        sends: u32,
    ) -> Result<(Reply, Timestamp), Error> {
        let kind = ActivityKind::call(operation, replay);
        let observation = Observation::start(self.inner.observer.as_ref(), kind);
        let outcome = self.exchange(request, sends, &observation);
        let outcome = outcome.instrument(tracing::info_span!("call", %operation)).await;
        let is_unsure = |error: &Error| {
            replay != Replay::Safe
                && error.code().is_none()
                && matches!(error.kind(), ErrorKind::Timeout | ErrorKind::UnexpectedReply)
        };
        let outcome = outcome.map_err(|error| {
            let error = error.with_operation(operation);
            if is_unsure(&error) { error.with_read_back() } else { error }
        });
        observation.finish(outcome.as_ref().err());
        outcome
    }

    async fn exchange(
        &mut self,
        request: Request,
        sends: u32,
        observation: &Observation,
    ) -> Result<(Reply, Timestamp), Error> {
        let Self { inner, state, gateway, deadline } = self;
        // Use a new socket for each request, so that a late reply to an earlier request is not mistaken
        // for the reply to this one.
        let socket = connected(*gateway).await.map_err(|error| failed(*gateway, &error))?;
        let clock = &*inner.clock;
        let bytes = request.encode();
        let (mut attempt, mut unreadable) = (0, 0_u32);
        while attempt < sends {
            let since = clock.instant();
            let left = deadline.map_or(Duration::MAX, |end| end.saturating_duration_since(since));
            if left.is_zero() {
                break;
            }
            let wait = FIRST_WAIT.saturating_mul(1 << attempt).min(left);
            attempt += 1;
            observation.report(CallEvent::sent(attempt));
            let sent_at = clock.now();
            let reply = match socket.send(&bytes).await {
                Ok(_) => within(clock, wait, receive(&socket, &request, &mut unreadable)).await,
                Err(error) => Some(Err(error)),
            };
            if let Some(Ok(reply)) = &reply
                && let Some(epoch) = reply.epoch()
            {
                state.has_reset |= state.epoch.has_reset(epoch, clock.instant());
            }
            let outcome = reply.map(|reply| accepted(*gateway, reply));
            let error = match &outcome {
                Some(outcome) => outcome.as_ref().err().map(Error::kind),
                None => Some(ErrorKind::Timeout),
            };
            // The log record has the same fields as that of an HTTP call, as far as they apply.
            tracing::info!(
                attempt,
                duration_ms = clock.instant().saturating_duration_since(since).as_millis() as u64,
                kind = error.map(|kind| kind.name()),
                "request"
            );
            if let Some(outcome) = outcome {
                return outcome.map(|reply| (reply, sent_at));
            }
        }
        Err(match unreadable {
            0 => Error::new(ErrorKind::Timeout).with_detail(format!(
                "{gateway} does not answer: is the tunnel up, and do packets to {} go through it?",
                gateway.ip()
            )),
            _ => Error::new(ErrorKind::UnexpectedReply).with_detail(format!(
                "{gateway} sent {unreadable} packets that are not NAT-PMP replies"
            )),
        })
    }
}

/// Waits for the reply to a request, and ignores other datagrams.
async fn receive(socket: &UdpSocket, request: &Request, unreadable: &mut u32) -> io::Result<Reply> {
    let mut buffer = [0; LONGEST];
    loop {
        let length = socket.recv(&mut buffer).await?;
        match Reply::parse(buffer.get(..length).unwrap_or_default()) {
            Some(reply) if reply.answers(request) => return Ok(reply),
            Some(_) => {}
            None => *unreadable = unreadable.saturating_add(1),
        }
    }
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(count.into())
}

/// Returns the error for a failure of the socket.
fn failed(gateway: SocketAddrV4, error: &io::Error) -> Error {
    match error.kind() {
        // An ICMP message said that the port is unreachable.
        IoKind::ConnectionRefused | IoKind::ConnectionReset => Error::new(ErrorKind::NoService)
            .with_detail(format!(
                "{gateway} has no NAT-PMP: the server forwards no ports, or this connection was made \
                 without it. At Proton VPN you need a P2P server, and a WireGuard configuration with \
                 NAT-PMP on, or an OpenVPN user name that ends in +pmp"
            )),
        kind => Error::new(ErrorKind::Unreachable)
            .with_detail(format!("{gateway} cannot be reached: {kind}; is the tunnel up?")),
    }
}

/// Returns a successful reply, or an error.
fn accepted(gateway: SocketAddrV4, reply: io::Result<Reply>) -> Result<Reply, Error> {
    match reply {
        Ok(Reply::Refused { code, .. }) => Err(refused(gateway, code)),
        Ok(Reply::OtherVersion(version)) => Err(other_version(gateway, version)),
        Ok(reply) => Ok(reply),
        Err(error) => Err(failed(gateway, &error)),
    }
}

/// Returns the error for a refusal.
fn refused(gateway: SocketAddrV4, code: ResultCode) -> Error {
    let (kind, why) = match code {
        ResultCode::UNSUPPORTED_VERSION => (ErrorKind::NoService, "does not support NAT-PMP"),
        ResultCode::NOT_AUTHORIZED => (
            ErrorKind::Refused,
            "does not allow it: port forwarding is off there, or this port or one more is not \
             allowed",
        ),
        ResultCode::NETWORK_FAILURE => (ErrorKind::Unavailable, "has no network connection"),
        ResultCode::OUT_OF_RESOURCES => (ErrorKind::CapacityReached, "has no port left"),
        ResultCode::UNSUPPORTED_OPCODE => (ErrorKind::NoService, "does not know this request"),
        _ => (ErrorKind::UnexpectedReply, "refused with a result that NAT-PMP does not define"),
    };
    Error::new(kind).with_code(code.to_string()).with_detail(format!("{gateway} {why}"))
}

fn other_version(gateway: SocketAddrV4, version: u8) -> Error {
    let detail = format!(
        "{gateway} answers with version {version}, like PCP, instead of NAT-PMP's version 0"
    );
    Error::new(ErrorKind::NoService).with_detail(detail)
}

fn unexpected(reply: &Reply) -> Error {
    let detail = format!("the gateway granted an unusable mapping: {reply:?}");
    Error::new(ErrorKind::UnexpectedReply).with_detail(detail)
}
