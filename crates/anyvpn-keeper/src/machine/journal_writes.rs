//! Writing the journal: before what it is about.

use std::time::Duration;

use crate::Journal;
use crate::machine::time::BackOff;
use crate::machine::{Action, Shared};

/// How soon a failed write is retried.
const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(5 * 60);
/// How much later the expiry of a renewed forward may be than the expiry on the disk before the journal
/// is written again.
pub(crate) const LAZY: Duration = Duration::from_secs(10 * 60);

/// How long a new port is held back from clients and hooks until the journal is on the disk.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) struct JournalWrites {
    /// What is on the disk.
    durable: Journal,
    writing: Option<Journal>,
    /// Until when a generation is waited for that is not on the disk.
    awaited_until: Option<Duration>,
    back_off: BackOff,
    pub problem: Option<String>,
}

impl JournalWrites {
    pub fn new(durable: Journal) -> Self {
        Self {
            durable,
            writing: None,
            awaited_until: None,
            back_off: BackOff::default(),
            problem: None,
        }
    }

    pub fn saved(&mut self, shared: &mut Shared, outcome: Result<(), String>) {
        let Some(written) = self.writing.take() else { return };
        match outcome {
            Ok(()) => {
                self.durable = written;
                self.back_off.reset();
                self.problem = None;
            }
            Err(why) => {
                self.back_off.fail(shared.now(), FIRST, LONGEST, &mut shared.random);
                self.problem = Some(why);
            }
        }
    }

    pub fn step(&mut self, shared: &mut Shared) {
        let is_current = self.durable == shared.journal;
        if self.writing.is_some() || is_current {
            return;
        }
        let can_wait = !shared.is_stopping() && is_nearly(&self.durable, &shared.journal);
        if !can_wait && shared.timer.is_due(self.back_off.until) {
            self.writing = Some(shared.journal.clone());
            shared.actions.push(Action::Save(Box::new(shared.journal.clone())));
        }
    }

    /// Whether the intended creation is on the disk.
    pub fn has_intent(&self, shared: &Shared) -> bool {
        self.durable.intent == shared.journal.intent
    }

    /// When another write is worth trying.
    pub fn writable_at(&self) -> Duration {
        self.back_off.until
    }

    /// Whether the generation may be told to others: it is on the disk, or the disk cannot be written, or is
    /// too slow. Otherwise a process that is killed now would use its number again, for another port.
    pub fn has_generation(&mut self, shared: &mut Shared) -> bool {
        if self.durable.generation >= shared.journal.generation || self.problem.is_some() {
            self.awaited_until = None;
            return true;
        }
        let until = self.awaited_until.get_or_insert(shared.now().elapsed + PATIENCE);
        shared.timer.is_due(*until)
    }

    /// Whether nothing is left to be written.
    pub fn is_idle(&self, shared: &Shared) -> bool {
        self.writing.is_none() && (self.durable == shared.journal || self.problem.is_some())
    }
}

/// Whether two journals differ in nothing but a little in the end of the forward. One that is renewed every
/// minute is not worth a write each time.
fn is_nearly(one: &Journal, other: &Journal) -> bool {
    let (Some(a), Some(b)) = (&one.held, &other.held) else { return false };
    let (Some(old), Some(new)) = (a.forward.expires_at, b.forward.expires_at) else {
        return false;
    };
    if new.duration_since(old).unsigned_abs() > LAZY {
        return false;
    }
    let mut one = one.clone();
    if let Some(held) = &mut one.held {
        held.forward.expires_at = b.forward.expires_at;
    }
    one == *other
}
