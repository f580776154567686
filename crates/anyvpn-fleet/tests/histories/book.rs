//! What the provider of a history knows: its accounts, what it has said, and what must not have happened.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use anyvpn_core::{CustomerEnd, ErrorKind, Timestamp};

use crate::provider::Request;

#[derive(Default)]
pub struct Book {
    pub accounts: BTreeMap<String, Vec<Account>>,
    /// What the workers must never have done.
    pub violations: Vec<String>,
    /// How often each operation arrived for each key.
    pub arrivals: BTreeMap<(&'static str, String), u64>,
    /// Keys whose refusal must reach the journal: nothing else could tell a stranger from a lost creation.
    pub protected: BTreeSet<String>,
    /// When each key was last asked for.
    pub asked: BTreeMap<String, Timestamp>,
    /// Keys of which a creation was lost.
    pub lost: BTreeSet<String>,
    /// What some readings still show.
    pub before: BTreeMap<String, Outdated>,
    /// Effects that come later, each with its time.
    pub late: Vec<(Duration, Request)>,
    /// Whether a customer who was there before may be taken over.
    pub may_take_strangers: bool,
    /// Keys of customers with whom something is always wrong.
    pub quirks: BTreeMap<String, Quirk>,
    /// Keys whose order the shop has changed for the last time.
    pub last_orders: BTreeSet<String>,
    /// Keys that readings showed as they were for longer than the provider says.
    pub outdated: BTreeSet<String>,
    /// Which refusals were given for each key.
    pub refused: HashSet<(String, ErrorKind)>,
    notices: Vec<Notice>,
    /// Whether the journal has it that the provider does not accept the credential.
    is_stopped: bool,
    /// Operations that the journal knows to rest, each with the time until which it does.
    held: BTreeMap<&'static str, Duration>,
}

/// What readings still show although it has changed.
#[derive(Clone)]
pub struct Outdated {
    pub until: Duration,
    pub shown: Option<Account>,
    /// Whether all readings show it, or only some.
    pub everywhere: bool,
}

/// What is always wrong with a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// The provider refuses to create the customer.
    NotCreated,
    /// The provider refuses to change the plan.
    NoOtherPlan,
    /// The customer is found, and all operations say that there is none.
    NotKnown,
    /// Creations of the customer are lost.
    NeverArrives,
}

/// What the provider said about more than one call.
#[derive(Clone, Copy)]
pub enum Notice {
    /// It does not accept the credential.
    Stop,
    /// The operation is not served before this time.
    Hold(&'static str, Duration),
}

#[derive(Clone, Debug)]
pub struct Account {
    pub is_strangers: bool,
    /// Whether a person gave the customer to the order.
    pub was_given: bool,
    pub plan: Option<String>,
    pub is_suspended: bool,
    pub is_closed: bool,
    pub was_closed_by_hand: bool,
    pub password: String,
    pub end: Option<CustomerEnd>,
}

impl Account {
    pub fn new(plan: Option<String>, password: &str) -> Self {
        Self {
            is_strangers: false,
            was_given: false,
            plan,
            is_suspended: false,
            is_closed: false,
            was_closed_by_hand: false,
            password: password.into(),
            end: None,
        }
    }

    pub fn strangers() -> Self {
        Self { is_strangers: true, ..Self::new(Some("huge".into()), "the stranger's own") }
    }
}

impl Book {
    /// Remembers what the provider says, and returns the text in which it says so.
    pub fn announce(&mut self, notice: Notice) -> String {
        self.notices.push(notice);
        format!("notice {}", self.notices.len() - 1)
    }

    /// The journal has this reason from now on, so that it holds for all workers.
    pub fn hear(&mut self, why: &str) {
        let Some((_, rest)) = why.split_once("notice ") else { return };
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        match self.notices[digits.parse::<usize>().unwrap()] {
            Notice::Stop => self.is_stopped = true,
            Notice::Hold(operation, until) => {
                let held = self.held.entry(operation).or_default();
                *held = until.max(*held);
            }
        }
    }

    pub fn resume(&mut self) {
        self.is_stopped = false;
    }

    pub fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// An operation is about to be sent.
    pub fn sends(&mut self, operation: &str, now: Duration) {
        if self.is_stopped && operation != "find" {
            self.violations.push(format!("{operation} for a stopped brand"));
        }
        if self.held.get(operation).is_some_and(|until| now < *until) {
            self.violations.push(format!("{operation} although the provider wants it to rest"));
        }
    }
}
