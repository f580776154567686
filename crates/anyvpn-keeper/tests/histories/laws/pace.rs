//! How often things are asked for while nothing new happens to the keeper.

use std::collections::BTreeMap;

use anyvpn_core::ErrorKind;
use anyvpn_keeper::machine::{Action, Event};

use super::Laws;
use crate::faults::{MINUTE, SECOND, Weather};
use crate::world::World;

#[derive(Default)]
pub struct Pace {
    /// For each thing: since when it is counted, and how often it was asked for.
    counts: BTreeMap<String, (u64, u64)>,
    /// Until when the provider asked that a kind of call is not repeated.
    paused: BTreeMap<&'static str, u64>,
}

impl Laws {
    /// Something new happens: everything may be asked for again.
    pub fn disturbed(world: &mut World) {
        world.laws.pace.counts.clear();
    }

    /// The pauses that were asked for are no longer known.
    pub(super) fn forget_pauses(world: &mut World) {
        world.laws.pace.paused.clear();
    }

    /// A call to the provider.
    pub(super) fn paces_call(world: &mut World, request: &Action) {
        let kind = kind(request);
        *world.asked.entry(kind).or_default() += 1;
        if world.laws.pace.paused.get(kind).is_some_and(|until| world.now < *until) {
            world.breaks("a pause that the provider asks for is kept", kind.to_owned());
        }
        let is_quick = world.is_quick();
        let (what, at_once, every) = match (request, world.weather()) {
            (Action::Check(_), Weather::Lossy) => ("checks", 30, 10 * MINUTE),
            (Action::Check(_), _) => ("checks", 15, 50 * MINUTE),
            (Action::Delete(_), _) => ("deletions", 12, 30 * MINUTE),
            (_, Weather::Fine | Weather::Lossy) if is_quick => ("calls", 60, 4 * SECOND),
            (_, Weather::Fine) => ("calls", 60, MINUTE),
            (_, Weather::Lossy) => ("calls", 60, 20 * SECOND),
            (_, Weather::Unauthorized) => ("calls", 40, 1000 * SECOND),
            _ => ("calls", 40, 200 * SECOND),
        };
        let what = format!("{what}, {:?}", world.weather());
        Self::paces(world, what, at_once, every);
    }

    /// The provider may have asked for a pause.
    pub(super) fn learns_pause(world: &mut World, event: &Event) {
        let (kind, error) = match event {
            Event::Listed(Err(error)) => ("lists", error),
            Event::Created(Err(error)) => ("creations", error),
            Event::Renewed(Err(error)) => ("renewals", error),
            Event::Deleted(Err(error)) => ("deletions", error),
            Event::Checked(Err(error)) => ("checks", error),
            _ => return,
        };
        let wait = error.retry_after().filter(|_| error.kind() == ErrorKind::RateLimited);
        if let Some(wait) = wait {
            world.laws.pace.paused.insert(kind, world.now + wait.as_millis() as u64);
        }
    }

    /// So many times at once, and then once in so many milliseconds.
    pub(super) fn paces(world: &mut World, what: String, at_once: u64, every: u64) {
        let now = world.now;
        let every = if world.is_quick() { every.min(20 * SECOND) } else { every };
        let (since, count) = world.laws.pace.counts.entry(what.clone()).or_insert((now, 0));
        *count += 1;
        if *count > at_once + (now - *since) / every {
            let why = format!("{what}: {count} since {since} ms");
            world.breaks("nothing is asked for too often", why);
        }
    }
}

fn kind(request: &Action) -> &'static str {
    match request {
        Action::List { .. } => "lists",
        Action::Create(_) => "creations",
        Action::Renew(_) => "renewals",
        Action::Delete(_) => "deletions",
        Action::Check(_) => "checks",
        other => panic!("not for the provider: {other:?}"),
    }
}
