//! Every operation with every fault of the sandbox: how often it arrives, what the caller gets, and
//! what must hold whatever that is.

use std::fmt::Write as _;
use std::time::Duration;

use anyvpn_core::{Advice, Error, ErrorKind, OperationId};
use anyvpn_http::{Entry, Replay};
use anyvpn_sandbox::{Fault, FaultRule, Sandbox};
use serde_json::Value;

use crate::canary::Canary;

/// What goes wrong with the first request, and the table's word for it.
fn faults() -> Vec<(&'static str, Option<Fault>)> {
    let wait = Some(Duration::ZERO);
    vec![
        ("none", None),
        ("reset before the work", Some(Fault::ResetBefore)),
        ("reset after the work", Some(Fault::ResetAfter)),
        ("time-out after the work", Some(Fault::Delay(Duration::from_secs(60)))),
        ("reply cut", Some(Fault::CutBody)),
        ("half JSON", Some(Fault::HalfJson)),
        ("429", Some(Fault::TooManyRequests { retry_after: wait })),
        ("500", Some(Fault::Status(500))),
        ("503", Some(Fault::Status(503))),
        ("502 HTML", Some(Fault::Html(502))),
        ("200 HTML", Some(Fault::Html(200))),
    ]
}

/// One call that meets one fault.
pub struct Trial {
    /// What is to be called, once.
    pub operation: OperationId,
    /// How long the client may give an attempt.
    pub attempt: Duration,
    fault: Option<Fault>,
}

impl Trial {
    /// Lets the fault happen to the next request for the operation. What was received is counted
    /// from here on.
    pub fn begin(&self, sandbox: &Sandbox) {
        sandbox.clear_received();
        if let Some(fault) = &self.fault {
            sandbox.inject(FaultRule::once(&self.operation.to_string(), fault.clone()));
        }
    }
}

/// How often the operation arrived, how often its work was done, and what the caller got.
struct Cell {
    arrived: usize,
    done: usize,
    outcome: Result<(), Error>,
}

impl Cell {
    fn new(operation: OperationId, sandbox: &Sandbox, outcome: Result<(), Error>) -> Self {
        let name = operation.to_string();
        let received = sandbox.received();
        let own = || received.iter().filter(|it| it.operation == Some(&name));
        Self { arrived: own().count(), done: own().filter(|it| it.effect).count(), outcome }
    }

    fn text(&self) -> String {
        let outcome = match &self.outcome {
            Ok(()) => "ok",
            Err(error) => error.kind().name(),
        };
        format!("{}× {outcome}", self.arrived)
    }
}

/// Tries each operation with each fault, and writes `docs/replay-….md` about the `provider`.
///
/// For every trial, `run` makes a world in a sandbox, builds a client, calls [`Trial::begin`] and
/// then the operation. The canary hears what the caller gets.
///
/// # Panics
///
/// When an operation is sent again that must not be, or when work that was done is not reported as
/// perhaps done.
pub async fn table(
    provider: &str,
    operations: &[Entry],
    canary: &Canary,
    run: impl AsyncFn(&Trial) -> (Sandbox, Result<Value, Error>),
) -> String {
    let faults = faults();
    let mut table = head(provider, &faults);
    for Entry { id, replay, .. } in operations {
        _ = write!(table, "| {} | {replay:?} |", id.name());
        for (name, fault) in &faults {
            // Only the delayed fault needs the time-out, and a retry must find it gone.
            let attempt = match fault {
                Some(Fault::Delay(_)) => Duration::from_millis(500),
                _ => Duration::from_secs(10),
            };
            let trial = Trial { operation: *id, attempt, fault: fault.clone() };
            let (sandbox, outcome) = run(&trial).await;
            match &outcome {
                Ok(value) => canary.hears(value.to_string()),
                Err(error) => {
                    let source = std::error::Error::source(error);
                    canary.hears(format!("{error}\n{error:?}\n{source:?}"));
                }
            }
            let cell = Cell::new(*id, &sandbox, outcome.map(drop));
            check(*id, *replay, name, &cell);
            _ = write!(table, " {} |", cell.text());
        }
        table.push('\n');
    }
    table
}

fn head(provider: &str, faults: &[(&'static str, Option<Fault>)]) -> String {
    let mut text = format!(
        "# What {provider}'s operations do when the network fails\n\n\
         The first request of each call meets the fault of the column, against the sandbox. A cell \
         says how often\nthe request arrived and what the caller got. Written by a test; `cargo \
         xtask docs` writes it anew.\n\n| operation | replay |"
    );
    for (name, _) in faults {
        _ = write!(text, " {name} |");
    }
    text.push_str("\n|---|---|");
    text.push_str(&"---|".repeat(faults.len()));
    text.push('\n');
    text
}

/// What must hold whatever the table says.
fn check(operation: OperationId, replay: Replay, fault: &str, cell: &Cell) {
    let Cell { arrived, done, outcome } = cell;
    let what = format!("{operation}, {fault}: arrived {arrived}, done {done}, {outcome:?}");
    if fault == "none" {
        assert!(*arrived == 1 && outcome.is_ok(), "{what}");
    }
    if replay == Replay::Once && fault != "429" {
        assert_eq!(*arrived, 1, "{what}");
    }
    let repeats = matches!(fault, "reset before the work" | "429" | "500" | "503" | "502 HTML");
    if replay != Replay::Once && repeats {
        assert!(*arrived == 2 && outcome.is_ok(), "{what}");
    }
    // Work that was done and not reported as done must be reported as perhaps done.
    if let Err(error) = outcome
        && *done > 0
        && replay != Replay::Safe
    {
        assert_eq!(error.advice(), Advice::ReadBack, "{what}");
    }
    if fault == "reset before the work" && replay == Replay::Once {
        let kind = outcome.as_ref().map_err(Error::kind);
        assert_eq!(kind, Err(ErrorKind::Ambiguous), "{what}");
    }
}

/// Calls each operation that needs no input, with a client of a server that is not there.
///
/// # Panics
///
/// When an error is not `Unreachable`, or does not name the operation.
pub async fn without_a_server(
    operations: &[Entry],
    call: impl AsyncFn(OperationId) -> Result<Value, Error>,
) {
    for Entry { id, .. } in operations.iter().filter(|it| it.fields.is_empty()) {
        match call(*id).await {
            Ok(_) => panic!("{id} succeeded without a server"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
                assert_eq!(error.operation(), Some(*id));
            }
        }
    }
}
