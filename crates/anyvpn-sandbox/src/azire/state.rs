//! AzireVPN's state: accounts with their tokens, devices and ports.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::answer::{full, unauthenticated};
use super::limit::RateLimit;
use super::locations::Location;
use super::quirks::Quirks;
use crate::data_plane::DataPlane;
use crate::provider::Call;
use crate::random::{HEXADECIMAL, LETTERS, Random};
use crate::reply::Reply;
use crate::{Clock, push};

/// The sandbox's own limits, far above what a test needs.
const MOST_ACCOUNTS: usize = 1000;
const MOST_TOKENS: usize = 1000;

pub(super) struct Account {
    pub(super) username: String,
    pub(super) password: String,
    pub(super) email: Option<String>,
    pub(super) email_verified: bool,
    /// An e-mail address given at the creation must be verified before the account can be used.
    pub(super) awaits_email: bool,
    pub(super) currency: String,
    pub(super) suspended: bool,
    pub(super) subscribed: bool,
    pub(super) created_at: i64,
    pub(super) expires_at: i64,
    pub(super) tokens: Vec<Token>,
    pub(super) devices: Vec<Device>,
    /// The day since 1970 of the newest port, and how many ports were created on it.
    pub(super) created_ports: (i64, u32),
}

impl Account {
    pub(super) fn is_active(&self, now: i64) -> bool {
        !self.suspended && !self.awaits_email && now < self.expires_at
    }

    pub(super) fn device(&mut self, address: Ipv4Addr) -> Option<&mut Device> {
        self.devices.iter_mut().find(|device| device.address == address)
    }

    /// Returns the index of the device that has the key.
    pub(super) fn device_with(&self, key: &str) -> Option<usize> {
        self.devices.iter().position(|device| device.keys.iter().any(|known| known.key == key))
    }
}

pub(super) struct Token {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) device_name: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) created_at: i64,
}

/// A device, which the provider calls an ip.
pub(super) struct Device {
    pub(super) id: String,
    pub(super) address: Ipv4Addr,
    /// The address as text, which most replies contain.
    pub(super) address_v6: String,
    /// The id of the token with which it was created.
    pub(super) token: Option<String>,
    pub(super) keys: Vec<Key>,
    pub(super) ports: Vec<Forward>,
}

pub(super) struct Key {
    pub(super) key: String,
    pub(super) created_at: i64,
}

pub(super) struct Forward {
    pub(super) port: u16,
    pub(super) hidden: bool,
    pub(super) expires_at: i64,
}

/// The caller.
pub(crate) struct Caller {
    /// The account's index, which is valid while the state is locked.
    pub(super) account: usize,
    pub(super) token: String,
}

pub(crate) struct State {
    pub(super) quirks: Quirks,
    pub(super) random: Random,
    pub(super) clock: Clock,
    pub(super) accounts: Vec<Account>,
    pub(super) locations: Vec<Location>,
    pub(super) limit: RateLimit,
    pub(super) data_plane: Option<Arc<dyn DataPlane>>,
}

impl State {
    pub(super) fn now(&self) -> i64 {
        self.clock.now().as_second()
    }

    /// Removes the ports that have expired.
    pub(super) fn expire(&mut self) {
        let now = self.now();
        for device in self.accounts.iter_mut().flat_map(|account| &mut account.devices) {
            device.ports.retain(|port| now < port.expires_at);
        }
    }

    pub(super) fn caller(&self, call: &Call) -> Result<Caller, Reply> {
        let key = call.bearer().ok_or_else(unauthenticated)?;
        for (account, known) in self.accounts.iter().enumerate() {
            if let Some(token) = known.tokens.iter().find(|token| token.key == key) {
                return Ok(Caller { account, token: token.id.clone() });
            }
        }
        Err(unauthenticated())
    }

    pub(super) fn named(&mut self, username: &str) -> Option<&mut Account> {
        self.accounts.iter_mut().find(|account| account.username == username)
    }

    /// Returns whether there is such an account with an address to verify.
    pub(super) fn verify_email(&mut self, username: &str) -> bool {
        let account = self.named(username).filter(|account| account.email.is_some());
        account
            .map(|account| {
                account.email_verified = true;
                account.awaits_email = false;
            })
            .is_some()
    }

    pub(super) fn add_account(&mut self, account: Account) -> Result<&mut Account, Reply> {
        if self.accounts.len() >= MOST_ACCOUNTS {
            return Err(full());
        }
        Ok(push(&mut self.accounts, account))
    }

    pub(super) fn add_token(
        &mut self,
        account: usize,
        device_name: Option<String>,
        comment: Option<String>,
    ) -> Result<&Token, Reply> {
        let created_at = self.now();
        let tokens = &mut self.accounts[account].tokens;
        if tokens.len() >= MOST_TOKENS {
            return Err(full());
        }
        let id = self.random.text(8, LETTERS);
        let key = self.random.text(60, HEXADECIMAL);
        Ok(push(tokens, Token { id, key, device_name, comment, created_at }))
    }

    /// Adds a device with one key and without ports, at a free address.
    pub(super) fn add_device(
        &mut self,
        account: usize,
        token: Option<String>,
        key: String,
    ) -> Result<usize, Reply> {
        let key = Key { key, created_at: self.now() };
        let devices = || self.accounts.iter().flat_map(|account| &account.devices);
        let taken = |low| devices().any(|device| device.address == address(low));
        // 10.0.1.0 to 10.0.254.255; the first network is the provider's own.
        let low = self.random.free(0x100..0xff00, taken).ok_or_else(full)?;
        let id = self.random.text(8, LETTERS);
        let address = address(low);
        let address_v6 = address_v6(address).to_string();
        let devices = &mut self.accounts[account].devices;
        devices.push(Device { id, address, address_v6, token, keys: vec![key], ports: vec![] });
        Ok(devices.len() - 1)
    }

    /// Returns a free public port.
    pub(super) fn free_port(&mut self) -> Result<u16, Reply> {
        let devices = || self.accounts.iter().flat_map(|account| &account.devices);
        let ports = || devices().flat_map(|device| &device.ports);
        let taken = |number| ports().any(|forward| u32::from(forward.port) == number);
        let number = self.random.free(49_152..65_536, taken).ok_or_else(full)?;
        u16::try_from(number).map_err(|_| full())
    }

    /// Returns a new one-time password.
    pub(super) fn otp(&mut self) -> String {
        self.random.text(60, HEXADECIMAL)
    }
}

/// Writes the IPv4 address in decimal into the last four groups, as the documents show it.
fn address_v6(address: Ipv4Addr) -> Ipv6Addr {
    let decimal = |byte: u8| {
        let byte = u16::from(byte);
        byte / 100 * 0x100 + byte / 10 % 10 * 0x10 + byte % 10
    };
    let [a, b, c, d] = address.octets().map(decimal);
    Ipv6Addr::new(0x2a0e, 0x1c80, 0x1337, 1, a, b, c, d)
}

fn address(low: u32) -> Ipv4Addr {
    Ipv4Addr::from(0x0a00_0000 + low)
}
