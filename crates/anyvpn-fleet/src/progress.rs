//! What is known of an order's customer: the part of the database that the step reads and writes.

use std::fmt;
use std::time::Duration;

use anyvpn_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::End;

/// How often reading must show that a lost operation had no effect before it is sent again.
pub(crate) const ABSENT_LOOKS: u32 = 2;

/// One call that changes something at the provider.
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
    /// Says when the service ends.
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

/// Whose the customer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// There was no customer yet.
    #[default]
    Nobody,
    /// The provider confirmed the creation. The customer has the order's password.
    Order,
    /// The customer was found after a creation whose answer was lost. The customer is taken for the order's,
    /// and nothing is known of the password.
    InDoubt,
    /// A person or the policy gave the customer to the order.
    Adopted,
}

/// An operation whose effect has not been seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The operation.
    pub operation: Operation,
    /// Whether the provider confirmed it.
    pub confirmed: bool,
    /// The latest time at which it can have been sent, or the last reading that counted.
    pub since: Timestamp,
    /// How many readings, each the settle time after the one before, did not show the effect.
    pub looks: u32,
}

/// What is known of an order's customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Whose the customer is.
    pub owner: Owner,
    /// Whether the customer has the order's password.
    pub has_password: bool,
    /// The operation whose effect has not been seen; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<Open>,
    /// Why the last creation was refused, until the next reading; absent if it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// The end that was set; absent if none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
    /// The revision that the customer last corresponded to; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reached: Option<u32>,
    /// Whether the customer was gone at the last reading. Trying again then creates one.
    pub is_vanished: bool,
    /// How many creations were lost and then found not to have been done.
    pub lost_creations: u32,
    /// How many tries failed in a row.
    pub failures: u32,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderState {
    /// There is something to do.
    Pending,
    /// The answer to an operation was lost, and reading has not yet shown what became of it.
    Ambiguous,
    /// The customer is what the order says.
    Done,
    /// The customer was what the order says, and is no longer. Nothing is changed until a person says so.
    Drifted,
    /// A person has to decide. The reason says why.
    Parked,
    /// A person gave the order up. The customer stays as it is.
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

/// Why an order is parked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reason {
    /// The customer was there before the order.
    Foreign,
    /// The customer is gone, and the order did not close the account.
    Vanished,
    /// The provider refused, with this error.
    Refused(String),
    /// The provider confirmed the operation, and reading does not show the effect.
    NoEffect(Operation),
    /// A creation was lost, another one was refused with this error, and the customer is not shown.
    InDoubt(String),
    /// The customer appeared after a creation that seemed not to have been done.
    Late,
    /// So many creations were lost, and none took effect.
    Lost(u32),
    /// The password does not open.
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

/// Whose customers an order may take over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Adopt {
    /// No order takes over a customer. After a lost creation, the customer's password stays unknown.
    #[default]
    Never,
    /// A customer that is found after a lost creation gets the order's password.
    InDoubt,
    /// A customer who was there before gets the order's password too.
    Foreign,
}

/// The rules of the step that a shop can choose.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Rules {
    /// Whose customers an order may take over. Default: nobody's.
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
