//! Histories: workers die, answers get lost, clocks jump, and afterwards every order is as wanted or parked with a
//! reason. A seed decides everything that happens in a history, so that a failure can be repeated.
//!
//! `ANYVPN_HISTORIES=10000` sets how many; `ANYVPN_HISTORY=7` runs one and prints its journal.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod check;
mod history;
mod provider;
mod store;
mod world;

use std::sync::Arc;

use anyvpn_core::Clock;
use anyvpn_fleet::{MemoryStore, Store};

use crate::world::{MachineClock, World};

#[test]
fn every_order_ends_as_wanted_or_parked_with_a_reason() {
    let count = number("ANYVPN_HISTORIES").unwrap_or(1000);
    run(count, async |clock| Arc::new(MemoryStore::new(clock)) as _);
}

#[cfg(feature = "sqlite")]
#[test]
fn sqlite_keeps_what_the_memory_keeps() {
    let count = number("ANYVPN_HISTORIES_SQLITE").unwrap_or(10);
    let folder = tempfile::tempdir().unwrap();
    let opened = std::cell::Cell::new(0);
    run(count, async |clock| {
        opened.set(opened.get() + 1);
        let file = folder.path().join(format!("{}.db", opened.get()));
        Arc::new(anyvpn_fleet::SqliteStore::open(&file).await.unwrap().with_clock(clock)) as _
    });
}

/// Runs histories, each on a store of its own.
fn run(count: u64, store: impl AsyncFn(Arc<dyn Clock>) -> Arc<dyn Store>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let seeds = match number("ANYVPN_HISTORY") {
        Some(seed) => seed..seed + 1,
        None => 0..count,
    };
    let mut totals = check::Totals::default();
    for seed in seeds {
        let violations = runtime.block_on(async {
            let world = World::new(seed, history::FAULTS);
            let clock = MachineClock { world: world.clone(), ahead: Arc::default() };
            history::play(world, store(Arc::new(clock)).await, &mut totals).await
        });
        assert!(violations.is_empty(), "seed {seed}: {}", violations.join("\n"));
    }
    eprintln!("{totals:?}");
    if count >= 200 {
        totals.assert_everything_happened();
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}
