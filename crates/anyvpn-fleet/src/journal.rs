//! The journal: what happened to each order, and why.

use std::fmt;

use anyvpn_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Operation, OrderState, Reason};

/// A row of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// When it happened.
    pub at: Timestamp,
    /// The name of the worker or the person.
    pub worker: String,
    /// The fencing number under which it happened.
    pub fence: u64,
    /// The revision of the order.
    pub revision: u32,
    /// The state of the order afterwards.
    pub state: OrderState,
    /// What happened.
    pub event: Event,
}

/// Something that happened to an order. It never contains a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// The order is new.
    Imported,
    /// The shop changed the order.
    Changed,
    /// The operation is about to be sent. This row is durable before the operation leaves.
    Sending(Operation),
    /// The lease had little time left, so the operation was not sent.
    NotSent(Operation),
    /// The provider confirmed the operation.
    Confirmed(Operation),
    /// The answer was lost: the operation may or may not have taken effect.
    Lost {
        /// The operation.
        operation: Operation,
        /// The error.
        why: String,
    },
    /// A reading did not show the effect of a lost operation.
    Waiting {
        /// The number of such readings that count so far.
        looks: u32,
    },
    /// Reading the customer failed, or an operation failed without any effect.
    Failed {
        /// The name of the call that failed.
        doing: String,
        /// The error.
        why: String,
    },
    /// The budget of the operation had no room.
    Budget,
    /// The customer matches the order.
    AsOrdered,
    /// The customer no longer matches the order; this operation would restore it.
    Drifted(Operation),
    /// A person has to decide.
    Parked(Reason),
    /// A person asked to try again.
    Retried,
    /// A person assigned the customer to the order.
    Adopted,
    /// A person released the order.
    Released,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Imported => f.write_str("the order came in, and a password was made for it"),
            Self::Changed => f.write_str("the shop changed the order"),
            Self::Sending(operation) => write!(f, "about to {operation}"),
            Self::NotSent(operation) => {
                write!(f, "too little time was left, so nothing was sent: {operation}")
            }
            Self::Confirmed(operation) => write!(f, "the provider confirmed: {operation}"),
            Self::Lost { operation, why } => {
                write!(f, "it is unknown whether this was done: {operation}: {why}")
            }
            Self::Waiting { looks: 0 } => f.write_str("it cannot be seen yet whether it was done"),
            Self::Waiting { looks } => {
                write!(f, "reading {looks} did not show it; nothing is sent before another reading")
            }
            Self::Failed { doing, why } => write!(f, "{doing} failed and had no effect: {why}"),
            Self::Budget => f.write_str("the budget had no room"),
            Self::AsOrdered => f.write_str("the customer is as ordered"),
            Self::Drifted(operation) => {
                write!(f, "the customer is no longer as ordered; to restore it: {operation}")
            }
            Self::Parked(reason) => write!(f, "parked: {reason}"),
            Self::Retried => f.write_str("a person asked to try again"),
            Self::Adopted => f.write_str("a person gave the customer to this order"),
            Self::Released => {
                f.write_str("a person gave the order up; the customer stays as it is")
            }
        }
    }
}
