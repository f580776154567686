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

use anyvpn_fleet::MemoryStore;

#[test]
fn every_order_ends_as_wanted_or_parked_with_a_reason() {
    let count = number("ANYVPN_HISTORIES").unwrap_or(1000);
    run(count, |_| async { Arc::new(MemoryStore::new()) as _ });
}

/// Runs histories, each on a store of its own.
fn run<F: Future<Output = Arc<dyn anyvpn_fleet::Store>>>(count: u64, store: impl Fn(u64) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let seeds = match number("ANYVPN_HISTORY") {
        Some(seed) => seed..seed + 1,
        None => 0..count,
    };
    let mut totals = check::Totals::default();
    for seed in seeds {
        let store = runtime.block_on(store(seed));
        let violations = runtime.block_on(history::play(seed, store, &mut totals));
        assert!(violations.is_empty(), "seed {seed}: {}", violations.join("\n"));
    }
    eprintln!("{totals:?}");
    totals.assert_everything_happened();
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}
