//! Faults: failures that tests request.

use std::time::Duration;

use crate::random::Random;
use crate::wire::WireFault;

/// A failure of a request.
///
/// The request takes effect with `Delay`, and with `Wire` if that fault says so; otherwise it does not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The request takes effect at once, and is answered after this time.
    Delay(Duration),
    /// 429 in the provider's own form.
    TooManyRequests {
        /// The value of `Retry-After`, sent in whole seconds, rounded up.
        retry_after: Option<Duration>,
    },
    /// This status in the provider's own form, as 500 and 503.
    Status(u16),
    /// This status with an HTML page, as a gateway answers.
    Html(u16),
    /// The reply fails on the wire, as described by the [`WireFault`] with this name, such as
    /// `reset-after`.
    Wire(&'static str),
    /// A datagram or its reply fails. Requests over HTTP ignore it. For a datagram, `Status` is a
    /// refusal with this code, and each fault of HTTP is a lost request.
    Datagram(DatagramFault),
    /// A different fault of HTTP for every request, determined by the sandbox's seed.
    Any,
}

/// A fault of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatagramFault {
    /// The request is lost.
    LostRequest,
    /// The request takes effect, but the reply is lost.
    LostReply,
    /// The reply is sent twice.
    Doubled,
    /// The reply comes from another port.
    ForeignSource,
    /// The reply has this many bytes: it is truncated or padded with zeros.
    Length(usize),
}

impl Fault {
    /// Selects one of the faults of a reply at random.
    fn drawn(random: &mut Random) -> Fault {
        let others = [
            Fault::Delay(Duration::from_secs(1)),
            Fault::TooManyRequests { retry_after: None },
            Fault::TooManyRequests { retry_after: Some(Duration::from_secs(1)) },
            Fault::Status(500),
            Fault::Status(503),
            Fault::Html(502),
        ];
        // There are about 190, so searching is fast.
        let wire = WireFault::all().map(|fault| Fault::Wire(fault.name));
        let all: Vec<Fault> = wire.chain(others).collect();
        all[random.below(all.len() as u32) as usize].clone()
    }

    /// Returns how the reply fails on the wire; `None` if it does not.
    pub(crate) fn on_the_wire(&self) -> Option<&'static WireFault> {
        match self {
            Fault::Wire(name) => WireFault::named(name),
            _ => None,
        }
    }
}

/// The reason why a rule was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// [`operations`](crate::operations) does not list the operation.
    #[error("unknown operation {0:?}")]
    UnknownOperation(String),
    /// [`WireFault::all`] does not list the fault.
    #[error("unknown fault on the wire {0:?}")]
    UnknownFault(&'static str),
}

/// A fault, and the requests that it applies to.
///
/// Rules are tried in the order in which they were added, and the first that matches is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRule {
    /// The fault.
    pub fault: Fault,
    /// One of [`operations`](crate::operations), such as `azire.create-port-forward`; `None` means any.
    pub operation: Option<String>,
    /// How often the fault happens; `None` means always.
    pub times: Option<u32>,
    /// How many matching requests pass before the first fault.
    pub skip: u32,
    /// The percentage of the following requests that fail, determined by the sandbox's seed; 100 or more
    /// means all.
    pub percent: u8,
}

impl FaultRule {
    /// Creates a rule for the next request of `operation` only.
    #[must_use]
    pub fn once(operation: &str, fault: Fault) -> FaultRule {
        FaultRule {
            operation: Some(operation.to_owned()),
            times: Some(1),
            ..FaultRule::always(fault)
        }
    }

    /// Creates a rule for every request.
    #[must_use]
    pub fn always(fault: Fault) -> FaultRule {
        FaultRule { fault, operation: None, times: None, skip: 0, percent: 100 }
    }

    /// Creates a rule for a percentage of the requests of `operation`. Which ones fail is determined by
    /// the sandbox's seed and the order of the requests.
    #[must_use]
    pub fn sometimes(percent: u8, operation: &str, fault: Fault) -> FaultRule {
        FaultRule { percent, operation: Some(operation.to_owned()), ..FaultRule::always(fault) }
    }
}

/// The rules of a sandbox, with their remaining counts.
pub(crate) struct Faults {
    pub(crate) rules: Vec<FaultRule>,
    /// The number of requests that had a fault.
    pub(crate) met: u64,
    random: Random,
    /// The operations that a rule can name.
    pub(crate) operations: Vec<&'static str>,
}

impl Faults {
    /// Adds a rule, unless it could never match.
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

    /// Returns the fault for the next request of `operation`.
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
