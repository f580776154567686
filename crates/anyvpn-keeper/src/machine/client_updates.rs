//! When clients are told the port, and when they are looked at.

use std::time::Duration;

use crate::machine::time::BackOff;
use crate::machine::{Action, Shared};
use crate::{ClientError, ClientState, ClientStatus, Listen, Tunnel};

const FIRST: Duration = Duration::from_secs(5);
/// How long credentials that a client refused are not sent again: each attempt counts towards its ban.
const REFUSED: Duration = Duration::from_secs(60 * 60);

const NOT_ASKED: &str = "it has not been asked yet";

pub(crate) struct ClientUpdates {
    clients: Vec<Client>,
    /// When a client that was told answered last.
    pub told_at: Option<Duration>,
}

struct Client {
    status: ClientStatus,
    /// The generation that it was last in sync with, was told, or did not answer about.
    asked: Option<u64>,
    /// The last published generation that this client was told.
    told: u64,
    /// The generation that was current in the last step.
    seen: u64,
    /// Whether it has to be told again, although the generation is the same.
    must_tell: bool,
    is_reachable: bool,
    /// The tunnel that it was told of last; absent if that is not known.
    tunnel: Option<Tunnel>,
    must_rebind: bool,
    /// What it is being asked, with the generation, and whether it is told.
    running: Option<(Listen, u64, bool)>,
    due: Duration,
    back_off: BackOff,
}

impl ClientUpdates {
    pub fn new(shared: &Shared) -> Self {
        let told = |name: &String| shared.journal.clients.get(name).copied().unwrap_or_default();
        let announced = shared.journal.announced.as_ref();
        let known = |name: &String| announced.filter(|_| told(name) == shared.journal.generation);
        let client = |name: &String| Client {
            status: ClientStatus {
                name: name.clone(),
                in_sync: false,
                asked_at: None,
                next_at: None,
                problem: Some(NOT_ASKED.to_owned()),
            },
            asked: None,
            // After a restart, one that knew is looked at first.
            told: told(name),
            seen: shared.journal.generation,
            must_tell: false,
            is_reachable: true,
            tunnel: known(name).map(|announced| announced.tunnel.clone()),
            must_rebind: false,
            running: None,
            due: Duration::ZERO,
            back_off: BackOff::default(),
        };
        let clients = shared.settings.clients.iter().map(client).collect();
        Self { clients, told_at: None }
    }

    /// Takes a client's answer. Whether somebody has reached it from outside.
    pub fn answered(
        &mut self,
        shared: &mut Shared,
        index: usize,
        outcome: Result<ClientState, ClientError>,
    ) -> bool {
        let Some(client) = self.clients.get_mut(index) else { return false };
        let Some((listen, generation, was_told)) = client.running.take() else { return false };
        let now = shared.now();
        client.status.asked_at = Some(now.time);
        client.is_reachable = outcome.is_ok();
        let state = match outcome {
            Err(error @ ClientError::Unauthorized(_)) => {
                client.asked = Some(shared.journal.generation);
                client.fail(shared, error.to_string());
                client.due = now.elapsed.saturating_add(REFUSED);
                return false;
            }
            _ if generation != shared.journal.generation => {
                // It is about another port.
                client.due = now.elapsed;
                return false;
            }
            Err(error) => {
                client.asked = Some(generation);
                client.fail(shared, error.to_string());
                return false;
            }
            Ok(state) => state,
        };
        let is_in_sync = state.is_in_sync(&listen);
        if was_told {
            self.told_at = Some(now.elapsed);
            (client.told, client.tunnel) = (generation, Some(listen.tunnel.clone()));
        }
        if was_told || is_in_sync {
            client.asked = Some(generation);
        }
        if is_in_sync {
            shared.journal.clients.insert(client.status.name.clone(), generation);
            client.status.in_sync = true;
            client.status.problem = None;
            client.must_tell = false;
            client.back_off.reset();
            client.due = now.elapsed + shared.jittered(shared.settings.observe_every);
            return state.reached == Some(true);
        }
        client.must_tell = true;
        // The setting is right, and nothing listens: the same value again would change nothing.
        client.must_rebind |= state.setting == listen.port;
        client.fail(shared, out_of_sync(&state, &listen));
        if !was_told {
            client.due = now.elapsed;
        }
        false
    }

    pub fn step(&mut self, shared: &mut Shared) {
        let generation = shared.journal.generation;
        for client in self.clients.iter_mut().filter(|client| client.seen != generation) {
            client.seen = generation;
            // A client that is not in sync is already being asked, or waits before its next attempt.
            if client.status.in_sync {
                client.due = shared.timer.now.elapsed;
            }
            client.status.in_sync = false;
            client.status.problem.get_or_insert_with(|| NOT_ASKED.to_owned());
        }
        if shared.is_stopping() {
            return;
        }
        let (Some(announced), Some(tunnel)) = (&shared.journal.announced, &shared.tunnel) else {
            return;
        };
        for (index, client) in self.clients.iter_mut().enumerate() {
            if client.running.is_some() || !shared.timer.is_due(client.due) {
                continue;
            }
            let tells = client.told != generation || client.must_tell;
            let is_moved = client.tunnel.as_ref() != Some(tunnel);
            let listen = Listen {
                port: announced.local_port,
                public_port: announced.port,
                protocols: announced.protocols,
                tunnel: tunnel.clone(),
                rebind: tells && (client.must_rebind || is_moved),
            };
            client.running = Some((listen.clone(), generation, tells));
            if tells {
                client.must_rebind = false;
                shared.actions.push(Action::TellClient { index, listen });
            } else {
                shared.actions.push(Action::ObserveClient { index, listen });
            }
        }
    }

    /// Has all clients open their sockets anew: nobody gets through.
    pub fn rebind(&mut self, shared: &Shared) {
        for client in self.clients.iter_mut().filter(|client| client.status.in_sync) {
            client.must_rebind = true;
            client.must_tell = true;
            client.due = shared.now().elapsed;
        }
    }

    pub fn statuses(&self, shared: &Shared) -> Vec<ClientStatus> {
        let now = shared.now();
        // Without a port or a tunnel, no client is asked.
        let is_asked = shared.journal.announced.is_some() && shared.tunnel.is_some();
        let is_asked = is_asked && !shared.is_stopping();
        let status = |client: &Client| ClientStatus {
            next_at: is_asked.then(|| now.second_at(client.due)),
            ..client.status.clone()
        };
        self.clients.iter().map(status).collect()
    }

    /// Whether every client listens on the announced port.
    pub fn are_in_sync(&self, generation: u64) -> bool {
        self.are_asked(generation) && self.clients.iter().all(|client| client.status.in_sync)
    }

    /// Whether every client has been told the last announcement, knew it, or did not answer.
    pub fn are_asked(&self, generation: u64) -> bool {
        self.clients.iter().all(|client| client.asked == Some(generation))
    }

    /// Whether every client that can be reached listens on the announced port.
    pub fn are_settled(&self, generation: u64) -> bool {
        let is_settled = |client: &Client| client.status.in_sync || !client.is_reachable;
        self.are_asked(generation) && self.clients.iter().all(is_settled)
    }
}

impl Client {
    fn fail(&mut self, shared: &mut Shared, problem: String) {
        self.status.in_sync = false;
        self.status.problem = Some(problem);
        let longest = shared.settings.observe_every;
        self.back_off.fail(shared.now(), FIRST.min(longest), longest, &mut shared.random);
        self.due = self.back_off.until;
    }
}

/// What is wrong with a client, in one sentence.
fn out_of_sync(state: &ClientState, wanted: &Listen) -> String {
    if let Some(needs) = &state.needs {
        return needs.clone();
    }
    match state.setting == wanted.port {
        true => format!("its setting is {}, but it does not listen there", wanted.port),
        false => format!("its setting is {}, not {}", state.setting, wanted.port),
    }
}
