//! The invariants that hold in every run.

use std::time::Duration;

use anyvpn_core::{Advice, Error, ErrorKind};
use anyvpn_http::{OperationInfo, Replay};
use anyvpn_sandbox::Wanted;
use anyvpn_testkit::openapi::Document;
use serde_json::Value;

use super::case::FaultCase;
use super::most_memory;
use super::run::{Mode, Outcome};
use crate::harness::limits;

/// A violation of an invariant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Violation {
    /// An operation that must not be retried arrived again, and not because of a 429.
    Twice,
    /// Something panicked.
    Panic,
    /// The call took longer than its limit.
    Hang,
    /// The call used more memory than its limit.
    Memory,
    /// A secret appeared in an output or in the log.
    Leak,
    /// The call returned a value although the reply had none.
    WrongSuccess,
    /// A reply from something other than the provider told the caller something about the account.
    Believed,
    /// A complete reply was refused.
    WrongFailure,
    /// A call that took effect was reported as failed, without the advice to read back.
    NotReported,
    /// A redirect was followed, or something else was sent without being requested.
    UnexpectedRequest,
    /// The client's next call failed.
    Unusable,
}

impl Violation {
    /// All violations, with the text for a row in which they occur.
    pub(super) const ALL: [(Self, &str); 11] = [
        (Self::Twice, "a Once operation arriving twice"),
        (Self::Panic, "a panic"),
        (Self::Hang, "a hang beyond its deadline"),
        (Self::Memory, "memory over the bound"),
        (Self::Leak, "a leaked secret"),
        (Self::WrongSuccess, "a wrong success"),
        (
            Self::Believed,
            "a reply of something else, such as a proxy, that was taken for the provider's",
        ),
        (Self::WrongFailure, "a wrong failure"),
        (Self::NotReported, "work that was done but not reported"),
        (Self::UnexpectedRequest, "a request to another address"),
        (Self::Unusable, "a client that could not be used afterwards"),
    ];
}

/// A run, verdicts.
pub(super) struct Verdict {
    pub(super) operation: &'static str,
    pub(super) replay: Replay,
    pub(super) case: usize,
    pub(super) mode: Mode,
    /// How often the request arrived and the result, as in the table.
    pub(super) cell: String,
    pub(super) violations: Vec<(Violation, String)>,
    pub(super) memory: u64,
    pub(super) elapsed: Duration,
}

/// Judges the runs of one operation.
pub(super) struct Judge<'a> {
    entry: &'a OperationInfo,
    document: Document,
    /// The result of each variant without a fault.
    normal: Vec<Option<Value>>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        entry: &'a OperationInfo,
        document: Document,
        normal: Vec<Option<Value>>,
    ) -> Self {
        Self { entry, document, normal }
    }

    pub(super) fn judge(
        &self,
        place: usize,
        case: &FaultCase,
        mode: Mode,
        variant: usize,
        outcome: Outcome,
    ) -> Verdict {
        let name = self.entry.id.to_string();
        let own: Vec<_> =
            outcome.received.iter().filter(|request| request.operation == Some(&name)).collect();
        let arrived = own.len() + outcome.lost;
        let done = own.iter().filter(|request| request.effect).count();

        let mut violations = Vec::new();
        let mut add = |is: bool, what: Violation, why: String| {
            if is {
                violations.push((what, why));
            }
        };
        let once = self.entry.replay == Replay::Once;
        let before_last = own.split_last().map_or(&[][..], |(_, before)| before);
        let asked_again =
            outcome.lost == 0 && before_last.iter().all(|request| request.status == Some(429));
        add(
            once && arrived > 1 && !asked_again,
            Violation::Twice,
            format!("arrived {arrived} times"),
        );
        add(once && done > 1, Violation::Twice, format!("done {done} times"));
        add(outcome.panics > 0, Violation::Panic, format!("{} panics", outcome.panics));
        let late = outcome.elapsed > limits().call;
        add(outcome.hung || late, Violation::Hang, format!("after {:?}", outcome.elapsed));
        add(
            outcome.memory > most_memory(&limits()),
            Violation::Memory,
            format!("{} bytes", outcome.memory),
        );
        for leak in &outcome.leaks {
            add(true, Violation::Leak, leak.clone());
        }
        let unexpected = outcome.received.iter().find(|request| request.operation != Some(&name));
        add(unexpected.is_some(), Violation::UnexpectedRequest, format!("{unexpected:?}"));
        add(!outcome.usable, Violation::Unusable, "the next call".to_owned());
        let foreign = case.foreign && outcome.faulty;
        match &outcome.result {
            Some(Ok(value)) => {
                add(foreign, Violation::Believed, "a value".to_owned());
                // Only a removal can succeed because it was done before.
                let changes = self.entry.replay != Replay::Safe && self.entry.method != "DELETE";
                add(
                    changes && done == 0,
                    Violation::WrongSuccess,
                    "the operation took no effect".to_owned(),
                );
                let ok = self.may_be(value, case, variant, &outcome);
                add(!ok, Violation::WrongSuccess, value.to_string().chars().take(200).collect());
            }
            Some(Err(error)) => {
                let whole = matches!(case.wanted, Wanted::Value);
                let named = error.operation() == Some(self.entry.id);
                add(whole || !named, Violation::WrongFailure, error.to_string());
                let believed = foreign && tells_of_the_account(error.kind());
                add(believed, Violation::Believed, error.to_string());
                let said = error.advice() == Advice::ReadBack;
                let not_reported = done > 0 && self.entry.replay != Replay::Safe && !said;
                add(not_reported, Violation::NotReported, error.to_string());
            }
            None => {}
        }
        Verdict {
            operation: self.entry.id.name(),
            replay: self.entry.replay,
            case: place,
            mode,
            cell: format!("{arrived}× {}", word(outcome.result.as_ref())),
            violations,
            memory: outcome.memory,
            elapsed: outcome.elapsed,
        }
    }

    /// Returns whether this case may return a value.
    fn may_be(&self, value: &Value, case: &FaultCase, variant: usize, outcome: &Outcome) -> bool {
        let normal = self.normal[variant].as_ref() == Some(value);
        match case.wanted {
            Wanted::NoValue if outcome.faulty => false,
            Wanted::AsDocumented if outcome.faulty && !normal => {
                outcome.last.as_ref().is_some_and(|(status, body)| {
                    self.document.validate_reply(self.entry.id.name(), *status, body).is_ok()
                })
            }
            _ => normal,
        }
    }
}

/// Returns whether the kind says something about the account, which only the provider can know.
fn tells_of_the_account(kind: ErrorKind) -> bool {
    use ErrorKind as K;
    // `RateLimited` is not about the account: we wait for anything that asks us to.
    !matches!(
        kind,
        K::RateLimited
            | K::Unavailable
            | K::Timeout
            | K::Unreachable
            | K::UnexpectedReply
            | K::Ambiguous
    )
}

/// Formats the kind, with a dagger if the error advises to read back.
fn word(result: Option<&Result<Value, Error>>) -> String {
    match result {
        Some(Ok(_)) => "ok".to_owned(),
        Some(Err(error)) => {
            let said = error.advice() == Advice::ReadBack && error.kind() != ErrorKind::Ambiguous;
            format!("{}{}", error.kind().name(), if said { "†" } else { "" })
        }
        None => "nothing".to_owned(),
    }
}
