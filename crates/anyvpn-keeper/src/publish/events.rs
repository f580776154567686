//! Events, as lines for programs and for people.

use std::fmt;

use anyvpn_core::Timestamp;
use serde::Serialize;

use crate::{ClientStatus, OpenPort, Phase, Snapshot};

/// An event between two snapshots. Its JSON is a line of `anyvpn port keep --json`, as
/// `docs/schema/v1/port-keep.json` describes it; its `Display` is a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Event {
    /// When the event was noticed.
    pub at: Timestamp,
    /// The generation of the snapshot.
    pub generation: u64,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EventKind {
    /// The keeper waits for the tunnel.
    TunnelDown,
    /// The tunnel is up, or another one has replaced it.
    TunnelUp {
        /// The name of its interface.
        interface: String,
    },
    /// A port is open.
    PortOpened {
        /// The number on the VPN server.
        port: u16,
        /// The number that was open before; `None` if there was none.
        old_port: Option<u16>,
        /// When it closes unless it is renewed; `None` if that is not known.
        expires_at: Option<Timestamp>,
    },
    /// The port was seen open for the first time.
    PortVerified {
        /// The number on the VPN server.
        port: u16,
    },
    /// The port was lost or released.
    PortClosed {
        /// The number that was open.
        port: u16,
    },
    /// A client listens on the port.
    ClientInSync {
        /// The client's name in the settings.
        client: String,
    },
    /// A client does not listen on the port.
    ClientOutOfSync {
        /// The client's name in the settings.
        client: String,
        /// The reason, in one sentence; `None` if it is not known.
        problem: Option<String>,
    },
    /// Runs of hooks failed.
    HookFailed {
        /// The number of failed runs since the first start.
        failures: u64,
    },
    /// The keeper cannot continue at present.
    Problem {
        /// The reason, in one sentence.
        problem: String,
        /// When it tries again; `None` if no attempt is due.
        next_at: Option<Timestamp>,
    },
    /// The keeper continues after a problem.
    Recovered,
    /// The keeper is stopping.
    Stopping,
}

impl Event {
    /// Returns the events between two snapshots, in order. `before` is `None` at the start.
    #[must_use]
    pub fn between(before: Option<&Snapshot>, now: &Snapshot) -> Vec<Self> {
        let mut kinds = Vec::new();
        tunnel(before, now, &mut kinds);
        port(before.and_then(|before| before.port.as_ref()), now, &mut kinds);
        for client in &now.clients {
            let old =
                before.and_then(|before| before.clients.iter().find(|old| old.name == client.name));
            kinds.extend(client_change(old, client));
        }
        let failures = now.counters.hook_failures;
        if before.is_some_and(|before| before.counters.hook_failures < failures) {
            kinds.push(EventKind::HookFailed { failures });
        }
        let old_problem = before.and_then(|before| before.problem.as_ref());
        match &now.problem {
            Some(problem) if old_problem != Some(problem) => {
                kinds.push(EventKind::Problem { problem: problem.clone(), next_at: now.next_at });
            }
            None if old_problem.is_some() => kinds.push(EventKind::Recovered),
            _ => {}
        }
        if now.phase == Phase::Stopping
            && before.is_none_or(|before| before.phase != Phase::Stopping)
        {
            kinds.push(EventKind::Stopping);
        }
        let event = |kind| Self { at: now.at, generation: now.generation, kind };
        kinds.into_iter().map(event).collect()
    }
}

fn tunnel(before: Option<&Snapshot>, now: &Snapshot, kinds: &mut Vec<EventKind>) {
    if before.is_some_and(|before| before.tunnel == now.tunnel) {
        return;
    }
    kinds.push(match &now.tunnel {
        Some(tunnel) => EventKind::TunnelUp { interface: tunnel.interface.clone() },
        None => EventKind::TunnelDown,
    });
}

fn port(old: Option<&OpenPort>, now: &Snapshot, kinds: &mut Vec<EventKind>) {
    let old_number = old.map(|old| old.port);
    match (&now.port, old_number) {
        (Some(open), old) if old != Some(open.port) => kinds.push(EventKind::PortOpened {
            port: open.port,
            old_port: now.previous_port,
            expires_at: open.expires_at,
        }),
        (None, Some(port)) => kinds.push(EventKind::PortClosed { port }),
        _ => {}
    }
    let Some(open) = now.port.as_ref().filter(|open| open.verified_at.is_some()) else { return };
    let was_verified = old.is_some_and(|old| old.port == open.port && old.verified_at.is_some());
    if !was_verified {
        kinds.push(EventKind::PortVerified { port: open.port });
    }
}

fn client_change(old: Option<&ClientStatus>, now: &ClientStatus) -> Option<EventKind> {
    let client = now.name.clone();
    let is_same = old.is_some_and(|old| old.in_sync == now.in_sync && old.problem == now.problem);
    match now.in_sync {
        true => (!old.is_some_and(|old| old.in_sync)).then_some(EventKind::ClientInSync { client }),
        // A client that was not asked yet needs no event.
        false if now.asked_at.is_none() || is_same => None,
        false => Some(EventKind::ClientOutOfSync { client, problem: now.problem.clone() }),
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            EventKind::TunnelDown => f.write_str("Waiting for the tunnel."),
            EventKind::TunnelUp { interface } => write!(f, "The tunnel {interface} is up."),
            EventKind::PortOpened { port, old_port, expires_at } => {
                write!(f, "Port {port} is open")?;
                if let Some(end) = expires_at {
                    write!(f, " until {end}")?;
                }
                f.write_str(".")?;
                match old_port.filter(|old| old != port) {
                    Some(old) => write!(f, " It was {old} before."),
                    None => Ok(()),
                }
            }
            EventKind::PortVerified { port } => write!(f, "Port {port} was seen open."),
            EventKind::PortClosed { port } => write!(f, "Port {port} is closed."),
            EventKind::ClientInSync { client } => write!(f, "{client} listens on the port."),
            EventKind::ClientOutOfSync { client, problem: Some(problem) } => {
                write!(f, "{client} does not listen on the port: {problem}")
            }
            EventKind::ClientOutOfSync { client, problem: None } => {
                write!(f, "{client} does not listen on the port.")
            }
            EventKind::HookFailed { .. } => f.write_str("A hook failed. It is run again later."),
            EventKind::Problem { problem, next_at: Some(next) } => {
                // A provider's own message may end with a period.
                let problem = problem.trim_end_matches('.');
                write!(f, "{problem}. The next attempt is at {next}.")
            }
            EventKind::Problem { problem, next_at: None } => f.write_str(problem),
            EventKind::Recovered => f.write_str("The problem is over."),
            EventKind::Stopping => f.write_str("Stopping."),
        }
    }
}
