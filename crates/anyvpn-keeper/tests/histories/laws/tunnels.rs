//! What is known over one tunnel says nothing about another one.

use std::collections::{BTreeMap, BTreeSet};

use anyvpn_core::Timestamp;
use anyvpn_keeper::machine::{Action, Event};
use anyvpn_keeper::{Phase, Snapshot, Tunnel};

use super::Laws;
use crate::faults::{MINUTE, SECOND};
use crate::world::{Sent, World};

/// How long the provider may take for a call that is under way when the tunnel changes, and some more.
const AT_ONCE: u64 = 35 * SECOND;

/// What a process has learned over the tunnel that it has now.
#[derive(Default)]
pub struct OverTunnel {
    since: u64,
    is_asked: bool,
    is_confirmed: bool,
    is_checked: bool,
    holds_since: Option<u64>,
    /// Since when the port is known to be closed, and no list was read.
    closed_since: Option<u64>,
    /// The numbers of the last list.
    listed: Option<BTreeSet<u16>>,
    /// Ports that were opened over another tunnel, and were not seen here.
    unseen: BTreeSet<u16>,
    /// The tunnel of each generation.
    generations: BTreeMap<u64, Tunnel>,
    /// When which port was seen open.
    verified: BTreeSet<(u16, Timestamp)>,
}

impl Laws {
    /// The process is told of another tunnel.
    pub fn tunnel_told(world: &mut World) {
        Self::disturbed(world);
        Self::forget_pauses(world);
        let laws = &mut world.laws;
        laws.gone = None;
        let earlier = std::mem::take(&mut laws.tunnel);
        laws.tunnel = OverTunnel {
            since: world.now,
            unseen: earlier.unseen,
            generations: earlier.generations,
            verified: earlier.verified,
            ..OverTunnel::default()
        };
    }

    /// A new process knows nothing.
    pub(super) fn forget_tunnel(world: &mut World) {
        let generations = std::mem::take(&mut world.laws.tunnel.generations);
        world.laws.tunnel = OverTunnel { generations, ..OverTunnel::default() };
    }

    pub(super) fn sends_over(world: &mut World, request: &Action) {
        let tunnel = &mut world.laws.tunnel;
        tunnel.is_asked = true;
        match request {
            Action::List { .. } => tunnel.closed_since = None,
            Action::Check(_) => tunnel.is_checked = true,
            Action::Delete(forward) if !world.laws.is_releasing() => {
                let listed = &world.laws.tunnel.listed;
                let is_there = listed.as_ref().is_some_and(|all| all.contains(&forward.port));
                if world.provider.is_fixed() && !world.laws.tunnel.is_confirmed {
                    let why = format!("{}", forward.port);
                    world.breaks("the old port stays until the new one is confirmed here", why);
                } else if world.provider.is_fixed() && !is_there {
                    world.breaks("what is gone is not deleted", format!("{}", forward.port));
                }
            }
            _ => {}
        }
    }

    pub(super) fn learns_over(world: &mut World, event: &Event, sent: Sent) {
        let is_current = world.is_current(sent);
        let (now, stamp, is_fixed) = (world.now, world.stamp(), world.provider.is_fixed());
        let tunnel = &mut world.laws.tunnel;
        match event {
            Event::Listed(Ok(list)) if is_fixed && is_current => {
                let listed: BTreeSet<u16> = list.iter().map(|forward| forward.port).collect();
                tunnel.unseen.retain(|port| !listed.contains(port));
                tunnel.is_confirmed = true;
                tunnel.listed = Some(listed);
            }
            Event::Created(Ok(made)) | Event::Renewed(Ok(made)) if is_current => {
                tunnel.unseen.remove(&made.port);
                tunnel.is_confirmed = true;
                tunnel.listed.get_or_insert_default().insert(made.port);
            }
            Event::Created(Ok(made)) => {
                tunnel.unseen.insert(made.port);
            }
            Event::Checked(Ok(check)) if is_current && check.open => {
                tunnel.verified.insert((check.port, stamp));
            }
            Event::Checked(Ok(_)) if is_current && is_fixed => {
                tunnel.closed_since.get_or_insert(now);
            }
            _ => {}
        }
    }

    pub(super) fn publishes_over(world: &mut World, snapshot: &Snapshot) {
        let tunnel = &mut world.laws.tunnel;
        if snapshot.phase != Phase::Holding {
            tunnel.holds_since = None;
        } else {
            tunnel.holds_since.get_or_insert(world.now);
        }
        let is_held = matches!(snapshot.phase, Phase::Holding | Phase::Telling);
        let is_unconfirmed = is_held && !tunnel.is_confirmed;
        let Some(port) = &snapshot.port else { return };
        let is_another = snapshot.tunnel.as_ref().is_some_and(|now| {
            *tunnel.generations.entry(snapshot.generation).or_insert_with(|| now.clone()) != *now
        });
        let is_unseen = tunnel.unseen.contains(&port.port);
        let is_unverified =
            port.verified_at.is_some_and(|at| !tunnel.verified.contains(&(port.port, at)));
        if is_unconfirmed {
            let why = format!("{snapshot:?}");
            world.breaks("a port counts as held when it is confirmed over this tunnel", why);
        }
        if is_another && !world.laws.has_had_bad_disk {
            let why = format!("{}", snapshot.generation);
            world.breaks("a generation stands for one tunnel", why);
        }
        if is_unseen {
            let why = format!("{}", port.port);
            world.breaks("a port of another tunnel is not published unseen", why);
        }
        if is_unverified {
            world.breaks("a port is verified by its own check", format!("{snapshot:?}"));
        }
    }

    pub(super) fn asks_over(world: &mut World) {
        if world.tunnel.is_none() || world.laws.ending.stop.is_some() {
            return;
        }
        let now = world.now;
        let OverTunnel { since, is_asked, is_checked, holds_since, closed_since, .. } =
            world.laws.tunnel;
        if !is_asked && now > since + AT_ONCE {
            world.breaks("another tunnel has the provider asked at once", String::new());
        }
        let is_held = holds_since.is_some_and(|at| now > at.max(since) + 3 * MINUTE);
        if world.provider.is_fixed() && is_held && !is_checked {
            world.breaks("a port is checked over each tunnel", String::new());
        }
        if closed_since.is_some_and(|at| now > at + AT_ONCE) {
            world.breaks("a port that is found closed is looked for in the list", String::new());
        }
    }
}
