//! PIA's state: accounts with their tokens and keys, and the reserved and open ports.

use std::net::Ipv4Addr;

use jiff::Timestamp;

use super::quirks::Quirks;
use crate::data_plane::VpnServer;
use crate::random::{HEXADECIMAL, Random};
use crate::tls::Hosts;
use crate::{Clock, push};

/// The sandbox's own limits, far above what a test needs.
const MOST_ACCOUNTS: usize = 1000;
const MOST_TOKENS: usize = 1000;
/// How long a port stays open, in seconds.
pub(super) const OPEN: i64 = 20 * 60;

pub(super) struct Account {
    pub(super) username: String,
    pub(super) password: String,
    pub(super) expires_at: i64,
    pub(super) tokens: Vec<String>,
    /// The keys that servers store for the account.
    pub(super) keys: Vec<Key>,
}

pub(super) struct Key {
    pub(super) server: String,
    pub(super) public: String,
    pub(super) address: Ipv4Addr,
}

/// A reserved port, identified by payload and signature.
pub(super) struct Reserved {
    pub(super) payload: String,
    pub(super) signature: String,
    pub(super) port: u16,
    pub(super) ends_at: i64,
}

/// A port that is open.
pub(super) struct Open {
    pub(super) port: u16,
    pub(super) closes_at: i64,
    /// The device that it leads to, if there is a data plane.
    pub(super) device: Option<Ipv4Addr>,
}

pub(crate) struct State {
    pub(super) quirks: Quirks,
    pub(super) random: Random,
    pub(super) clock: Clock,
    pub(super) hosts: Hosts,
    pub(super) accounts: Vec<Account>,
    pub(super) reserved: Vec<Reserved>,
    pub(super) open: Vec<Open>,
    /// With a data plane: the one WireGuard server that stands for all of them.
    pub(super) vpn_server: Option<VpnServer>,
    pub(super) last_key: u32,
    /// The number of lists that were sent.
    pub(super) lists: usize,
    /// Whether calls come through the tunnel.
    pub(super) connected: bool,
    /// Whether the next port to be opened belongs to another tunnel.
    pub(super) busy: bool,
    /// Whether sign-ins are refused as too frequent.
    pub(super) locked: bool,
}

impl State {
    pub(super) fn now(&self) -> i64 {
        self.clock.now().as_second()
    }

    pub(super) fn named(&mut self, username: &str) -> Option<&mut Account> {
        self.accounts.iter_mut().find(|account| account.username == username)
    }

    /// Returns the index of the account that has this token.
    pub(super) fn holder(&self, token: &str) -> Option<usize> {
        self.accounts.iter().position(|account| account.tokens.iter().any(|known| known == token))
    }

    /// Creates a token for the user, adding the user if there is none of that name; `None` if a limit
    /// is reached.
    pub(super) fn add_user(
        &mut self,
        username: &str,
        password: &str,
        expires_at: Timestamp,
    ) -> Option<String> {
        if self.named(username).is_none() {
            if self.accounts.len() >= MOST_ACCOUNTS {
                return None;
            }
            let (username, expires_at) = (username.to_owned(), expires_at.as_second());
            let (password, tokens, keys) = (String::new(), Vec::new(), Vec::new());
            push(&mut self.accounts, Account { username, password, expires_at, tokens, keys });
        }
        let place = self.accounts.iter().position(|account| account.username == username)?;
        self.accounts[place].password = password.to_owned();
        self.add_token(place)
    }

    pub(super) fn add_token(&mut self, account: usize) -> Option<String> {
        if self.accounts[account].tokens.len() >= MOST_TOKENS {
            return None;
        }
        // The token ends with characters that a query must escape.
        let token = self.random.text(60, HEXADECIMAL) + "+/=_";
        Some(push(&mut self.accounts[account].tokens, token).clone())
    }
}
