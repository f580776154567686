//! Misbehaviour on request.

use std::time::Duration;

use crate::random::Random;
use crate::wire::WireFault;

/// What goes wrong with a request.
///
/// The work is done with `Delay`, `ResetAfter`, `CutBody` and `HalfJson`, with `Wire` when that says
/// so, and with no other.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The work is done at once and answered only after this time.
    Delay(Duration),
    /// The connection is reset before any work.
    ResetBefore,
    /// The work is done, and then the connection is reset without a byte of reply.
    ResetAfter,
    /// 429 in the provider's own form.
    TooManyRequests {
        /// Sent in whole seconds, rounded up.
        retry_after: Option<Duration>,
    },
    /// This status in the provider's own form, as 500 and 503.
    Status(u16),
    /// This status with an HTML page, as a gateway answers.
    Html(u16),
    /// The work is done; then come the head, half the body it announces, and a reset.
    /// A reply without a body is not sent at all.
    CutBody,
    /// The work is done; then comes a complete message, status 200, with half of the JSON.
    HalfJson,
    /// The reply goes wrong on the wire, in one of the ways that have a name. See
    /// [`Fault::named`].
    Wire(&'static WireFault),
    /// Another of all of these with every request, drawn from the sandbox's seed.
    Any,
}

impl Fault {
    /// One of all that can happen to a reply.
    fn drawn(random: &mut Random) -> Fault {
        let others = [
            Fault::Delay(Duration::from_secs(1)),
            Fault::TooManyRequests { retry_after: None },
            Fault::TooManyRequests { retry_after: Some(Duration::from_secs(1)) },
            Fault::Status(500),
            Fault::Status(503),
            Fault::Html(502),
        ];
        // Some 190: the table is short.
        let wire = WireFault::all().map(Fault::Wire);
        let all: Vec<Fault> = wire.chain(others).collect();
        all[random.below(all.len() as u32) as usize].clone()
    }

    /// One of [`WireFault::all`] by its name, such as `gzip-bomb`.
    #[must_use]
    pub fn named(name: &str) -> Option<Fault> {
        WireFault::named(name).map(Fault::Wire)
    }

    /// How it goes wrong on the wire, when it does.
    pub(crate) fn on_the_wire(&self) -> Option<&'static WireFault> {
        match self {
            Fault::ResetBefore => WireFault::named("reset-before"),
            Fault::ResetAfter => WireFault::named("reset-after"),
            Fault::CutBody => WireFault::named("cut-body"),
            Fault::HalfJson => WireFault::named("half-json"),
            Fault::Wire(fault) => Some(fault),
            _ => None,
        }
    }
}

/// A fault, and the requests that meet it.
///
/// Rules are tried in the order of their injection, and the first that applies decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRule {
    /// What goes wrong.
    pub fault: Fault,
    /// Such as `azire.create-port-forward`; `None` is any operation. A name that
    /// [`operations`](crate::operations) does not list matches nothing.
    pub operation: Option<String>,
    /// How often it goes wrong; `None` is always.
    pub times: Option<u32>,
    /// How many matching requests pass first.
    pub skip: u32,
    /// How many of a hundred of the others it goes wrong with, drawn from the sandbox's seed. 100,
    /// or more, is each of them.
    pub percent: u8,
}

impl FaultRule {
    /// The next request for `operation` meets the fault, and no other request does.
    #[must_use]
    pub fn once(operation: &str, fault: Fault) -> FaultRule {
        FaultRule {
            operation: Some(operation.to_owned()),
            times: Some(1),
            ..FaultRule::always(fault)
        }
    }

    /// Every request meets the fault.
    #[must_use]
    pub fn always(fault: Fault) -> FaultRule {
        FaultRule { fault, operation: None, times: None, skip: 0, percent: 100 }
    }

    /// So many of a hundred requests for `operation` meet the fault: which ones follows from the
    /// sandbox's seed and the order of the requests.
    #[must_use]
    pub fn sometimes(percent: u8, operation: &str, fault: Fault) -> FaultRule {
        FaultRule { percent, operation: Some(operation.to_owned()), ..FaultRule::always(fault) }
    }
}

/// The rules of a sandbox, which count down.
pub(crate) struct Faults {
    pub(crate) rules: Vec<FaultRule>,
    /// How many requests met one.
    pub(crate) met: u64,
    random: Random,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Faults {
        Faults { rules: Vec::new(), met: 0, random: Random::new(seed, 3) }
    }

    /// The fault of the next request for `operation`.
    pub(crate) fn next(&mut self, operation: &str) -> Option<Fault> {
        self.rules.retain(|rule| rule.times != Some(0));
        let matching =
            |rule: &&mut FaultRule| rule.operation.as_deref().is_none_or(|name| name == operation);
        for rule in self.rules.iter_mut().filter(matching) {
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            if self.random.below(100) >= u32::from(rule.percent) {
                continue;
            }
            rule.times = rule.times.map(|times| times - 1);
            self.met += 1;
            return Some(match &rule.fault {
                Fault::Any => Fault::drawn(&mut self.random),
                fault => fault.clone(),
            });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Fault, FaultRule, Faults};

    #[test]
    fn any_is_another_one_each_time_and_the_seed_says_which() {
        let course = |seed| {
            let mut faults = Faults::new(seed);
            faults.rules.push(FaultRule::sometimes(50, "azire.get-user", Fault::Any));
            let course: Vec<_> = (0..200).map(|_| faults.next("azire.get-user")).collect();
            let met = course.iter().flatten().count();
            assert_eq!(faults.met, met as u64);
            assert!((70..130).contains(&met), "{met}");
            course
        };
        let first = course(7);
        let kinds: HashSet<String> = first.iter().flatten().map(|it| format!("{it:?}")).collect();
        assert!(kinds.len() > 40 && !kinds.contains("Any"), "{kinds:?}");
        assert_eq!(course(7), first);
        assert_ne!(course(8), first);
    }
}
