//! Misbehaviour on request.

use std::time::Duration;

use crate::random::Random;
use crate::wire::WireFault;

/// What goes wrong with a request.
///
/// The work is done with `Delay`, with `Wire` when that fault says so, and with no other.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The work is done at once and answered only after this time.
    Delay(Duration),
    /// 429 in the provider's own form.
    TooManyRequests {
        /// Sent in whole seconds, rounded up.
        retry_after: Option<Duration>,
    },
    /// This status in the provider's own form, as 500 and 503.
    Status(u16),
    /// This status with an HTML page, as a gateway answers.
    Html(u16),
    /// The reply goes wrong on the wire, in the way of [`WireFault::all`] that has this name, such as
    /// `reset-after`.
    Wire(&'static str),
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
        let wire = WireFault::all().map(|fault| Fault::Wire(fault.name));
        let all: Vec<Fault> = wire.chain(others).collect();
        all[random.below(all.len() as u32) as usize].clone()
    }

    /// How it goes wrong on the wire, when it does.
    pub(crate) fn on_the_wire(&self) -> Option<&'static WireFault> {
        match self {
            Fault::Wire(name) => WireFault::named(name),
            _ => None,
        }
    }
}

/// Why a rule is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// [`operations`](crate::operations) does not list the operation.
    #[error("no operation is named {0:?}")]
    UnknownOperation(String),
    /// [`WireFault::all`] does not list the fault.
    #[error("no fault on the wire is named {0:?}")]
    UnknownFault(&'static str),
}

/// A fault, and the requests that meet it.
///
/// Rules are tried in the order of their injection, and the first that applies decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRule {
    /// What goes wrong.
    pub fault: Fault,
    /// One of [`operations`](crate::operations), such as `azire.create-port-forward`; `None` is any.
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
    /// Those that a rule can name.
    pub(crate) operations: Vec<&'static str>,
}

impl Faults {
    /// Adds a rule, unless nothing could ever match it.
    pub(crate) fn add(&mut self, rule: FaultRule) -> Result<(), RuleError> {
        let known = |name: &String| self.operations.contains(&name.as_str());
        if let Some(unknown) = rule.operation.as_ref().filter(|name| !known(name)) {
            return Err(RuleError::UnknownOperation(unknown.clone()));
        }
        if let Fault::Wire(name) = rule.fault
            && WireFault::named(name).is_none()
        {
            return Err(RuleError::UnknownFault(name));
        }
        self.rules.push(rule);
        Ok(())
    }

    pub(crate) fn new(seed: u64, operations: Vec<&'static str>) -> Faults {
        Faults { rules: Vec::new(), met: 0, random: Random::new(seed, 3), operations }
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
