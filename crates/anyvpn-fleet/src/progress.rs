//! The progress of an order: what we know about its customer. The step reads it from the database and
//! writes it.

use std::fmt;
use std::time::Duration;

use anyvpn_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::End;

/// How often reading must show that a lost operation had no effect before it is sent again.
pub(crate) const ABSENT_LOOKS: u32 = 2;

/// A call that changes something at the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Operation {
    /// Creates the customer.
    Create,
    /// Gives the customer this plan.
    ChangePlan(String),
    /// Suspends the customer.
    Suspend,
    /// Ends the customer's suspension.
    Resume,
    /// Sets when the service ends.
    SetEnd(End),
    /// Sets the password of the order.
    SetPassword,
    /// Closes the customer's account.
    Close,
}

impl Operation {
    /// All names: [`Self::name`], and `find` for reading a customer.
    pub const NAMES: [&'static str; 8] =
        ["find", "create", "change-plan", "suspend", "resume", "set-end", "set-password", "close"];

    /// Returns the name, for budgets and metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::ChangePlan(_) => "change-plan",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::SetEnd(_) => "set-end",
            Self::SetPassword => "set-password",
            Self::Close => "close",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create => f.write_str("create the customer"),
            Self::ChangePlan(plan) => write!(f, "change the plan to {plan}"),
            Self::Suspend => f.write_str("suspend the customer"),
            Self::Resume => f.write_str("resume the customer"),
            Self::SetEnd(end) => write!(f, "set the end to {end}"),
            Self::SetPassword => f.write_str("set the order's password"),
            Self::Close => f.write_str("close the account"),
        }
    }
}

/// To whom the customer belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// There is no customer yet.
    #[default]
    Nobody,
    /// The provider confirmed the creation. The customer has the order's password.
    Order,
    /// The customer was found after a creation whose answer was lost. We treat it as the order's
    /// customer, but its password is not known.
    InDoubt,
    /// A person or the policy assigned the customer to the order.
    Adopted,
}

/// An operation whose effect not every reading shows yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The operation.
    pub operation: Operation,
    /// Whether the provider confirmed it.
    pub confirmed: bool,
    /// The latest time at which it may have been sent, or the time of the last reading that counted.
    pub since: Timestamp,
    /// The number of readings that did not show the effect, each at least the settle time after the
    /// previous one.
    pub looks: u32,
    /// Whether a reading has shown the effect. Until the operation has settled, another one can still be older.
    #[serde(default)]
    pub is_seen: bool,
    /// The revision of the order that it was for.
    #[serde(default)]
    pub revision: u32,
}

/// What we know about an order's customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// To whom the customer belongs.
    pub owner: Owner,
    /// Whether the customer has the order's password.
    pub has_password: bool,
    /// The last operation, until every reading shows its effect; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<Open>,
    /// Why the last creation was refused, until the next reading; absent if it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// The end that was set; absent if none was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
    /// The last revision that the customer matched; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reached: Option<u32>,
    /// Whether the last reading found that the customer no longer exists. Trying again then creates
    /// one.
    pub is_vanished: bool,
    /// The number of lost creations that were then found to have had no effect.
    pub lost_creations: u32,
    /// The number of consecutive failures.
    pub failures: u32,
    /// How often since the last success an operation did not find the customer.
    pub not_found: u32,
}

impl Progress {
    /// Forgets failures: something has succeeded.
    pub(crate) fn forget_failures(&mut self) {
        (self.failures, self.not_found) = (0, 0);
    }
}

/// The state of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderState {
    /// There is something to do.
    Pending,
    /// The answer to an operation was lost, and reading has not yet shown whether it took effect.
    Ambiguous,
    /// The customer matches the order.
    Done,
    /// The customer matched the order but no longer does. Nothing is changed until a person decides.
    Drifted,
    /// A person has to decide; the reason says why.
    Parked,
    /// A person released the order. The customer stays as it is.
    Released,
}

impl OrderState {
    /// All states, in the order of an order's life.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Ambiguous, Self::Done, Self::Drifted, Self::Parked, Self::Released];

    /// Returns the name in the database, in options and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ambiguous => "ambiguous",
            Self::Done => "done",
            Self::Drifted => "drifted",
            Self::Parked => "parked",
            Self::Released => "released",
        }
    }

    /// Returns the state with this name; `None` if there is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl fmt::Display for OrderState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The reason why an order is parked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reason {
    /// The customer existed before the order.
    Foreign,
    /// The customer no longer exists, although the order did not close the account.
    Vanished,
    /// The provider refused, with this error.
    Refused(String),
    /// The provider confirmed the operation, but reading does not show its effect.
    NoEffect(Operation),
    /// The answer to a creation was lost, another creation was refused with this error, and the
    /// customer is not found.
    InDoubt(String),
    /// The customer appeared after a creation that seemed to have had no effect.
    Late,
    /// This many creations were lost, and none of them took effect.
    Lost(u32),
    /// The password cannot be opened.
    Sealed(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("the customer was there before this order"),
            Self::Vanished => f.write_str("the customer is gone, and this order did not close the account"),
            Self::Refused(why) => write!(f, "refused: {why}"),
            Self::NoEffect(operation) => {
                write!(f, "the provider confirmed this, and it cannot be seen: {operation}")
            }
            Self::InDoubt(why) => {
                write!(f, "one creation was lost, and another refused, yet there is no customer: {why}")
            }
            Self::Late => f.write_str(
                "the customer appeared after a creation that seemed not to have been done, and can be \
                 somebody else's",
            ),
            Self::Lost(times) => write!(f, "{times} creations were lost, and none took effect"),
            Self::Sealed(why) => f.write_str(why),
        }
    }
}

/// Which existing customers an order may take over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Adopt {
    /// No order takes over a customer. After a lost creation, the customer's password stays unknown.
    #[default]
    Never,
    /// A customer that is found after a lost creation gets the order's password.
    InDoubt,
    /// A customer who existed before also gets the order's password.
    Foreign,
}

/// The rules of the step that a shop can choose.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Rules {
    /// Which existing customers an order may take over. Default: none.
    pub adopt: Adopt,
    /// How many creations may be lost before the order is parked. Default 10.
    pub lost_creations: u32,
    /// How long after an order is done its customer is read again, to find drift. Default one day; `None` for never.
    pub sweep: Option<Duration>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { adopt: Adopt::Never, lost_creations: 10, sweep: Some(anyvpn_core::DAY) }
    }
}
