//! Random histories of the machine on virtual time: a simulated world with faults, and the
//! invariants that hold in each of them.
//!
//! `ANYVPN_HISTORIES` sets how many are run, and `ANYVPN_FIRST_HISTORY` the first seed. A history that breaks
//! a law is shortened before it is printed.

#![allow(clippy::unwrap_used, reason = "a test")]

mod faults;
mod laws;
mod provider;
mod quiet;
mod world;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyvpn_core::SplitMix64;
use faults::Fault;
use provider::Kind;
use world::World;

/// The number of histories in a normal test run.
const HISTORIES: u64 = 1000;
/// The most faults of a history.
const LONGEST: u64 = 40;

/// A history. Everything in it follows from the seed and the faults.
struct History {
    seed: u64,
    faults: Vec<Timed>,
}

/// A fault, and how long nothing happens before it.
#[derive(Clone)]
struct Timed {
    pause: u64,
    fault: Fault,
    /// The seed of what is random in the fault's effect.
    seed: u64,
}

/// How a history broke a law.
struct Broken {
    law: String,
    notes: Vec<String>,
}

impl History {
    /// Draws a history with so many faults. A shorter one has the first of the same faults.
    fn draw(seed: u64, length: u64) -> Self {
        let mut random = SplitMix64::new(seed);
        let is_quick = Self::world(&mut random).is_quick();
        let mut draw = || Timed {
            pause: faults::pause(&mut random, is_quick),
            fault: Fault::draw(&mut random),
            seed: random.next_u64(),
        };
        Self { seed, faults: (0..length).map(|_| draw()).collect() }
    }

    fn world(random: &mut SplitMix64) -> World {
        let kind = Kind::draw(random);
        World::new(kind, random)
    }

    fn play(&self) -> World {
        let mut world = Self::world(&mut SplitMix64::new(self.seed));
        world.start();
        for Timed { pause, fault, seed } in &self.faults {
            world.run_for(*pause);
            if world.broken.is_some() {
                break;
            }
            world.note(format!("{fault:?}"));
            world.suffer(*fault, &mut SplitMix64::new(*seed));
        }
        world.settle();
        world
    }

    /// Returns how it breaks a law. A panic of the machine counts too.
    fn broken(&self) -> Option<Broken> {
        match catch_unwind(AssertUnwindSafe(|| self.play())) {
            Ok(World { broken: law, notes, .. }) => law.map(|law| Broken { law, notes }),
            Err(_) => Some(Broken { law: "no panic".to_owned(), notes: Vec::new() }),
        }
    }

    /// Shortens it as long as it breaks the same law: it ends earlier, then single faults are dropped.
    fn shortened(self, mut broken: Broken) -> (Self, Broken) {
        let mut shortest = self;
        let mut shorten = |faults: Vec<Timed>, shortest: &mut Self| {
            let shorter = Self { seed: shortest.seed, faults };
            let found = shorter.broken().filter(|found| name(&found.law) == name(&broken.law));
            let Some(found) = found else { return false };
            (broken, *shortest) = (found, shorter);
            true
        };
        let length = shortest.faults.len();
        let begin = |length: usize| shortest.faults[..length].to_vec();
        let mut begins = (0..length).map(begin).collect::<Vec<_>>().into_iter();
        begins.any(|faults| shorten(faults, &mut shortest));
        let mut place = 0;
        while place < shortest.faults.len() {
            let without = |keeps_pause: bool| {
                let mut faults = shortest.faults.clone();
                let dropped = faults.remove(place);
                if keeps_pause && let Some(next) = faults.get_mut(place) {
                    next.pause += dropped.pause;
                }
                faults
            };
            let (at_once, later) = (without(false), without(true));
            // What could not be dropped before may be droppable now.
            place = match shorten(at_once, &mut shortest) || shorten(later, &mut shortest) {
                true => 0,
                false => place + 1,
            };
        }
        (shortest, broken)
    }
}

fn name(law: &str) -> &str {
    law.split(':').next().unwrap_or(law)
}

#[test]
fn every_history_keeps_the_laws() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let first = number("ANYVPN_FIRST_HISTORY").unwrap_or(0);
    let count = number("ANYVPN_HISTORIES").unwrap_or(HISTORIES);
    for seed in first..first + count {
        let history = History::draw(seed, 1 + seed % LONGEST);
        let Some(broken) = history.broken() else { continue };
        let drawn = history.faults.len();
        let (History { faults, .. }, Broken { law, notes }) = history.shortened(broken);
        let left = faults.len();
        let notes = notes.join("\n");
        panic!("seed {seed}, with {left} of its {drawn} faults, breaks a law: {law}\n{notes}");
    }
}

/// The histories are useless if nothing happens in them.
#[test]
fn histories_reach_what_they_are_about() {
    let mut reached: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 0..200 {
        let world = History::draw(seed, LONGEST).play();
        for (what, count) in world.reached {
            *reached.entry(what).or_default() += count;
        }
    }
    for what in [
        "adopted",
        "budget used up",
        "created",
        "creation lost after the work",
        "creation done late",
        "deleted the old port",
        "found after doubt",
        "full disk",
        "hook failed",
        "killed",
        "lost",
        "quota reached",
        "rebound",
        "renewed",
        "told",
    ] {
        assert!(reached.get(what).is_some_and(|count| *count > 5), "{what}: {reached:?}");
    }
}
