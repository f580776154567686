//! Worlds in which nothing goes wrong: what a keeper asks for in a day, and that its port never closes.

use std::collections::BTreeMap;
use std::time::Duration;

use anyvpn_core::SplitMix64;

use crate::faults::{DAY, HOUR, MINUTE};
use crate::provider::Kind;
use crate::world::World;

/// A world with the usual settings, but that clients are looked at less often.
fn world(kind: Kind, seed: u64) -> World {
    let mut world = World::new(kind, &mut SplitMix64::new(seed));
    world.settings.replace_before = Duration::from_millis(DAY);
    world.settings.daily_creations = 5;
    world
}

/// Prints a row for each kind of provider, which `cargo xtask bench keeper` puts into docs/performance.md.
#[test]
fn a_quiet_day_needs_few_calls() {
    let generous = Kind::KeptAlive { life: DAY, every: 15 * MINUTE, reserved: None };
    for (name, kind, calls) in [
        // At least four lists and one check an hour.
        ("fixed, 30 days (AzireVPN)", Kind::Fixed { life: 30 * DAY }, 120..145),
        // At half of what is granted.
        ("kept alive, 60 s (NAT-PMP)", Kind::SHORT, 2750..2900),
        ("kept alive, 20 min (PIA)", Kind::RESERVED, 144..150),
        // As often as the lease says, although more is granted.
        ("kept alive, 1 day", generous, 96..99),
    ] {
        let mut world = world(kind, 1);
        world.settings.observe_every = Duration::from_secs(60);
        world.start();
        world.run_for(DAY);
        assert_eq!(world.broken, None, "{name}");
        let asked: &BTreeMap<_, _> = &world.asked;
        let count = |what| asked.get(what).copied().unwrap_or_default();
        let kinds = ["lists", "renewals", "creations", "checks", "deletions"].map(count);
        let all: u64 = kinds.iter().sum();
        let (writes, looks) = (count("writes"), count("looks at a client"));
        let kinds = kinds.map(|count| count.to_string()).join(" | ");
        println!("| {name} | {all} | {kinds} | {writes} | {looks} |");
        assert!(calls.contains(&all), "{name}: {asked:?}");
        assert!(count("creations") == 1 && writes < 160, "{name}: {asked:?}");
        // Each minute, up to a tenth earlier.
        assert!((1440..1600).contains(&looks), "{name}: {asked:?}");
        assert_eq!(count("runs of a hook"), 1, "{name}");
    }
}

/// Replaced or renewed before its end, and the old one is closed.
#[test]
fn a_quiet_port_never_closes() {
    for kind in [Kind::Fixed { life: 2 * DAY }, Kind::SHORT, Kind::RESERVED] {
        let mut world = world(kind, 2);
        world.start();
        world.run_for(20 * DAY);
        assert_eq!(world.broken, None, "{kind:?}");
        assert_eq!(world.reached.get("gone"), None, "{kind:?}");
        let creations = world.asked["creations"];
        let some = match kind {
            // Each forward is replaced in the last quarter of its lifetime.
            Kind::Fixed { .. } => 14..15,
            Kind::KeptAlive { reserved: None, .. } => 1..2,
            Kind::KeptAlive { .. } => 7..11,
        };
        assert!(some.contains(&creations), "{kind:?}: {creations}");
        let deletions = world.asked.get("deletions").copied().unwrap_or_default();
        let replaced = if world.provider.is_fixed() { creations - 1 } else { 0 };
        assert_eq!(deletions, replaced, "{kind:?}");
    }
}

/// Many keepers do not call at the same moments.
#[test]
fn two_keepers_do_not_stay_in_step() {
    let times = |seed| {
        let mut world = world(Kind::Fixed { life: 30 * DAY }, 3);
        world.settings.seed = seed;
        world.start();
        world.run_for(6 * HOUR);
        world.listed
    };
    let (one, other) = (times(1), times(2));
    let apart = one.iter().zip(&other).filter(|(one, other)| one.abs_diff(**other) > MINUTE);
    assert!(apart.count() > one.len() / 2, "{one:?} {other:?}");
}
