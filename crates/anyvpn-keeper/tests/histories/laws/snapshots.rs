//! What a snapshot may say.

use std::time::Duration;

use anyvpn_core::{PortProtocols, Timestamp};
use anyvpn_keeper::{OpenPort, Snapshot};

use super::Laws;
use crate::faults::{DAY, MINUTE, SECOND};
use crate::provider::millis;
use crate::world::World;

impl Laws {
    /// A port stays published until its loss is proved, and is not exchanged for one that ends sooner.
    pub(super) fn leaves(world: &mut World, snapshot: &Snapshot) {
        let now = world.now;
        let laws = &world.laws;
        if laws.has_had_bad_disk || laws.has_jumped || laws.is_releasing() {
            return;
        }
        let new = snapshot.port.as_ref();
        let carries = new.is_none_or(|port| port.protocols == PortProtocols::Both);
        let earlier = world.published.as_ref().and_then(|published| published.port.clone());
        let earlier = earlier.filter(|earlier| new.is_none_or(|new| new.port != earlier.port));
        let is_proved = |port: &&OpenPort| {
            let has_ended = port.expires_at.is_some_and(|end| end <= world.stamp());
            has_ended || laws.proved_lost.contains(&port.port)
        };
        let end = |port: &OpenPort| {
            let mut open = world.provider.open.iter();
            let open = open.find(|open| open.port == port.port && open.ends > now);
            open.map(|open| open.last_end.unwrap_or(open.ends))
        };
        let left = earlier.as_ref().filter(|earlier| !is_proved(earlier)).and_then(end);
        let is_worse = left.is_some_and(|left| new.and_then(end).is_some_and(|end| end < left));
        if !carries {
            world.breaks("a port carries what is asked for", format!("{new:?}"));
        } else if left.is_some() && new.is_none() {
            let why = format!("{earlier:?}");
            world.breaks("a port stays published until its loss is proved", why);
        } else if is_worse {
            let why = format!("{earlier:?} {new:?}");
            world.breaks("a port is not exchanged for one that ends sooner", why);
        }
        if earlier.is_some() && new.is_none() {
            world.reach("gone");
        }
    }

    /// A client is in sync when it was seen on this port.
    pub(super) fn counts_in_sync(world: &mut World, snapshot: &Snapshot) {
        let Some(port) = snapshot.port.as_ref().map(|port| port.local_port) else { return };
        let mut clients = snapshot.clients.iter().zip(&world.laws.seen);
        if clients.any(|(client, seen)| client.in_sync && *seen != Some(port)) {
            let why = format!("{:?}, {snapshot:?}", world.laws.seen);
            world.breaks("a client is in sync when it was seen on the port", why);
        }
    }

    /// What is published as the next attempt is still to come, or has begun.
    pub(super) fn shows_next(world: &mut World) {
        let Some(snapshot) = &world.published else { return };
        let is_new = world.now < world.laws.alive_since + 10 * SECOND;
        if is_new || world.laws.has_jumped {
            return;
        }
        let passed = |at: Option<Timestamp>| {
            at.is_some_and(|at| millis(at) + 2000 < world.now.cast_signed() + world.offset)
        };
        let is_idle = passed(snapshot.next_at) && !world.is_waited_for();
        let idle_client = snapshot
            .clients
            .iter()
            .enumerate()
            .find(|(index, client)| passed(client.next_at) && !world.is_client_asked(*index));
        if is_idle || idle_client.is_some() {
            world.breaks("a next attempt is to come or has begun", format!("{snapshot:?}"));
        }
    }

    /// Nothing waits for longer than a day, nor for creations that were surely refused.
    pub(super) fn waits(world: &mut World, snapshot: &Snapshot) {
        let longest = Duration::from_millis(DAY + 11 * MINUTE);
        let wait = snapshot.next_at.map(|at| at.duration_since(snapshot.at));
        if snapshot.port.is_none()
            && wait.is_some_and(|wait| Duration::try_from(wait).is_ok_and(|it| it > longest))
        {
            world.breaks("no wait is longer than a day", format!("{snapshot:?}"));
        }
        let is_used_up = snapshot.problem.as_ref().is_some_and(|why| why.contains("24 hours"));
        let within = |at: &&u64| **at + DAY + MINUTE > world.now;
        let count = world.laws.attempts.iter().filter(within).count();
        if is_used_up && !world.laws.has_jumped && count < world.settings.daily_creations as usize {
            world.breaks("a creation that was refused does not count", format!("{count}"));
        }
    }
}
