//! What came of every call, held against the state that it left.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyvpn::{Advice, Error, ErrorKind};

/// Outcomes, counted.
#[derive(Default)]
pub struct Tally {
    /// By operation, what the caller was told and what was so.
    counts: BTreeMap<(&'static str, Told), Counts>,
    kinds: BTreeMap<&'static str, u64>,
    /// Lists that were not what is there. Some faults are whole replies that say something else.
    other: u64,
    wrong: Vec<String>,
}

/// What the caller was told of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Done,
    NotDone,
    /// It may have been done: read back.
    Unknown,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    done: u64,
    not_done: u64,
}

/// What a call is to do to a set of things.
pub enum Effect<'a> {
    /// One more.
    Adds,
    /// This one goes.
    Removes(&'a str),
    /// They are listed, and stay.
    Reads,
}

impl Tally {
    /// Accounts for a call: what it gave, and the things before and after it. Of a list that was read,
    /// `listed` are the things in it.
    pub fn account<T>(
        &mut self,
        operation: &'static str,
        effect: &Effect<'_>,
        outcome: &Result<T, Error>,
        [before, after]: [&BTreeSet<String>; 2],
        listed: impl Fn(&T) -> Option<BTreeSet<String>>,
    ) {
        let added = after.difference(before).count();
        let removed: Vec<_> = before.difference(after).collect();
        let done = match effect {
            Effect::Adds => added > 0,
            Effect::Removes(id) => removed.iter().any(|it| it == id),
            Effect::Reads => outcome.is_ok(),
        };
        let told = match outcome {
            Ok(_) => Told::Done,
            Err(error) if error.advice() == Advice::ReadBack => Told::Unknown,
            Err(_) => Told::NotDone,
        };
        let counts = self.counts.entry((operation, told)).or_default();
        if done {
            counts.done += 1
        } else {
            counts.not_done += 1
        }
        let kind = outcome.as_ref().map_or_else(|error| error.kind().name(), |_| "ok");
        *self.kinds.entry(kind).or_default() += 1;

        let most = match effect {
            Effect::Adds => (1, 0),
            Effect::Removes(_) => (0, 1),
            Effect::Reads => (0, 0),
        };
        let right = match told {
            Told::Done => done,
            Told::NotDone => !done,
            Told::Unknown => true,
        };
        let listed = outcome.as_ref().ok().and_then(listed);
        self.other += u64::from(listed.is_some_and(|listed| listed != *before));
        if !right || added > most.0 || removed.len() > most.1 {
            let outcome = outcome.as_ref().map_or_else(ToString::to_string, |_| "ok".to_owned());
            let change = format!("{added} more, {} fewer", removed.len());
            self.wrong.push(format!("{operation}: told {told:?}, {change}: {outcome}"));
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for (key, counts) in other.counts {
            let own = self.counts.entry(key).or_default();
            own.done += counts.done;
            own.not_done += counts.not_done;
        }
        for (kind, count) in other.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
        self.other += other.other;
        self.wrong.extend(other.wrong);
        self
    }

    /// How many calls were made.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.kinds.values().sum()
    }

    /// What was not as it was told.
    #[must_use]
    pub fn wrong(&self) -> &[String] {
        &self.wrong
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "what the caller was told, and what was so:")?;
        for ((operation, told), Counts { done, not_done }) in &self.counts {
            let told = match told {
                Told::Done => "done",
                Told::NotDone => "not done",
                Told::Unknown => "unknown",
            };
            writeln!(f, "  {operation:<36} {told:<8} {done:>9} done {not_done:>9} not done")?;
        }
        let of = |kind: ErrorKind| self.kinds.get(kind.name()).copied().unwrap_or(0);
        let kinds: Vec<_> = ErrorKind::ALL
            .iter()
            .copied()
            .filter(|kind| of(*kind) > 0)
            .map(|kind| format!("{} {}", of(kind), kind.name()))
            .collect();
        let ok = self.kinds.get("ok").copied().unwrap_or(0);
        writeln!(f, "outcomes: {ok} ok, {}", kinds.join(", "))?;
        writeln!(f, "lists that a fault's whole reply made others: {}", self.other)?;
        writeln!(f, "outcomes that are not accounted for: {}", self.wrong.len())?;
        self.wrong.iter().take(20).try_for_each(|wrong| writeln!(f, "  {wrong}"))
    }
}
