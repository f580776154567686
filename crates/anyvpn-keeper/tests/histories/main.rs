//! Random histories of the machine on virtual time: a simulated world with faults, and the
//! invariants that hold in each of them.
//!
//! `ANYVPN_HISTORIES` sets how many are run, and `ANYVPN_FIRST_HISTORY` the first seed. A failure prints the shortest history that breaks the same law.

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
/// The number of seeds that are tried for each shorter length.
const TRIED: u64 = 400;

/// A history. Its faults follow from its seed, so a shorter history has the first of the same
/// faults.
fn history(seed: u64, length: u64) -> Result<World, Box<World>> {
    let mut random = SplitMix64::new(seed);
    let kind = Kind::draw(&mut random);
    let mut world = World::new(kind, &mut random);
    world.start();
    for _ in 0..length {
        let pause = faults::pause(&mut random, world.is_quick());
        world.run_for(pause);
        let fault = Fault::draw(&mut random);
        world.note(format!("{fault:?}"));
        world.suffer(fault, &mut random);
        if world.broken.is_some() {
            break;
        }
    }
    world.settle();
    if world.broken.is_some() { Err(Box::new(world)) } else { Ok(world) }
}

/// Returns the same, with a panic of the machine as a violation.
fn law_broken_by(seed: u64, length: u64) -> Option<(String, Vec<String>)> {
    let outcome = catch_unwind(AssertUnwindSafe(|| history(seed, length)));
    match outcome {
        Ok(Ok(_)) => None,
        Ok(Err(world)) => Some((world.broken.unwrap(), world.notes)),
        Err(_) => Some(("no panic".to_owned(), vec!["it panicked".to_owned()])),
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
        let length = 1 + seed % LONGEST;
        let Some((law, notes)) = law_broken_by(seed, length) else { continue };
        let shorter = (0..length).find_map(|length| {
            (0..TRIED).find_map(|seed| {
                let (shorter, notes) = law_broken_by(seed, length)?;
                (name(&shorter) == name(&law)).then_some((seed, length, shorter, notes))
            })
        });
        let (seed, length, law, notes) = shorter.unwrap_or((seed, length, law, notes));
        panic!("seed {seed} with {length} faults breaks a law: {law}\n{}", notes.join("\n"));
    }
}

/// The histories are useless if nothing happens in them.
#[test]
fn histories_reach_what_they_are_about() {
    let mut reached: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 0..200 {
        let world = history(seed, LONGEST).unwrap_or_else(|world| *world);
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
