//! VPNresellers' state: resellers with their tokens, balances and accounts.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use x25519_dalek::{PublicKey, StaticSecret};

use super::answer::{full, no_account, refusal, unauthorized};
use super::quirks::Quirks;
use super::servers::Server;
use crate::clock::DAY;
use crate::provider::Call;
use crate::random::{LETTERS, Random};
use crate::reply::Reply;
use crate::{Clock, push};

/// The sandbox's own limits, far above what a test needs.
const MOST_RESELLERS: usize = 100;
const MOST_ACCOUNTS: usize = 10_000;
/// The daily cost of an active account, in cents.
pub(super) const PRICE: i64 = 7;
/// The initial balance of a reseller, in cents.
const BALANCE: i64 = 100_000;
/// The maximum number of days that are charged at once if the clock is advanced far.
const MOST_DAYS: i64 = 4000;

/// The state of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It can connect, and is charged.
    Active,
    /// It cannot connect.
    Disabled,
    /// It has reached its end. Replies say so only with the variation `ended-is-expired`.
    Expired,
}

pub(super) struct Reseller {
    pub(super) name: String,
    pub(super) token: String,
    /// In cents, not below 0.
    pub(super) balance: i64,
}

pub(super) struct Account {
    pub(super) id: u64,
    /// The index of the reseller.
    pub(super) reseller: usize,
    pub(super) username: String,
    pub(super) password: String,
    pub(super) status: Status,
    pub(super) address: Ipv4Addr,
    pub(super) key: String,
    pub(super) public_key: String,
    pub(super) expires_at: Option<i64>,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
}

pub(crate) struct State {
    pub(super) quirks: Quirks,
    pub(super) random: Random,
    pub(super) seed: u64,
    pub(super) started: Timestamp,
    pub(super) clock: Clock,
    pub(super) resellers: Vec<Reseller>,
    /// Oldest first.
    pub(super) accounts: Vec<Account>,
    pub(super) servers: Vec<Server>,
    pub(super) next_account: u64,
    /// How often an account was created for the name.
    pub(super) created: BTreeMap<String, u32>,
    /// The day that was charged last, in days since 1970.
    pub(super) charged: i64,
}

impl State {
    pub(super) fn now(&self) -> i64 {
        self.clock.now().as_second()
    }

    /// Applies everything that is due by now: charges days, and ends accounts.
    pub(super) fn pass_time(&mut self) {
        let today = self.now().div_euclid(DAY);
        for day in self.charged.max(today - MOST_DAYS) + 1..=today {
            self.end_accounts(day * DAY);
            for reseller in 0..self.resellers.len() {
                let active = self.accounts.iter().filter(|account| {
                    account.reseller == reseller && account.status == Status::Active
                });
                let price = active.count() as i64 * PRICE;
                self.charge(reseller, price);
            }
        }
        self.charged = today;
        self.end_accounts(self.now());
    }

    fn end_accounts(&mut self, now: i64) {
        let ended = if self.quirks.ended_is_expired { Status::Expired } else { Status::Disabled };
        for account in &mut self.accounts {
            if account.status == Status::Active && account.expires_at.is_some_and(|end| end <= now)
            {
                account.status = ended;
            }
        }
    }

    /// Deducts cents from a balance, down to zero.
    pub(super) fn charge(&mut self, reseller: usize, price: i64) {
        let balance = &mut self.resellers[reseller].balance;
        *balance = (*balance - price).max(0);
        if *balance < PRICE && price > 0 && self.quirks.empty_balance_disables {
            for account in self.accounts.iter_mut().filter(|it| it.reseller == reseller) {
                account.status = Status::Disabled;
            }
        }
    }

    /// Returns whether the balance covers one more day of one account.
    pub(super) fn can_pay(&self, reseller: usize) -> bool {
        self.resellers[reseller].balance >= PRICE
    }

    /// Returns the index of the reseller with this name, adding it if there is none; `None` if the
    /// limit is reached.
    pub(super) fn reseller(&mut self, name: &str) -> Option<usize> {
        let known = self.resellers.iter().position(|reseller| reseller.name == name);
        if known.is_some() || self.resellers.len() >= MOST_RESELLERS {
            return known;
        }
        let token = format!("{}|{}", self.resellers.len() + 1, self.random.text(40, LETTERS));
        self.resellers.push(Reseller { name: name.to_owned(), token, balance: BALANCE });
        Some(self.resellers.len() - 1)
    }

    pub(super) fn caller(&self, call: &Call) -> Result<usize, Reply> {
        let token = call.bearer();
        let caller = self.resellers.iter().position(|it| Some(it.token.as_str()) == token);
        caller.ok_or_else(|| unauthorized(&self.quirks))
    }

    pub(super) fn is_taken(&self, username: &str) -> bool {
        self.accounts.iter().any(|account| account.username == username)
    }

    /// Returns the index of the reseller's account with this id.
    pub(super) fn place(&self, reseller: usize, id: &str) -> Result<usize, Reply> {
        let id: Option<u64> = id.parse().ok();
        let place = self.accounts.iter().position(|account| Some(account.id) == id);
        let place = place.ok_or_else(|| no_account(&self.quirks))?;
        match self.accounts[place].reseller == reseller {
            true => Ok(place),
            false if self.quirks.stranger == 403 => Err(refusal(&self.quirks, 403, "Forbidden.")),
            false => Err(no_account(&self.quirks)),
        }
    }

    /// Adds an active account with a name that must be free.
    pub(super) fn add_account(
        &mut self,
        reseller: usize,
        username: &str,
        password: &str,
    ) -> Result<&mut Account, Reply> {
        if self.accounts.len() >= MOST_ACCOUNTS {
            return Err(full(&self.quirks));
        }
        let taken = |low: u32| self.accounts.iter().any(|account| account.address == address(low));
        // 10.64.1.0 to 10.64.254.255; the first network is the provider's own.
        let low = self.random.free(0x100..0xff00, taken).ok_or_else(|| full(&self.quirks))?;
        let secret = self.random.key();
        let public_key = PublicKey::from(&StaticSecret::from(secret));
        let now = self.clock.now().as_second();
        let id = self.next_account;
        self.next_account += 1;
        *self.created.entry(username.to_owned()).or_default() += 1;
        Ok(push(
            &mut self.accounts,
            Account {
                id,
                reseller,
                username: username.to_owned(),
                password: password.to_owned(),
                status: Status::Active,
                address: address(low),
                key: STANDARD.encode(secret),
                public_key: STANDARD.encode(public_key),
                expires_at: None,
                created_at: now,
                updated_at: now,
            },
        ))
    }
}

fn address(low: u32) -> Ipv4Addr {
    Ipv4Addr::from(0x0a40_0000 + low)
}
