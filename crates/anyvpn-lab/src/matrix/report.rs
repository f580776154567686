//! The results of the runs, as a table and as figures.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use anyvpn_http::{OperationInfo, Replay};

use super::case::{FaultCase, SECTIONS};
use super::judge::{Verdict, Violation};
use super::run::Mode;

/// All runs of a provider.
pub(super) struct Report {
    provider: &'static str,
    transport: &'static str,
    operations: &'static [OperationInfo],
    cases: Vec<FaultCase>,
    verdicts: Vec<Verdict>,
}

const CLASSES: [Replay; 3] = [Replay::Safe, Replay::Idempotent, Replay::Once];

impl Report {
    pub(super) fn new(
        provider: &'static str,
        transport: &'static str,
        operations: &'static [OperationInfo],
        cases: Vec<FaultCase>,
        mut verdicts: Vec<Verdict>,
    ) -> Self {
        let order = |run: &Verdict| {
            let place = operations.iter().position(|entry| entry.id.name() == run.operation);
            (run.case, place, run.mode == Mode::Every)
        };
        verdicts.sort_by_key(order);
        Self { provider, transport, operations, cases, verdicts }
    }

    /// Returns the number of calls that were made with a fault.
    pub(super) fn runs(&self) -> usize {
        self.verdicts.len()
    }

    /// Returns the number of runs with this violation.
    pub(super) fn count(&self, violation: Violation) -> usize {
        let has = |run: &&Verdict| run.violations.iter().any(|(what, _)| *what == violation);
        self.verdicts.iter().filter(has).count()
    }

    /// Returns the most memory that a call used, in bytes, and its run.
    pub(super) fn memory(&self) -> (u64, String) {
        let most = self.verdicts.iter().max_by_key(|run| run.memory);
        most.map_or((0, String::new()), |run| (run.memory, self.name(run)))
    }

    /// Returns the longest virtual time of a call.
    pub(super) fn longest(&self) -> Duration {
        self.verdicts.iter().map(|run| run.elapsed).max().unwrap_or_default()
    }

    fn name(&self, run: &Verdict) -> String {
        let mode = match run.mode {
            Mode::First => "first",
            Mode::Every => "every",
        };
        format!("{} · {} · {mode}", run.operation, self.cases[run.case].name)
    }

    /// Returns the figures of all runs, in a few lines.
    pub(super) fn figures(&self) -> String {
        let (memory, run) = self.memory();
        let mut text = format!(
            "{}, by {}: {} operations × {} faults × 2 = {} runs\n  at most {} KiB a call ({run}), and \
             {} s by its clock\n",
            self.provider,
            self.transport,
            self.operations.len(),
            self.cases.len(),
            self.runs(),
            memory / 1024,
            self.longest().as_secs(),
        );
        for (violation, words) in Violation::ALL {
            _ = writeln!(text, "  {:>5} with {words}", self.count(violation));
        }
        text
    }

    /// Asserts that no run violates an invariant; the panic lists the first that do.
    pub(super) fn assert_nothing_wrong(&self) {
        let mut text = String::new();
        for (violation, words) in Violation::ALL {
            let runs = self.verdicts.iter().flat_map(|run| {
                let of = run.violations.iter().filter(move |(what, _)| *what == violation);
                of.map(move |(_, why)| (run, why))
            });
            let count = self.count(violation);
            if count > 0 {
                _ = writeln!(text, "{count} runs with {words}, such as");
            }
            for (run, why) in runs.take(200) {
                _ = writeln!(text, "  {}: {}: {why}", self.name(run), run.cell);
            }
        }
        assert!(text.is_empty(), "{}\n{text}", self.figures());
    }

    /// Returns the page for the documentation.
    pub(super) fn page(&self) -> String {
        let classes: Vec<(Replay, usize)> = CLASSES
            .into_iter()
            .map(|class| {
                (class, self.operations.iter().filter(|entry| entry.replay == class).count())
            })
            .filter(|(_, count)| *count > 0)
            .collect();
        let mut text = self.head();
        for section in SECTIONS {
            let cases = self.cases.iter().enumerate().filter(|(_, case)| case.section == *section);
            _ = write!(text, "\n## {section}\n\n| fault | what happens | memory |");
            for (class, count) in &classes {
                _ = write!(text, " {class:?} ({count}) |");
            }
            text.push_str("\n|---|---|---|");
            text.push_str(&"---|".repeat(classes.len()));
            text.push('\n');
            for (place, case) in cases {
                let memory = self.most_memory(place);
                _ = write!(text, "| `{}` | {} | {memory} |", case.name, case.what);
                for (class, _) in &classes {
                    _ = write!(text, " {} |", self.cell(place, *class));
                }
                text.push('\n');
            }
        }
        text
    }

    fn head(&self) -> String {
        let mut text = format!(
            "# {} under every fault\n\n\
             This page is for programmers who decide how their program reacts to failures. It lists what \
             each operation\nreturns for each fault of the network or the provider.\n\n\
             {} operations × {} faults, each once on the first request and once on every request: \
             {} runs, of which\n\n",
            self.provider,
            self.operations.len(),
            self.cases.len(),
            self.runs(),
        );
        for (violation, words) in Violation::ALL {
            _ = writeln!(text, "- {} with {words}", self.count(violation));
        }
        text.push_str(
            "\nA cell says how often the request arrived, at least in part, and what the caller \
             got: if the fault\naffects the first request / if it affects every request. † means \
             that the error advises to read back.\nIf the operations of a class differ, the most \
             frequent result comes first. Memory is the maximum of\nany call, rounded up to one of \
             three steps. [Reliability](reliability.md) explains the test and its\nbounds. \
             `cargo xtask faults` writes this page.\n",
        );
        for class in CLASSES {
            let of = self.operations.iter().filter(|entry| entry.replay == class);
            let names: Vec<String> = of.map(|entry| format!("`{}`", entry.id.name())).collect();
            if !names.is_empty() {
                _ = write!(text, "\n- {class:?}: {}", names.join(", "));
            }
        }
        text.push('\n');
        text
    }

    /// Returns the most memory that any call used, rounded to one of a few steps, because the exact
    /// number differs from run to run.
    fn most_memory(&self, case: usize) -> &'static str {
        let most = self.verdicts.iter().filter(|run| run.case == case).map(|run| run.memory).max();
        match most.unwrap_or_default() {
            0..=0x0008_0000 => "½ MiB",
            0x0008_0001..=0x0080_0000 => "8 MiB",
            _ => "48 MiB",
        }
    }

    /// Summarizes the results of a class of operations: the most frequent one, and which differ.
    fn cell(&self, case: usize, class: Replay) -> String {
        let mut results: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        let of_case: Vec<_> =
            self.verdicts.iter().filter(|run| run.case == case && run.replay == class).collect();
        for run in of_case.iter().filter(|run| run.mode == Mode::First) {
            let every = of_case
                .iter()
                .find(|other| other.mode == Mode::Every && other.operation == run.operation)
                .map_or("", |other| other.cell.as_str());
            let both = match every == run.cell {
                true => run.cell.clone(),
                false => format!("{} / {every}", run.cell),
            };
            results.entry(both).or_default().push(run.operation);
        }
        let mut results: Vec<_> = results.into_iter().collect();
        results.sort_by_key(|(_, operations)| std::cmp::Reverse(operations.len()));
        let mut results = results.into_iter();
        let mut text = results.next().map(|(result, _)| result).unwrap_or_default();
        for (result, operations) in results {
            let names: Vec<String> = operations.iter().map(|name| format!("`{name}`")).collect();
            _ = write!(text, "<br>{result}: {}", names.join(", "));
        }
        text
    }
}
