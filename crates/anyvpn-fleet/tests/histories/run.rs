//! Many histories, one after the other.

use std::sync::Arc;

use anyvpn_core::Clock;
use anyvpn_fleet::Store;

use crate::world::{MachineClock, World};
use crate::{check, history};

/// Runs histories, each on a separate store.
pub fn run(count: u64, store: impl AsyncFn(Arc<dyn Clock>) -> Arc<dyn Store>) {
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

/// Reads a number from the environment.
pub fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}
