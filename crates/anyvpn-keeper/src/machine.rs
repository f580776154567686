//! The keeper as a machine without I/O: events go in, actions come out, and time is a value.
//!
//! Each event changes what is known. Then each part looks at all of it, and asks for what is missing: a call
//! to the provider, a write, a client that has to be told. So an action that failed, or whose answer was lost
//! with the process, is asked for again, in whatever order things went wrong.

mod client_updates;
mod hook_runs;
mod journal_writes;
mod outcome;
mod provider_calls;
mod settings;
mod time;

use std::net::Ipv4Addr;
use std::time::Duration;

use anyvpn_core::{
    Error, ErrorKind, NewPortForward, PortCheck, PortForward, SplitMix64, Timestamp,
};
use client_updates::ClientUpdates;
use hook_runs::HookRuns;
use journal_writes::JournalWrites;
pub use outcome::{Outcome, Problem, Stop};
use provider_calls::{ProviderCalls, Readiness};
pub use settings::Settings;
pub use time::Now;
use time::Timer;

use crate::journal::Announcement;
use crate::{ClientError, ClientState, Journal, Listen, OpenPort, Phase, Snapshot, Tunnel};

/// By how much the time of day may differ from the other clock before it counts as set anew.
const DRIFT: Duration = Duration::from_secs(2);
/// How long the end waits for what is under way.
const GRACE: Duration = Duration::from_secs(20);

/// Something that happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// The time that [`Machine::wake_at`] named has come.
    Woke,
    /// The tunnel was looked at; absent while it is down.
    Tunnel(Option<Tunnel>),
    /// [`Action::Save`] has ended; with a sentence why it failed.
    Saved(Result<(), String>),
    /// [`Action::List`] has ended.
    Listed(Result<Vec<PortForward>, Error>),
    /// [`Action::Create`] has ended.
    Created(Result<PortForward, Error>),
    /// [`Action::Renew`] has ended.
    Renewed(Result<PortForward, Error>),
    /// [`Action::Delete`] has ended.
    Deleted(Result<(), Error>),
    /// [`Action::Check`] has ended.
    Checked(Result<PortCheck, Error>),
    /// [`Action::TellClient`] or [`Action::ObserveClient`] has ended.
    ClientAnswered {
        /// The client's place in the settings.
        index: usize,
        /// What was seen.
        outcome: Result<ClientState, ClientError>,
    },
    /// [`Action::RunHook`] has ended.
    HookFinished {
        /// The hook's place in the settings.
        index: usize,
        /// Whether it succeeded.
        succeeded: bool,
    },
    /// The machine is to end.
    Stop(Stop),
}

/// Something to be done. Each ends with its event, and none waits for another one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// Write the journal, and have it on the disk.
    Save(Box<Journal>),
    /// List the forwards.
    List {
        /// The device, for providers that want it named; absent if the tunnel has no IPv4 address.
        device: Option<Ipv4Addr>,
    },
    /// Open a port. The intent is on the disk.
    Create(NewPortForward),
    /// Keep a forward alive.
    Renew(PortForward),
    /// Close a port that the keeper opened.
    Delete(PortForward),
    /// Have the provider try the port.
    Check(u16),
    /// Set a client's port.
    TellClient {
        /// The client's place in the settings.
        index: usize,
        /// What it is to listen on.
        listen: Listen,
    },
    /// Look at a client.
    ObserveClient {
        /// The client's place in the settings.
        index: usize,
        /// What it is to listen on.
        listen: Listen,
    },
    /// Run a hook.
    RunHook {
        /// The hook's place in the settings.
        index: usize,
        /// What the hook is told.
        snapshot: Box<Snapshot>,
    },
    /// Publish what is known. It has no event.
    Publish(Box<Snapshot>),
    /// End. Nothing follows.
    End(Outcome),
}

/// What all parts of the machine see.
struct Shared {
    settings: Settings,
    journal: Journal,
    tunnel: Option<Tunnel>,
    timer: Timer,
    random: SplitMix64,
    actions: Vec<Action>,
    /// How the machine ends; absent while it goes on.
    stop: Option<Stop>,
}

impl Shared {
    fn now(&self) -> Now {
        self.timer.now
    }

    fn is_stopping(&self) -> bool {
        self.stop.is_some()
    }

    /// A time that is up to a tenth shorter, so that many keepers do not call at once.
    fn jittered(&mut self, time: Duration) -> Duration {
        time - time / 10_240 * (self.random.below(1024) as u32)
    }
}

/// Keeps a forwarded port: decides what is done next.
pub struct Machine {
    shared: Shared,
    calls: ProviderCalls,
    writes: JournalWrites,
    clients: ClientUpdates,
    hooks: HookRuns,
    is_tunnel_known: bool,
    published: Option<Snapshot>,
    /// Since when it ends, and how.
    ending: Option<(Duration, Outcome)>,
    has_ended: bool,
}

impl Machine {
    /// A machine that goes on from a journal.
    #[must_use]
    pub fn new(settings: Settings, journal: Journal, now: Now) -> Self {
        let durable = journal.clone();
        let mut shared = Shared {
            random: SplitMix64::new(settings.seed),
            settings,
            journal,
            tunnel: None,
            timer: Timer { now, wake_at: None },
            actions: Vec::new(),
            stop: None,
        };
        // The clock may have been set back while the keeper was not running.
        shared.journal.shift_creations(|at| at.min(now.time));
        shared.journal.limit_quota(now.time);
        Self {
            calls: ProviderCalls::new(&mut shared),
            writes: JournalWrites::new(durable),
            clients: ClientUpdates::new(&shared),
            hooks: HookRuns::new(&shared.settings.hooks),
            shared,
            is_tunnel_known: false,
            published: None,
            ending: None,
            has_ended: false,
        }
    }

    /// Takes an event, and returns what is to be done now.
    pub fn handle(&mut self, now: Now, event: Event) -> Vec<Action> {
        if self.has_ended {
            return Vec::new();
        }
        self.follow_clock(now);
        self.take(event);
        self.step();
        std::mem::take(&mut self.shared.actions)
    }

    /// When [`Event::Woke`] is due, on [`Now::elapsed`]; `None` if only other events can change anything.
    #[must_use]
    pub fn wake_at(&self) -> Option<Duration> {
        self.shared.timer.wake_at
    }

    /// What is known now.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.shared.journal
    }

    /// Notices when the time of day was set anew, or when the computer slept.
    fn follow_clock(&mut self, now: Now) {
        let earlier = self.shared.timer.now;
        self.shared.timer = Timer { now, wake_at: None };
        let passed = now.elapsed.saturating_sub(earlier.elapsed);
        let expected = earlier.time.checked_add(passed).unwrap_or(Timestamp::MAX);
        let jump = now.time.duration_since(expected);
        if jump.unsigned_abs() > DRIFT {
            let shift = |at: Timestamp| at.checked_add(jump).unwrap_or(now.time);
            self.shared.journal.shift_creations(shift);
            self.shared.journal.limit_quota(now.time);
            self.calls.look_again(now);
        }
    }

    fn take(&mut self, event: Event) {
        let Self { shared, calls, writes, clients, hooks, .. } = self;
        match event {
            Event::Woke => {}
            Event::Tunnel(tunnel) => {
                self.is_tunnel_known = true;
                if shared.tunnel != tunnel {
                    shared.tunnel = tunnel;
                    calls.tunnel_changed(shared.now());
                }
            }
            Event::Saved(outcome) => writes.saved(shared, outcome),
            Event::Listed(outcome) => calls.answered_list(shared, outcome),
            Event::Created(outcome) => calls.answered_create(shared, outcome),
            Event::Renewed(outcome) => calls.answered_renew(shared, outcome),
            Event::Deleted(outcome) => calls.answered_delete(shared, outcome),
            Event::Checked(outcome) => {
                if calls.answered_check(shared, outcome) {
                    clients.rebind(shared);
                }
            }
            Event::ClientAnswered { index, outcome } => {
                if clients.answered(shared, index, outcome) {
                    calls.reached(shared.now());
                }
            }
            Event::HookFinished { index, succeeded } => hooks.finished(shared, index, succeeded),
            Event::Stop(stop) => self.end(stop, Outcome { problem: None }),
        }
    }

    fn end(&mut self, stop: Stop, outcome: Outcome) {
        self.shared.stop = Some(stop);
        self.ending.get_or_insert((self.shared.timer.now.elapsed, outcome));
    }

    /// Asks for everything that is due.
    fn step(&mut self) {
        self.announce();
        let generation = self.shared.journal.generation;
        let ready = Readiness {
            has_intent: self.writes.has_intent(&self.shared),
            writable_at: self.writes.writable_at(),
            is_told: self.clients.are_in_sync(generation) && self.hooks.have_taken(&self.shared),
            is_asked: self.clients.are_asked(generation),
            told_at: self.clients.told_at,
        };
        self.calls.step(&mut self.shared, ready);
        self.announce();
        self.writes.step(&mut self.shared);
        let is_durable = self.writes.has_generation(&mut self.shared);
        if is_durable {
            self.clients.step(&mut self.shared);
        }
        if self.shared.settings.once
            && self.ending.is_none()
            && let Some(outcome) = self.outcome()
        {
            self.end(Stop::Keep, outcome);
        }
        let snapshot = self.snapshot();
        if is_durable {
            self.hooks.step(&mut self.shared, &snapshot);
            self.publish(snapshot);
        }
        self.finish();
    }

    /// Begins a new generation when clients and hooks have something new to know.
    fn announce(&mut self) {
        let journal = &mut self.shared.journal;
        let held = journal.held.as_ref().filter(|held| held.is_open);
        let tunnel = self.shared.tunnel.as_ref();
        let tunnel = tunnel.or(journal.announced.as_ref().map(|announced| &announced.tunnel));
        let announced = held.zip(tunnel).map(|(held, tunnel)| Announcement {
            port: held.forward.port,
            local_port: held.forward.local_port,
            protocols: held.forward.protocols,
            tunnel: tunnel.clone(),
        });
        if announced == journal.announced {
            return;
        }
        journal.generation += 1;
        let port = announced.as_ref().map(|announced| announced.port);
        if port != journal.last_port && journal.last_port.is_some() {
            journal.previous_port = journal.last_port;
            journal.counters.changes += u64::from(port.is_some());
        }
        journal.last_port = port.or(journal.last_port);
        journal.announced = announced;
    }

    fn snapshot(&mut self) -> Snapshot {
        let Self { shared, calls, writes, clients, .. } = self;
        let (_, verified_at, address) = calls.verdict();
        let journal = &shared.journal;
        let held = journal.held.as_ref();
        let port = journal.announced.as_ref().map(|announced| OpenPort {
            port: announced.port,
            local_port: announced.local_port,
            protocols: announced.protocols,
            address,
            expires_at: held.and_then(|held| held.forward.expires_at),
            verified_at,
        });
        let snapshot = Snapshot {
            at: shared.now().time,
            generation: journal.generation,
            phase: Phase::Opening,
            tunnel: shared.tunnel.clone(),
            port,
            previous_port: journal.previous_port,
            clients: clients.statuses(shared),
            problem: None,
            next_at: match writes.problem.is_some() && !shared.is_stopping() {
                true => Some(shared.now().second_at(writes.writable_at())),
                false => calls.next_at(shared).map(|at| shared.now().second_at(at)),
            },
            counters: journal.counters.clone(),
        };
        let problem = self.problem().map(|problem| problem.text);
        Snapshot { phase: self.phase(), problem, ..snapshot }
    }

    fn phase(&self) -> Phase {
        let Self { shared, calls, clients, .. } = self;
        if matches!(shared.stop, Some(Stop::Keep | Stop::Release)) {
            return Phase::Stopping;
        }
        if shared.tunnel.is_none() {
            return Phase::WaitingForTunnel;
        }
        let is_held = shared.journal.announced.is_some();
        // A replacement that has to wait is no trouble yet.
        let waits = calls.allowed_at.is_some() || calls.creation.is_waiting(shared.now());
        if calls.back_off.is_waiting(shared.now()) || (waits && !is_held) {
            return Phase::BackingOff;
        }
        let generation = shared.journal.generation;
        match calls.is_confirmed && is_held {
            true if clients.are_settled(generation) => Phase::Holding,
            true => Phase::Telling,
            false => Phase::Opening,
        }
    }

    fn problem(&self) -> Option<Problem> {
        let Self { shared, calls, writes, .. } = self;
        let (is_closed, _, _) = calls.verdict();
        if shared.tunnel.is_none() && self.is_tunnel_known {
            return Some(Problem::new("the tunnel is down"));
        }
        if let Some(why) = &writes.problem {
            return Some(Problem::new(format!("the journal cannot be written: {why}")));
        }
        if calls.problem.is_some() {
            return calls.problem.clone();
        }
        if calls.allowed_at.is_some() {
            let daily = shared.settings.daily_creations;
            return Some(match shared.journal.quota_until {
                Some(_) => Problem {
                    kind: Some(ErrorKind::QuotaReached),
                    text: "the provider's allowance of new ports is used up".to_owned(),
                },
                None => Problem::new(format!(
                    "{daily} ports were opened within 24 hours, which is the limit that was set"
                )),
            });
        }
        if let Some(problem) = calls.creation_problem() {
            return Some(problem);
        }
        let nobody = "nothing answers at the port from outside";
        is_closed.then(|| Problem::new(nobody))
    }

    /// Publishes what is known, if anything of it is new.
    fn publish(&mut self, snapshot: Snapshot) {
        let is_known = self.published.as_ref().is_some_and(|published| {
            // Neither the time nor the second that a deadline is rounded to is news.
            let mut alike = Snapshot { at: published.at, ..snapshot.clone() };
            alike.next_at = same_second(published.next_at, alike.next_at);
            for (client, old) in alike.clients.iter_mut().zip(&published.clients) {
                client.next_at = same_second(old.next_at, client.next_at);
            }
            alike == *published
        });
        if !is_known {
            self.published = Some(snapshot.clone());
            self.shared.actions.push(Action::Publish(Box::new(snapshot)));
        }
    }

    /// How one round ended; `None` while it goes on.
    fn outcome(&self) -> Option<Outcome> {
        let Self { shared, calls, clients, hooks, .. } = self;
        let failed = calls.has_failed();
        let is_down = self.is_tunnel_known && shared.tunnel.is_none();
        let never = shared.journal.held.is_none() && shared.settings.daily_creations == 0;
        if is_down || (calls.is_idle() && (failed || (never && calls.problem.is_some()))) {
            return Some(Outcome { problem: self.problem() });
        }
        if self.writes.problem.is_some() {
            return Some(Outcome { problem: self.problem() });
        }
        let generation = shared.journal.generation;
        let is_open = calls.is_confirmed && shared.journal.announced.is_some();
        if !is_open
            || !clients.are_asked(generation)
            || !hooks.are_idle(shared)
            || !calls.is_checked(shared)
        {
            return None;
        }
        let unsynced = clients.statuses(shared).into_iter().find(|status| !status.in_sync);
        let problem = match unsynced {
            Some(client) => {
                let why = client.problem.unwrap_or_default();
                Some(Problem::new(format!("{}: {why}", client.name)))
            }
            None if !hooks.have_taken(shared) => Some(Problem::new("a hook failed")),
            None => self.problem(),
        };
        Some(Outcome { problem })
    }

    /// Ends when nothing is under way, or when that takes too long.
    fn finish(&mut self) {
        let Some((since, outcome)) = &self.ending else { return };
        let Self { shared, calls, writes, hooks, .. } = self;
        let is_idle = calls.is_released(shared) && writes.is_idle(shared) && hooks.are_idle(shared);
        if is_idle || shared.timer.is_due(*since + GRACE) {
            self.has_ended = true;
            shared.actions.push(Action::End(outcome.clone()));
        }
    }
}

/// Returns the new deadline, or the old one if they differ only by the second that both are rounded to.
fn same_second(old: Option<Timestamp>, new: Option<Timestamp>) -> Option<Timestamp> {
    let is_same = |old: &Timestamp| {
        new.is_some_and(|new| new.duration_since(*old).unsigned_abs() <= Duration::from_secs(1))
    };
    old.filter(is_same).or(new)
}
