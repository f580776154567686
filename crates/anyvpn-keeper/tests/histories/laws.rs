//! Invariants that must hold in every history.

mod endings;
mod pace;
mod snapshots;
mod telling;
mod tunnels;

use std::collections::{BTreeMap, BTreeSet};

use anyvpn_core::{ErrorKind, NewPortForward, PortProtocols};
use anyvpn_keeper::machine::{Action, Event, Stop};
use anyvpn_keeper::{ClientError, ClientState, Journal, Listen, OpenPort, Phase, Snapshot};

use self::endings::Ending;
use self::pace::Pace;
use self::telling::Told;
use self::tunnels::OverTunnel;
use crate::faults::{DAY, HOUR, MINUTE, SECOND};
use crate::provider::stamp;
use crate::world::{Sent, World};

/// How long a working hook of a running keeper may lag behind a generation: twice the sum of its
/// longest back-off and its longest run.
const HOOK_TIME: u64 = 15 * MINUTE;
/// How long a client that refuses credentials must be left alone.
const ALONE: u64 = 50 * MINUTE;

/// How late the renewals of a forward that is kept alive are written, and some more.
const LATE: u64 = 11 * MINUTE;

/// What is known about the past of a world.
#[derive(Default)]
pub struct Laws {
    /// The numbers that the provider has reported to this process as gone.
    known_lost: BTreeMap<u16, u64>,
    /// The number that the provider was asked to renew.
    asked: Option<u16>,
    has_jumped: bool,
    has_had_bad_disk: bool,
    /// The error of the clock when the journal was last written.
    offset_when_saved: i64,
    /// A wrong clock excuses a violation of the budget until this time.
    excused_until: u64,
    /// The content of each generation.
    contents: BTreeMap<u64, Option<(u16, String)>>,
    last_generation: u64,
    generation_since: u64,
    alive_since: u64,
    /// When a client that had refused the credentials was last asked.
    refused_at: [Option<u64>; 2],
    /// The port on which each client was last seen to listen.
    seen: [Option<u16>; 2],
    /// The provider's quota is known to be used up until this time.
    quota_until: u64,
    /// The ports that were created although the answer was lost.
    unanswered: BTreeSet<u16>,
    /// The ports whose loss was proved to any process.
    proved_lost: BTreeSet<u16>,
    /// The number that the provider does not give again over this tunnel.
    gone: Option<u16>,
    last_port: Option<u16>,
    /// When creations were sent that were not surely refused.
    attempts: Vec<u64>,
    /// When forwards may have been left behind at another server or address.
    moved_at: Option<u64>,
    pace: Pace,
    ending: Ending,
    told: Told,
    tunnel: OverTunnel,
}

impl Laws {
    pub fn started(world: &mut World, journal: &Journal) {
        let laws = &mut world.laws;
        laws.known_lost.clear();
        laws.refused_at = [None; 2];
        laws.seen = [None; 2];
        laws.alive_since = world.now;
        laws.ending = Ending::default();
        laws.told = Told::default();
        laws.gone = None;
        if journal.intent.is_some() {
            laws.attempts.push(world.now);
            laws.ending.has_sent = true;
        }
        if world.offset > laws.offset_when_saved + 1000 {
            // The process cannot know that its times are older than they seem.
            laws.excused_until = world.now + 25 * HOUR;
        }
        if journal.quota_until.is_none() {
            laws.quota_until = 0;
        }
        Self::disturbed(world);
        Self::forget_pauses(world);
        Self::forget_tunnel(world);
    }

    /// Forwards may be left behind at another server.
    pub fn moved(world: &mut World) {
        world.laws.moved_at = Some(world.now);
    }

    pub fn clock_jumped(world: &mut World) {
        world.laws.has_jumped = true;
        world.laws.quota_until = 0;
    }

    /// It is full, or so slow that several writes take longer than an announcement waits.
    pub fn disk_is_bad(world: &mut World) {
        world.laws.has_had_bad_disk = true;
    }

    pub fn saved(world: &mut World) {
        world.laws.offset_when_saved = world.offset;
        if world.journal().intent.is_none() {
            world.laws.ending.has_sent = false;
        }
    }

    /// Checks a request to the provider before it leaves this machine.
    pub fn sends(world: &mut World, request: &Action, sent: Sent) {
        match request {
            Action::Create(wanted) => Self::sends_creation(world, wanted, sent),
            Action::Renew(forward) => world.laws.asked = Some(forward.port),
            Action::Delete(forward) => Self::sends_deletion(world, forward.port, sent),
            _ => {}
        }
        if world.laws.ending.stop.is_some() && !matches!(request, Action::Delete(_)) {
            world.breaks("nothing is begun at the end", format!("{request:?}"));
        }
        Self::sends_check(world, request);
        Self::sends_over(world, request);
        let is_local = matches!(request, Action::List { .. }) && !world.provider.is_fixed();
        if !is_local {
            Self::paces_call(world, request);
        }
    }

    /// Never a surplus creation, nor one while an earlier one is undecided, nor one that is not in the journal.
    fn sends_creation(world: &mut World, wanted: &NewPortForward, sent: Sent) {
        world.laws.attempts.push(world.now);
        world.laws.ending.has_sent = true;
        Self::wishes(world, wanted);
        let intent = |text: &String| {
            let journal: Journal = serde_json::from_str(text).unwrap();
            journal.intent.is_some()
        };
        if !world.file.as_ref().is_some_and(intent) {
            world.breaks("an intent is on the disk before its creation", String::new());
        }
        if world.provider.is_fixed() && world.now < world.laws.quota_until {
            world.breaks("a quota is remembered until its end", String::new());
        }
        let now = world.now;
        let lead = world.provider.lead() + 10 * MINUTE;
        // The end by the keeper's clock. A wrong clock may make it replace a forward too early.
        let its_now = now.saturating_add_signed(world.offset.max(0));
        let is_usable = |end: u64| end > its_now + lead;
        // Nothing on this machine shows another server, and a list holds for 30 s.
        let is_unseen = world.laws.moved_at.is_some_and(|at| now < at + MINUTE);
        let usable = world.provider.at(now, sent.server, sent.device).find(|open| {
            // A forward that a person opened a moment ago was in no list.
            let is_known = open.by_keeper || open.created_at + MINUTE < now;
            let carries = open.protocols == PortProtocols::Both;
            carries && is_known && is_usable(open.last_end.unwrap_or(open.ends))
        });
        if let Some(open) = usable.cloned()
            && world.provider.is_fixed()
            && !is_unseen
        {
            world.breaks("no surplus creation", format!("{open:?} is there"));
        }
    }

    /// Where forwards are kept alive, the last number is asked for again, unless it is gone.
    fn wishes(world: &mut World, wanted: &NewPortForward) {
        let laws = &world.laws;
        if world.provider.is_fixed() || laws.has_had_bad_disk {
            return;
        }
        let published = port_of(world.published.as_ref());
        let why = format!("{wanted:?}, {published:?}, {:?}", laws.gone);
        match wanted.wished_port {
            Some(port) if laws.gone == Some(port) || published == Some(port) => {
                world.breaks("no number is wished for that is gone or replaced", why);
            }
            // Where a number is reserved, another one may be due.
            None if world.is_quick()
                && laws.gone.is_none()
                && published.is_none()
                && laws.last_port.is_some() =>
            {
                world.breaks("the last number is wished for", why);
            }
            _ => {}
        }
    }

    /// Only a forward of its own is deleted, and only after the clients have moved.
    fn sends_deletion(world: &mut World, port: u16, sent: Sent) {
        world.reach("deleted the old port");
        let now = world.now;
        let open = world.provider.at(now, sent.server, sent.device).find(|open| open.port == port);
        if open.is_some_and(|open| !open.by_keeper) {
            world.breaks("only its own forwards are deleted", format!("{port}"));
        }
        if world.laws.is_releasing() {
            return;
        }
        let published = port_of(world.published.as_ref());
        if published == Some(port) {
            world.breaks("the published port is not deleted", format!("{port}"));
        }
        if world.laws.seen.iter().any(|seen| *seen != published) {
            let seen = format!("{:?}", world.laws.seen);
            world.breaks("the old port is deleted after the clients moved", seen);
        }
    }

    /// Records that the provider has performed a creation, although its answer may be lost.
    pub fn created(world: &mut World, made: Option<u16>, is_lost: bool) {
        let now = world.now;
        world.laws.unanswered.extend(made.filter(|_| is_lost));
        if made.is_none() || now < world.laws.excused_until {
            return;
        }
        // Up to a minute passes between the intent and its effect.
        let within = |at: &&u64| **at + DAY > now + 2 * MINUTE;
        let count = world.provider.by_keeper.iter().filter(within).count();
        if count > world.settings.daily_creations as usize {
            world.breaks("the budget is kept", format!("{count} creations within a day"));
        }
    }

    /// The process that asked has ended.
    pub fn unanswered(world: &mut World, event: &Event) {
        if let Event::Created(Ok(made)) = event {
            world.laws.unanswered.insert(made.port);
        }
    }

    /// The process gets an answer of the provider.
    pub fn learn(world: &mut World, event: &Event, sent: Sent) {
        Self::learns_pause(world, event);
        Self::learns_over(world, event, sent);
        let is_own_tunnel = world.is_current(sent);
        let is_fixed = world.provider.is_fixed();
        let is_current = Some(sent.server) == Some(world.server) && world.is_current(sent);
        let published = port_of(world.published.as_ref());
        let now = world.now;
        let laws = &mut world.laws;
        match event {
            Event::Listed(Ok(list)) if is_fixed && is_own_tunnel => {
                let listed: BTreeSet<u16> = list.iter().map(|forward| forward.port).collect();
                let all = world.provider.open.iter().map(|open| open.port);
                laws.proved_lost = all.filter(|port| !listed.contains(port)).collect();
            }
            Event::Renewed(Err(error))
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::CapacityReached)
                    && is_own_tunnel =>
            {
                laws.proved_lost.extend(laws.asked);
                laws.gone = laws.asked;
            }
            Event::Created(Err(error))
                if matches!(
                    error.kind(),
                    ErrorKind::Unreachable
                        | ErrorKind::RateLimited
                        | ErrorKind::Unauthorized
                        | ErrorKind::QuotaReached
                ) =>
            {
                laws.attempts.pop();
            }
            _ => {}
        }
        match event {
            Event::Listed(Ok(list)) if is_fixed && is_current => {
                let listed: BTreeSet<u16> = list.iter().map(|forward| forward.port).collect();
                laws.known_lost.retain(|port, _| !listed.contains(port));
                if let Some(lost) = published.filter(|port| !listed.contains(port)) {
                    laws.known_lost.entry(lost).or_insert(now);
                }
            }
            Event::Created(Ok(made)) | Event::Renewed(Ok(made)) => {
                laws.known_lost.remove(&made.port);
                laws.proved_lost.remove(&made.port);
                laws.gone = None;
            }
            Event::Deleted(outcome)
                if laws.is_releasing()
                    && outcome
                        .as_ref()
                        .err()
                        .is_none_or(|error| error.kind() == ErrorKind::NotFound) =>
            {
                laws.known_lost.extend(published.map(|port| (port, now)));
                laws.proved_lost.extend(published);
            }
            Event::Renewed(Err(error))
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::CapacityReached)
                    && is_current =>
            {
                laws.known_lost.extend(laws.asked.map(|port| (port, now)));
            }
            Event::Created(Err(error))
                if error.kind() == ErrorKind::QuotaReached && !laws.has_jumped =>
            {
                laws.quota_until = world.provider.day_ends(now);
            }
            _ => {}
        }
    }

    pub fn client_answered(
        world: &mut World,
        index: usize,
        listen: &Listen,
        outcome: &Result<ClientState, ClientError>,
        was_told: bool,
    ) {
        let now = world.now;
        let laws = &mut world.laws;
        laws.told.asked[index] = Some(listen.port);
        if was_told && outcome.is_ok() {
            laws.told.at = Some(now);
        }
        match outcome {
            Ok(state) => {
                laws.refused_at[index] = None;
                laws.seen[index] = state.is_in_sync(listen).then_some(listen.port);
            }
            Err(ClientError::Unauthorized(_)) => laws.refused_at[index] = Some(now),
            Err(_) => {}
        }
    }

    /// A snapshot is about to be published.
    pub fn publishes(world: &mut World, snapshot: &Snapshot) {
        let ends = matches!(world.laws.ending.stop, Some(Stop::Keep | Stop::Release));
        if ends != (snapshot.phase == Phase::Stopping) {
            world.breaks("an end is shown, and no reload is", format!("{snapshot:?}"));
        }
        Self::publishes_over(world, snapshot);
        Self::leaves(world, snapshot);
        Self::waits(world, snapshot);
        Self::counts_in_sync(world, snapshot);
        let now = world.now;
        let laws = &mut world.laws;
        let earlier = laws.last_generation;
        if snapshot.generation != earlier {
            laws.last_generation = snapshot.generation;
            laws.generation_since = now;
        }
        let port = snapshot.port.as_ref().map(|port| port.port);
        laws.last_port = port.or(laws.last_port);
        let is_new = port != port_of(world.published.as_ref());
        let is_found = is_new && port.is_some_and(|port| laws.unanswered.contains(&port));
        let is_adopted = is_new
            && port.is_some_and(|port| {
                world.provider.open.iter().any(|open| open.port == port && !open.by_keeper)
            });
        let content =
            snapshot.port.as_ref().map(|port| (port.port, format!("{:?}", port.protocols)));
        let known = laws.contents.entry(snapshot.generation).or_insert_with(|| content.clone());
        let is_same = *known == content;
        let excused = laws.has_had_bad_disk;
        if is_found {
            world.reach("found after doubt");
        }
        if is_adopted {
            world.reach("adopted");
        }
        if snapshot.generation < earlier && !excused {
            world
                .breaks("generations never decrease", format!("{earlier} {}", snapshot.generation));
        } else if !is_same && !excused {
            world.breaks("a generation stands for one port", format!("{}", snapshot.generation));
        }
    }

    /// After each step of the process: no port is published that is known to be lost.
    pub fn published(world: &mut World) {
        // The snapshot of the last process stays until the new one has started.
        if world.is_down() || world.now < world.laws.alive_since + 4 * SECOND {
            return;
        }
        let Some(OpenPort { port, expires_at, .. }) =
            world.published.as_ref().and_then(|published| published.port.clone())
        else {
            return;
        };
        // A change is published when it is on the disk, or after 2 s.
        if world.laws.known_lost.get(&port).is_some_and(|at| *at + 2 * SECOND < world.now) {
            world.breaks("no port is published that is known to be lost", format!("{port}"));
        }
        // A process that was killed did not write the last renewals.
        let is_new = !world.provider.is_fixed() && world.now < world.laws.alive_since + 64 * SECOND;
        let late = if is_new { LATE } else { 4 * SECOND };
        let ended = stamp(world.now.saturating_sub(late), 0);
        if !world.laws.has_jumped && expires_at.is_some_and(|end| end < ended) {
            world.breaks("no port is published after its end", format!("{port}"));
        }
        if world.provider.open.iter().all(|open| open.port != port) {
            world.breaks("no port is published that nobody opened", format!("{port}"));
        }
    }

    /// Hooks receive each generation that lasts.
    pub fn hold_at_all_times(world: &mut World) {
        if world.is_down() {
            return;
        }
        Self::ends_soon(world);
        Self::asks_over(world);
        Self::shows_next(world);
        if world.laws.is_releasing() {
            return;
        }
        let laws = &world.laws;
        let since = laws.generation_since.max(laws.alive_since).max(world.hook.healthy_since);
        let is_missed = world.hook.taken < laws.last_generation;
        if is_missed && world.now > since + HOOK_TIME {
            let why = format!("{} since {since} ms", laws.last_generation);
            world.breaks("hooks get each generation that lasts", why);
        }
    }

    pub fn is_port_open(world: &World) -> bool {
        let port = port_of(world.published.as_ref());
        let device = world.device();
        port.is_some_and(|port| {
            world.provider.at(world.now, world.server, device).any(|open| open.port == port)
        })
    }

    /// Returns how the parts of the keeper's world disagree. `None` if all is well.
    pub fn disagreement(world: &World) -> Option<String> {
        let Some(snapshot) = &world.published else { return Some("nothing is published".into()) };
        let Some(port) = &snapshot.port else { return Some(format!("no port: {snapshot:?}")) };
        if !Self::is_port_open(world) {
            return Some(format!("port {} is not open: {snapshot:?}", port.port));
        }
        for index in 0..world.clients.len() {
            if !world.serves(index, port.local_port) || !snapshot.clients[index].in_sync {
                let client = (world.clients[index].setting, world.clients[index].listens);
                return Some(format!("client {index} has {client:?}: {snapshot:?}"));
            }
        }
        // A process that was killed while the disk was full restarts from a lower count.
        let is_ahead = world.hook.taken > snapshot.generation && !world.laws.has_had_bad_disk;
        if world.hook.taken < snapshot.generation || is_ahead {
            return Some(format!("the hook has {}: {snapshot:?}", world.hook.taken));
        }
        let journal: Journal = serde_json::from_str(world.file.as_ref()?).unwrap();
        if journal.generation != snapshot.generation || journal.intent.is_some() {
            return Some(format!("the journal has {journal:?}: {snapshot:?}"));
        }
        let left_behind = world.provider.at(world.now, world.server, world.device()).find(|open| {
            open.by_keeper && open.port != port.port && !world.laws.unanswered.contains(&open.port)
        });
        let laws = &world.laws;
        let is_excused = laws.moved_at.is_some() || laws.has_had_bad_disk || laws.has_jumped;
        if world.provider.is_fixed()
            && !is_excused
            && let Some(open) = left_behind
        {
            return Some(format!("{open:?} is left behind: {snapshot:?}"));
        }
        // A replacement may have to wait for the next creation.
        let waits =
            |problem: &String| problem.contains("24 hours") || problem.contains("allowance");
        let fine = snapshot.problem.as_ref().is_none_or(waits)
            && snapshot.phase == Phase::Holding
            && snapshot.tunnel == world.tunnel;
        (!fine).then(|| format!("{snapshot:?}"))
    }
}

fn port_of(snapshot: Option<&Snapshot>) -> Option<u16> {
    snapshot.and_then(|snapshot| snapshot.port.as_ref()).map(|port| port.port)
}
