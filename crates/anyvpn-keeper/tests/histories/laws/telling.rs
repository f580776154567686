//! When clients and hooks are told, and when a check follows.

use anyvpn_keeper::machine::Action;
use anyvpn_keeper::{Listen, Snapshot};

use super::{ALONE, Laws};
use crate::faults::{MINUTE, SECOND};
use crate::world::World;

/// How long after a client was told its sockets are surely there.
const LAG: u64 = 2 * SECOND;

#[derive(Default)]
pub struct Told {
    /// The port that each client was last asked about.
    pub asked: [Option<u16>; 2],
    /// When a client was told last.
    pub at: Option<u64>,
    is_hook_running: bool,
}

impl Laws {
    /// A client is about to be looked at, or told.
    pub fn asks_client(world: &mut World, index: usize, told: Option<&Listen>) {
        // A wrong password is not repeated: that would lock the keeper out.
        let refused = world.laws.refused_at[index];
        if refused.is_some_and(|at| world.now < at + ALONE) {
            world.breaks("a wrong password is not repeated", format!("client {index}"));
        }
        if world.laws.ending.stop.is_some() {
            world.breaks("nothing is begun at the end", format!("client {index}"));
        }
        *world.asked.entry("looks at a client").or_default() += u64::from(index == 0);
        let every = world.settings.observe_every.as_millis() as u64 * 8 / 10;
        Self::paces(world, format!("client {index}"), 30, every);
        let announced = world.journal().announced.map(|announced| announced.local_port);
        let is_durable = told.is_none_or(|listen| announced == Some(listen.port));
        if !is_durable && !world.laws.has_had_bad_disk {
            world.breaks("what is told is on the disk", format!("client {index}: {told:?}"));
        }
    }

    /// A hook is about to run.
    pub fn runs_hook(world: &mut World, snapshot: &Snapshot) {
        *world.asked.entry("runs of a hook").or_default() += 1;
        Self::paces(world, "runs of a hook".to_owned(), 25, 200 * SECOND);
        if std::mem::replace(&mut world.laws.told.is_hook_running, true) {
            world.breaks("a hook runs once at a time", String::new());
        }
        let is_durable = world.journal().generation >= snapshot.generation;
        if !is_durable && !world.laws.has_had_bad_disk {
            world.breaks("what is told is on the disk", format!("hook: {}", snapshot.generation));
        }
    }

    pub fn hook_ended(world: &mut World) {
        world.laws.told.is_hook_running = false;
    }

    /// The journal is about to be written.
    pub fn writes(world: &mut World) {
        *world.asked.entry("writes").or_default() += 1;
        Self::paces(world, "writes".to_owned(), 200, MINUTE);
    }

    /// A check that comes too soon finds nobody.
    pub(super) fn sends_check(world: &mut World, request: &Action) {
        let Action::Check(port) = request else { return };
        let told = &world.laws.told;
        let is_early = told.at.is_some_and(|at| world.now < at + LAG);
        // A client that refuses the credentials need not have been asked about this port.
        let mut clients = told.asked.iter().zip(&world.laws.refused_at);
        let is_unasked = clients.any(|(asked, refused)| *asked != Some(*port) && refused.is_none());
        if is_early || is_unasked {
            world.breaks("a port is checked when clients listen", format!("{port}"));
        }
    }
}
