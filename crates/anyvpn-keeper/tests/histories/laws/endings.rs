//! How a process ends that was told to.

use anyvpn_keeper::machine::Stop;

use super::{Laws, port_of};
use crate::faults::{MINUTE, SECOND, Weather};
use crate::world::World;

/// How long an end may take.
const LONGEST: u64 = 21 * SECOND;

#[derive(Default)]
pub struct Ending {
    pub stop: Option<Stop>,
    since: u64,
    /// The port that must be closed at the end.
    releases: Option<u16>,
    /// When something happened last.
    last_at: u64,
    /// Whether a creation was sent since there was no intent on the disk.
    pub has_sent: bool,
}

impl Laws {
    /// Whether something that is published may be on its way out.
    pub(super) fn is_releasing(&self) -> bool {
        self.ending.stop == Some(Stop::Release)
    }

    /// The process is told to end.
    pub fn stops(world: &mut World, stop: Stop) {
        let now = world.now;
        let port = port_of(world.published.as_ref());
        let (server, device) = (world.server, world.device());
        let is_own = port.is_some_and(|port| {
            let open = world.provider.at(now, server, device).find(|open| open.port == port);
            open.is_some_and(|open| open.by_keeper && open.ends > now + MINUTE)
                && world.machine.as_ref().is_some_and(|machine| {
                    let held = machine.journal().held.as_ref();
                    held.is_some_and(|held| held.is_own && held.forward.port == port)
                })
        });
        let is_fine = world.weather() == Weather::Fine
            && world.is_quiet_for(MINUTE)
            && world.tunnel.is_some()
            && world.provider.is_fixed();
        let ending = &mut world.laws.ending;
        if ending.stop.is_none() {
            ending.since = now;
        }
        ending.stop = Some(stop);
        ending.releases = port.filter(|_| stop == Stop::Release && is_own && is_fine);
    }

    /// Something happens that a process may have waited for.
    pub fn happens(world: &mut World) {
        world.laws.ending.last_at = world.now;
    }

    /// The process has not ended yet.
    pub(super) fn ends_soon(world: &mut World) {
        let Ending { stop, since, .. } = world.laws.ending;
        if stop.is_some() && world.now > since + LONGEST {
            world.breaks("an end takes 20 s at most", format!("since {since} ms"));
        }
    }

    /// The process ends.
    pub fn ends(world: &mut World) {
        let now = world.now;
        let published = port_of(world.published.as_ref());
        let Ending { since, releases, last_at, has_sent, .. } = world.laws.ending;
        if let Some(port) = releases
            && world.provider.open.iter().any(|open| open.port == port && open.ends > now)
        {
            world.breaks("a port is released where asked", format!("{port}"));
        }
        if published.is_some_and(|port| world.laws.known_lost.contains_key(&port)) {
            world.breaks("what was released is not published", format!("{published:?}"));
        }
        if world.is_waited_for() && now + SECOND < since + LONGEST {
            world.breaks("an end waits for what is under way", String::new());
        }
        if world.laws.has_had_bad_disk {
            return;
        }
        if now + SECOND >= since + LONGEST {
            if !world.is_waited_for() && now > last_at + SECOND {
                world.breaks("an end does not wait for nothing", String::new());
            }
            return;
        }
        let journal = world.journal();
        if world.machine.as_ref().is_some_and(|machine| *machine.journal() != journal) {
            world.breaks("the last journal is on the disk at the end", format!("{journal:?}"));
        }
        if journal.intent.is_some() && !has_sent {
            world.breaks("an intent that was not sent is withdrawn", format!("{journal:?}"));
        }
    }
}
