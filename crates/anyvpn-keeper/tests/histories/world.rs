//! The keeper's world on virtual time: its process, its disk, its tunnel, its clients and hooks.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyvpn_core::{
    Error, ErrorKind, Lease, NewPortForward, PortCheck, PortForward, PortProtocols, SplitMix64,
    Timestamp,
};
use anyvpn_keeper::machine::{Action, Event, Machine, Now, Settings, Stop};
use anyvpn_keeper::{ClientError, ClientState, Journal, Listen, Snapshot, Tunnel};

use crate::faults::{Fault, HOUR, Lost, MINUTE, SECOND, Weather};
use crate::laws::Laws;
use crate::provider::{Kind, Provider, millis, stamp};

/// The maximum number of actions at one moment.
const BUSY: u32 = 60;
/// How long a late creation can take.
const LATE: u64 = 20 * SECOND;

enum Pending {
    /// The process starts, unless it is running.
    Start,
    /// A request takes effect at the provider.
    Work { life: u64, request: Action, sent: Sent },
    /// The process gets an answer.
    Deliver { life: u64, event: Event, sent: Sent },
    /// The disk has written the journal, or failed to write it.
    Written { life: u64, text: String, written: bool },
    /// A client does what it was told.
    Client { life: u64, index: usize, listen: Listen, tells: bool },
    /// A hook ends.
    Hook { life: u64, index: usize, generation: u64 },
    /// The tunnel comes back.
    TunnelUp { new_index: bool, new_address: bool },
}

/// Where a request was sent.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    pub server: u32,
    pub device: Ipv4Addr,
    /// The number of changes of the tunnel that the process was told before.
    pub epoch: u64,
}

#[derive(Clone)]
pub struct Client {
    pub setting: u16,
    pub listens: bool,
    tunnel: Option<Tunnel>,
    down_until: u64,
    refuses_until: u64,
    lies: bool,
    is_slow: bool,
    /// Whether it is in another network namespace, where its sockets cannot be seen. Only another tunnel is a
    /// reason to doubt it.
    is_unseen: bool,
}

#[derive(Default)]
pub struct Hook {
    pub taken: u64,
    pub fails_until: u64,
    pub healthy_since: u64,
}

pub struct World {
    pub now: u64,
    /// The error of the time of day.
    pub offset: i64,
    queue: BTreeMap<(u64, u64), Pending>,
    sequence: u64,
    random: SplitMix64,
    pub provider: Provider,
    pub server: u32,
    pub tunnel: Option<Tunnel>,
    last_tunnel: Tunnel,
    weather: (Weather, u64),
    lose: Option<Lost>,
    /// The forwards stored on this machine, if the provider has no list.
    stored: Vec<PortForward>,
    pub disk_full_until: u64,
    pub file: Option<String>,
    pub clients: Vec<Client>,
    pub hook: Hook,
    pub settings: Settings,
    pub machine: Option<Machine>,
    life: u64,
    started_at: u64,
    kill_after: Option<u64>,
    killed_for: u64,
    is_stopping: bool,
    actions_now: (u64, u32),
    quiet_since: u64,
    epoch: u64,
    pub published: Option<Snapshot>,
    pub laws: Laws,
    pub broken: Option<String>,
    pub notes: Vec<String>,
    pub reached: BTreeMap<&'static str, u64>,
    /// How often each thing was asked for.
    pub asked: BTreeMap<&'static str, u64>,
    /// When the provider was asked for a list.
    pub listed: Vec<u64>,
}

impl World {
    pub fn new(kind: Kind, random: &mut SplitMix64) -> Self {
        let provider = Provider::new(kind, random);
        let lease = match provider.kind {
            Kind::Fixed { .. } => Lease::Fixed,
            Kind::KeptAlive { every, .. } => {
                Lease::KeptAlive { every: Duration::from_millis(every) }
            }
        };
        let mut settings = Settings::new(lease);
        settings.can_check = provider.is_fixed();
        settings.clients = vec!["one".to_owned(), "two".to_owned()];
        settings.hooks = vec!["hook".to_owned()];
        settings.daily_creations =
            if provider.is_fixed() { 1 + random.below(5) as u32 } else { 50 };
        settings.replace_before = Duration::from_millis(provider.lead());
        settings.observe_every = Duration::from_secs(20 * 60);
        settings.seed = random.next_u64();
        let client = Client {
            setting: 6881,
            listens: true,
            tunnel: None,
            down_until: 0,
            refuses_until: 0,
            lies: false,
            is_slow: false,
            is_unseen: false,
        };
        let unseen = Client { is_unseen: random.below(2) == 0, ..client.clone() };
        let address = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
        let tunnel = Tunnel::new("wg0", 1, vec![address]);
        Self {
            now: 0,
            offset: 0,
            queue: BTreeMap::new(),
            sequence: 0,
            random: SplitMix64::new(random.next_u64()),
            provider,
            server: 1,
            tunnel: Some(tunnel.clone()),
            last_tunnel: tunnel,
            weather: (Weather::Fine, 0),
            lose: None,
            stored: Vec::new(),
            disk_full_until: 0,
            file: None,
            clients: vec![client, unseen],
            hook: Hook::default(),
            settings,
            machine: None,
            life: 0,
            started_at: 0,
            kill_after: None,
            killed_for: 0,
            is_stopping: false,
            actions_now: (0, 0),
            quiet_since: 0,
            epoch: 0,
            published: None,
            laws: Laws::default(),
            broken: None,
            notes: Vec::new(),
            reached: BTreeMap::new(),
            asked: BTreeMap::new(),
            listed: Vec::new(),
        }
    }

    pub fn is_quick(&self) -> bool {
        self.provider.is_quick()
    }

    pub fn note(&mut self, text: String) {
        self.notes.push(format!("{:>12.3} s  {text}", self.now as f64 / 1000.0));
    }

    pub fn reach(&mut self, what: &'static str) {
        *self.reached.entry(what).or_default() += 1;
    }

    pub fn breaks(&mut self, law: &str, why: String) {
        if self.broken.is_none() {
            self.note(format!("BROKEN {law}: {why}"));
            self.broken = Some(format!("{law}: {why}"));
        }
    }

    pub fn device(&self) -> Ipv4Addr {
        let address = self.last_tunnel.addresses.first();
        address.and_then(|it| if let IpAddr::V4(it) = it { Some(*it) } else { None }).unwrap()
    }

    pub fn stamp(&self) -> Timestamp {
        stamp(self.now, self.offset)
    }

    fn clock(&self) -> Now {
        Now { time: self.stamp(), elapsed: Duration::from_millis(self.now - self.started_at + 5) }
    }

    fn later(&mut self, after: u64, pending: Pending) {
        self.sequence += 1;
        self.queue.insert((self.now + after, self.sequence), pending);
    }

    fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.random.below(to - from)
    }

    /// Returns whether a request was sent over the tunnel that the process knows now.
    pub fn is_current(&self, sent: Sent) -> bool {
        sent.epoch == self.epoch
    }

    pub fn is_down(&self) -> bool {
        self.machine.is_none()
    }

    /// How the provider answers now.
    pub fn weather(&self) -> Weather {
        if self.weather.1 > self.now { self.weather.0 } else { Weather::Fine }
    }

    /// The journal that is on the disk.
    pub fn journal(&self) -> Journal {
        let parsed = |text: &String| serde_json::from_str(text).unwrap();
        self.file.as_ref().map_or_else(Journal::new, parsed)
    }

    /// Whether nothing has happened to this world for so long.
    pub fn is_quiet_for(&self, time: u64) -> bool {
        self.now >= self.quiet_since + time
    }

    /// Whether the process waits for something but a client.
    pub fn is_waited_for(&self) -> bool {
        self.queue.values().any(|pending| match pending {
            Pending::Deliver { life, .. }
            | Pending::Written { life, .. }
            | Pending::Hook { life, .. }
            | Pending::Work { life, .. } => *life == self.life,
            _ => false,
        })
    }

    /// Whether the process waits for this client.
    pub fn is_client_asked(&self, client: usize) -> bool {
        self.queue.values().any(|pending| {
            matches!(pending, Pending::Client { life, index, .. } if (*life, *index) == (self.life, client))
        })
    }

    pub fn start(&mut self) {
        if self.machine.is_some() {
            return;
        }
        self.life += 1;
        self.started_at = self.now;
        self.is_stopping = false;
        let journal = self.journal();
        Laws::started(self, &journal);
        self.machine = Some(Machine::new(self.settings.clone(), journal, self.clock()));
        self.note("the process starts".to_owned());
        self.deliver(Event::Woke);
        self.tell_tunnel();
    }

    fn tell_tunnel(&mut self) {
        if self.machine.is_some() {
            self.epoch += 1;
            let tunnel = self.tunnel.clone();
            Laws::tunnel_told(self);
            self.deliver(Event::Tunnel(tunnel));
        }
    }

    fn kill(&mut self, down_for: u64) {
        self.note(format!("killed, for {down_for} ms"));
        self.reach("killed");
        self.machine = None;
        self.kill_after = None;
        self.later(down_for, Pending::Start);
    }

    pub fn run_for(&mut self, time: u64) {
        let end = self.now + time;
        while self.broken.is_none() {
            let next = self.queue.first_key_value().map(|((at, _), _)| *at);
            let wake = self.machine.as_ref().and_then(Machine::wake_at);
            let wake = wake.map(|at| {
                self.started_at + (at.as_micros().div_ceil(1000) as u64).saturating_sub(5)
            });
            let Some(at) = [next, wake].into_iter().flatten().min().filter(|at| *at <= end) else {
                break;
            };
            self.now = self.now.max(at);
            if next == Some(at) {
                let (_, pending) = self.queue.pop_first().unwrap();
                self.happen(pending);
            } else {
                self.deliver(Event::Woke);
            }
            Laws::hold_at_all_times(self);
        }
        self.now = self.now.max(end);
    }

    fn happen(&mut self, pending: Pending) {
        Laws::happens(self);
        let life = self.life;
        let is_alive = |of: u64, world: &Self| of == life && world.machine.is_some();
        match pending {
            Pending::Start => self.start(),
            Pending::Work { life, request, sent } => self.work(life, request, sent),
            Pending::Deliver { life, event, sent } if is_alive(life, self) => {
                self.remember(&event);
                Laws::learn(self, &event, sent);
                self.deliver(event);
            }
            Pending::Deliver { event, .. } => Laws::unanswered(self, &event),
            Pending::Written { life, text, written } => {
                let survives = is_alive(life, self) || self.random.below(2) == 0;
                if written && survives {
                    self.file = Some(text);
                    Laws::saved(self);
                }
                if is_alive(life, self) {
                    let outcome = if written { Ok(()) } else { Err("no space".to_owned()) };
                    self.deliver(Event::Saved(outcome));
                }
            }
            Pending::Client { life, index, listen, tells } => {
                let outcome = self.ask_client(index, &listen, tells);
                if is_alive(life, self) {
                    Laws::client_answered(self, index, &listen, &outcome, tells);
                    self.deliver(Event::ClientAnswered { index, outcome });
                }
            }
            Pending::Hook { life, index, generation } => {
                Laws::hook_ended(self);
                let succeeded = self.hook.fails_until <= self.now;
                if succeeded {
                    self.hook.taken = self.hook.taken.max(generation);
                } else {
                    self.reach("hook failed");
                }
                if is_alive(life, self) {
                    self.deliver(Event::HookFinished { index, succeeded });
                }
            }
            Pending::TunnelUp { new_index, new_address } => {
                let tunnel = &mut self.last_tunnel;
                tunnel.index += u32::from(new_index);
                if new_address {
                    // Never one that was there before.
                    let address = Ipv4Addr::from_bits((11 << 24) + self.sequence as u32);
                    tunnel.addresses = vec![IpAddr::V4(address)];
                }
                self.tunnel = Some(self.last_tunnel.clone());
                self.tell_tunnel();
            }
        }
    }

    fn deliver(&mut self, event: Event) {
        let clock = self.clock();
        let Some(machine) = &mut self.machine else { return };
        let actions = machine.handle(clock, event);
        if self.actions_now.0 != self.now {
            self.actions_now = (self.now, 0);
        }
        self.actions_now.1 += 1;
        if self.actions_now.1 > BUSY {
            self.breaks("no busy loop", format!("{actions:?}"));
        }
        for action in actions {
            if let Some(after) = self.kill_after {
                if after == 0 {
                    let down_for = self.killed_for;
                    return self.kill(down_for);
                }
                self.kill_after = Some(after - 1);
            }
            self.perform(action);
        }
        Laws::published(self);
    }

    fn perform(&mut self, action: Action) {
        let life = self.life;
        match action {
            Action::Publish(snapshot) => {
                Laws::publishes(self, &snapshot);
                self.published = Some(*snapshot);
            }
            Action::Save(journal) => {
                Laws::writes(self);
                let text = serde_json::to_string(&journal).unwrap();
                let written = self.disk_full_until <= self.now;
                if !written {
                    self.reach("full disk");
                }
                let slow = if self.random.below(20) == 0 { 5 * SECOND } else { 50 };
                let after = self.between(1, slow);
                if after > SECOND / 2 {
                    Laws::disk_is_bad(self);
                }
                self.later(after, Pending::Written { life, text, written });
            }
            Action::TellClient { index, listen } => {
                Laws::asks_client(self, index, Some(&listen));
                let after = self.client_time(index);
                self.later(after, Pending::Client { life, index, listen, tells: true });
            }
            Action::ObserveClient { index, listen } => {
                Laws::asks_client(self, index, None);
                let after = self.client_time(index);
                self.later(after, Pending::Client { life, index, listen, tells: false });
            }
            Action::RunHook { index, snapshot } => {
                Laws::runs_hook(self, &snapshot);
                let after = self.between(10, 30 * SECOND);
                let generation = snapshot.generation;
                self.later(after, Pending::Hook { life, index, generation });
            }
            Action::End(outcome) => {
                if !self.is_stopping {
                    self.breaks("it never ends by itself", format!("{outcome:?}"));
                }
                Laws::ends(self);
                self.note("the process ends".to_owned());
                self.machine = None;
                let down_for = self.killed_for;
                self.later(down_for, Pending::Start);
            }
            request => self.send(request),
        }
    }

    fn client_time(&mut self, index: usize) -> u64 {
        if self.clients[index].is_slow { self.between(SECOND, 30 * SECOND) } else { 40 }
    }

    /// Sends a request to the provider, which is answered, refused, lost or late.
    fn send(&mut self, request: Action) {
        let sent = Sent { server: self.server, device: self.device(), epoch: self.epoch };
        if matches!(request, Action::List { .. }) {
            self.listed.push(self.now);
        }
        Laws::sends(self, &request, sent);
        let life = self.life;
        if matches!(request, Action::List { .. }) && !self.provider.is_fixed() {
            let event = Event::Listed(Ok(self.stored.clone()));
            return self.later(1, Pending::Deliver { life, event, sent });
        }
        let is_creation = matches!(request, Action::Create(_));
        if is_creation {
            self.note(format!("sends {request:?}"));
        }
        let weather = self.weather();
        let lost = match (weather, self.random.below(3)) {
            _ if self.tunnel.is_none() => Some(Lost::Before),
            (Weather::Lossy, 0) => Some(Lost::After),
            (Weather::Lossy, 1) => Some(Lost::Before),
            _ => None,
        };
        let lost = if is_creation { self.lose.take().or(lost) } else { lost };
        if let Some(lost) = lost {
            let kind = if is_creation { ErrorKind::Ambiguous } else { ErrorKind::Timeout };
            let given_up = self.between(SECOND, 30 * SECOND);
            let event = answer(&request, Error::new(kind));
            self.later(given_up, Pending::Deliver { life, event, sent });
            let done_at = match lost {
                Lost::Before => return,
                Lost::Instead => return self.person_opens(PortProtocols::Both),
                Lost::Elsewhere => {
                    self.work(0, request, sent);
                    self.server += 1;
                    return Laws::moved(self);
                }
                Lost::After => self.random.below(given_up),
                Lost::Late if is_creation => {
                    self.reach("creation done late");
                    given_up + self.random.below(LATE)
                }
                Lost::Late => given_up + self.random.below(LATE),
            };
            // Nobody waits for the answer.
            return self.later(done_at, Pending::Work { life: 0, request, sent });
        }
        let refusal = match weather {
            Weather::Fine | Weather::Lossy => {
                let after = self.between(20, 2 * SECOND);
                return self.later(after, Pending::Work { life, request, sent });
            }
            Weather::Unreachable => Error::new(ErrorKind::Unreachable),
            Weather::Unavailable => Error::new(ErrorKind::Unavailable),
            Weather::GatewayPage => Error::new(ErrorKind::UnexpectedReply),
            Weather::RateLimited => {
                let wait = Duration::from_secs(self.between(1, 120));
                Error::new(ErrorKind::RateLimited).with_retry_after(Some(wait))
            }
            Weather::Unauthorized => Error::new(ErrorKind::Unauthorized),
        };
        let is_unclear = matches!(weather, Weather::Unavailable | Weather::GatewayPage);
        // Not everything that answers says that the outcome is not known.
        let is_told = is_unclear && (!self.provider.is_fixed() || self.random.below(2) == 0);
        let refusal = if is_creation && is_told { refusal.with_read_back() } else { refusal };
        // Whoever answers in the provider's place does not know what it did.
        if is_creation && is_unclear && self.random.below(2) == 0 {
            self.later(200, Pending::Work { life: 0, request: request.clone(), sent });
        }
        let event = answer(&request, refusal);
        self.later(500, Pending::Deliver { life, event, sent });
    }

    /// A request takes effect at the provider, which answers.
    fn work(&mut self, life: u64, request: Action, sent: Sent) {
        let (now, offset) = (self.now, self.offset);
        let Sent { server, device, .. } = sent;
        let provider = &mut self.provider;
        let event = match &request {
            Action::List { .. } => Event::Listed(Ok(provider.list(now, server, device))),
            Action::Create(wanted) => {
                let made = self.create(sent, wanted, life == 0);
                if life == 0 && made.is_ok() {
                    self.reach("creation lost after the work");
                }
                Event::Created(made)
            }
            Action::Renew(forward) => {
                Event::Renewed(provider.renew(now, server, device, forward, offset))
            }
            Action::Delete(forward) if provider.is_fixed() => {
                Event::Deleted(provider.delete(now, server, forward.port))
            }
            Action::Delete(forward) => {
                self.stored.retain(|stored| stored.port != forward.port);
                Event::Deleted(Ok(()))
            }
            Action::Check(port) => {
                let is_open = provider.at(now, server, device).any(|open| open.port == *port);
                let listens = self.clients.iter().any(|client| client.serves(*port, now));
                Event::Checked(Ok(PortCheck::new(*port, is_open && listens, None)))
            }
            other => panic!("not for the provider: {other:?}"),
        };
        if life != 0 {
            self.later(5, Pending::Deliver { life, event, sent });
        }
    }

    fn create(
        &mut self,
        sent: Sent,
        wanted: &NewPortForward,
        is_lost: bool,
    ) -> Result<PortForward, Error> {
        let (now, offset) = (self.now, self.offset);
        // A number with a long enough reservation is opened again.
        if let Kind::KeptAlive { reserved: Some(reserved), .. } = self.provider.kind {
            let lasts = |stored: &&PortForward| {
                stored.ends_at.is_some_and(|end| millis(end) > (now + reserved / 3).cast_signed())
            };
            if let Some(stored) = self.stored.iter().find(lasts).cloned() {
                let again = self.provider.renew(now, sent.server, sent.device, &stored, offset);
                if again.is_ok() {
                    return again;
                }
            }
        }
        let made = self.provider.create(now, sent.server, sent.device, wanted, true, offset);
        self.note(format!("the provider creates {:?}", made.as_ref().map(|made| made.port)));
        match &made {
            Ok(_) => self.reach("created"),
            Err(_) => self.reach("quota reached"),
        }
        Laws::created(self, made.as_ref().ok().map(|made| made.port), is_lost);
        made
    }

    /// Stores an answer on this machine, if the provider has no list.
    fn remember(&mut self, event: &Event) {
        let (Event::Created(Ok(made)) | Event::Renewed(Ok(made))) = event else { return };
        if let Event::Renewed(_) = event {
            self.reach("renewed");
        }
        if self.provider.is_fixed() {
            return;
        }
        let made = made.clone();
        let now = self.stamp();
        self.stored.retain(|stored| {
            stored.port != made.port
                && stored.ends_at.or(stored.expires_at).is_some_and(|it| it > now)
        });
        // A new reservation replaces the old one.
        if made.ends_at.is_some() {
            self.stored.clear();
        }
        self.stored.push(made);
    }

    fn ask_client(
        &mut self,
        index: usize,
        listen: &Listen,
        tells: bool,
    ) -> Result<ClientState, ClientError> {
        let now = self.now;
        let client = &mut self.clients[index];
        if client.down_until > now {
            return Err(ClientError::Unreachable("connection refused".to_owned()));
        }
        if client.refuses_until > now {
            return Err(ClientError::Unauthorized("wrong password".to_owned()));
        }
        let mut state = ClientState::new(listen.port);
        if tells && std::mem::take(&mut client.lies) {
            (state.listens_tcp, state.listens_udp) = (Some(true), Some(true));
            return Ok(state);
        }
        if tells {
            if client.setting != listen.port || listen.rebind {
                client.listens = true;
                client.tunnel = Some(listen.tunnel.clone());
            }
            client.setting = listen.port;
        }
        state.setting = client.setting;
        let listens = Some(client.listens).filter(|_| !client.is_unseen);
        (state.listens_tcp, state.listens_udp) = (listens, listens);
        if tells {
            self.reach(if listen.rebind { "rebound" } else { "told" });
        }
        Ok(state)
    }

    pub fn suffer(&mut self, fault: Fault, random: &mut SplitMix64) {
        let now = self.now;
        Laws::disturbed(self);
        match fault {
            Fault::Nothing => {}
            Fault::Kill { after, down_for } => {
                self.kill_after = Some(after);
                self.killed_for = down_for;
            }
            // Only the first one counts.
            Fault::Restart { .. } if self.is_stopping => {}
            Fault::Restart { stop, down_for } => {
                self.killed_for = if stop == Stop::Reload { 1 } else { down_for };
                self.is_stopping = self.machine.is_some();
                Laws::stops(self, stop);
                self.deliver(Event::Stop(stop));
            }
            Fault::Flap { down_for, new_index, new_address } => {
                if self.tunnel.take().is_some() {
                    self.later(down_for, Pending::TunnelUp { new_index, new_address });
                    if new_index || new_address {
                        self.clients.iter_mut().for_each(|client| client.listens = false);
                    }
                    if new_address {
                        Laws::moved(self);
                    }
                    self.tell_tunnel();
                }
            }
            Fault::OtherServer => {
                self.server += 1;
                // The handshake of the old one is over: what was sent to it may still be done.
                if random.below(2) == 0 {
                    self.server = 1;
                }
                Laws::moved(self);
            }
            Fault::Weather { weather, lasts } => self.weather = (weather, now + lasts),
            Fault::LoseCreation { how } => self.lose = Some(how),
            Fault::StopClient { index, down_for } => {
                self.clients[index].down_until = now + down_for;
                self.forget(index);
            }
            Fault::ForgetfulClient { index } => self.forget(index),
            Fault::LyingClient { index } => {
                self.clients[index].lies = !self.clients[index].is_unseen
            }
            Fault::RefusingClient { index, lasts } => {
                self.clients[index].refuses_until = now + lasts;
            }
            Fault::DeadSocket { index } => {
                self.clients[index].listens &= self.clients[index].is_unseen
            }
            Fault::SlowClient { index } => {
                let client = &mut self.clients[index];
                client.is_slow = !client.is_slow;
            }
            Fault::FailingHook { lasts } => {
                self.hook.fails_until = now + lasts;
                self.hook.healthy_since = now + lasts;
            }
            Fault::ClockJump { by } => {
                self.offset += by;
                Laws::clock_jumped(self);
            }
            Fault::FullDisk { lasts } => {
                self.disk_full_until = now + lasts;
                Laws::disk_is_bad(self);
            }
            Fault::PortClosed => self.close_port(),
            Fault::PersonOpens { only_tcp } => self.person_opens(match only_tcp {
                true => PortProtocols::Tcp,
                false => PortProtocols::Both,
            }),
            Fault::AllowanceUsed => self.provider.use_up_allowance(now),
        }
        self.quiet_since = now;
    }

    /// A person opens a port for this device, where the provider has a list of them.
    fn person_opens(&mut self, protocols: PortProtocols) {
        if self.provider.is_fixed() {
            let (now, server, device) = (self.now, self.server, self.device());
            let mut wanted = NewPortForward::new();
            wanted.protocols = protocols;
            let made = self.provider.create(now, server, device, &wanted, false, 0);
            let port = made.map(|made| made.port).ok();
            self.note(format!("a person opens {port:?} for {protocols:?}"));
        }
    }

    fn close_port(&mut self) {
        let port = self.published.as_ref().and_then(|published| published.port.as_ref());
        let Some(port) = port.map(|port| port.port) else { return };
        let (now, server) = (self.now, self.server);
        let _ = self.provider.delete(now, server, port);
        self.reach("lost");
    }

    fn forget(&mut self, index: usize) {
        let client = &mut self.clients[index];
        (client.setting, client.listens) = (6881, true);
    }

    /// Repairs everything, and waits until the final invariants must hold.
    pub fn settle(&mut self) {
        if self.broken.is_some() {
            return;
        }
        self.note("all is repaired".to_owned());
        Laws::disturbed(self);
        let now = self.now;
        self.weather = (Weather::Fine, 0);
        (self.lose, self.kill_after) = (None, None);
        self.disk_full_until = 0;
        (self.hook.fails_until, self.hook.healthy_since) = (0, now);
        for client in &mut self.clients {
            (client.down_until, client.refuses_until) = (0, 0);
            (client.lies, client.is_slow) = (false, false);
        }
        self.killed_for = 1;
        if self.tunnel.is_none() {
            self.queue.retain(|_, pending| !matches!(pending, Pending::TunnelUp { .. }));
            self.happen(Pending::TunnelUp { new_index: true, new_address: false });
        }
        // One that is about to end ends first.
        self.run_for(MINUTE);
        self.start();
        // The longest wait: for credentials that were refused.
        self.run_for(80 * MINUTE);
        // An allowance that is used up comes back within a day; by a wrong clock, it is tried too early, and
        // then a day later. All agree soon after the port is open.
        let (mut generation, mut tries) = (0, 0);
        for _ in 0..(60 * HOUR / (10 * MINUTE)) {
            self.run_for(10 * MINUTE);
            let Some(why) = Laws::disagreement(self) else { return };
            let published = self.published.as_ref().map_or(0, |published| published.generation);
            tries = if published == generation && Laws::is_port_open(self) { tries + 1 } else { 0 };
            generation = published;
            if tries == 0 {
                self.reach("budget used up");
            }
            if tries > 4 {
                return self.breaks("all agree in the end", why);
            }
        }
        let why = Laws::disagreement(self).unwrap_or_default();
        self.breaks("all agree in the end", why);
    }

    /// Returns whether a client really listens on a port of the current tunnel.
    pub fn serves(&self, index: usize, port: u16) -> bool {
        self.clients[index].serves(port, self.now)
    }
}

impl Client {
    fn serves(&self, port: u16, now: u64) -> bool {
        self.down_until <= now && self.setting == port && self.listens
    }
}

/// Returns the event of a failed request.
fn answer(request: &Action, error: Error) -> Event {
    match request {
        Action::List { .. } => Event::Listed(Err(error)),
        Action::Create(_) => Event::Created(Err(error)),
        Action::Renew(_) => Event::Renewed(Err(error)),
        Action::Delete(_) => Event::Deleted(Err(error)),
        Action::Check(_) => Event::Checked(Err(error)),
        other => panic!("not for the provider: {other:?}"),
    }
}
