//! When hooks run: once at least for each generation that lasts.

use std::time::Duration;

use crate::Snapshot;
use crate::machine::time::BackOff;
use crate::machine::{Action, Shared};

const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(5 * 60);

pub(crate) struct HookRuns(Vec<Hook>);

struct Hook {
    name: String,
    /// The generation that it is running for.
    running: Option<u64>,
    back_off: BackOff,
}

impl HookRuns {
    pub fn new(names: &[String]) -> Self {
        let hook = |name: &String| Hook {
            name: name.clone(),
            running: None,
            back_off: BackOff::default(),
        };
        Self(names.iter().map(hook).collect())
    }

    pub fn finished(&mut self, shared: &mut Shared, index: usize, succeeded: bool) {
        let Some(hook) = self.0.get_mut(index) else { return };
        let Some(generation) = hook.running.take() else { return };
        if succeeded {
            hook.back_off.reset();
            shared.journal.hooks.insert(hook.name.clone(), generation);
        } else {
            shared.journal.counters.hook_failures += 1;
            hook.back_off.fail(shared.now(), FIRST, LONGEST, &mut shared.random);
        }
    }

    pub fn step(&mut self, shared: &mut Shared, snapshot: &Snapshot) {
        for (index, hook) in self.0.iter_mut().enumerate() {
            let taken = shared.journal.hooks.get(&hook.name).copied().unwrap_or_default();
            let is_waiting = taken < snapshot.generation && hook.running.is_none();
            if is_waiting && shared.timer.is_due(hook.back_off.until) {
                hook.running = Some(snapshot.generation);
                shared
                    .actions
                    .push(Action::RunHook { index, snapshot: Box::new(snapshot.clone()) });
            }
        }
    }

    /// Whether every hook has taken the last generation.
    pub fn have_taken(&self, shared: &Shared) -> bool {
        let taken = |hook: &Hook| shared.journal.hooks.get(&hook.name).copied().unwrap_or_default();
        self.0.iter().all(|hook| taken(hook) >= shared.journal.generation)
    }

    /// Whether no hook runs, and each has taken the last generation or failed.
    pub fn are_idle(&self, shared: &Shared) -> bool {
        let taken = |hook: &Hook| shared.journal.hooks.get(&hook.name).copied().unwrap_or_default();
        self.0.iter().all(|hook| {
            let has_taken = taken(hook) >= shared.journal.generation;
            hook.running.is_none() && (has_taken || hook.back_off.failures > 0)
        })
    }
}
