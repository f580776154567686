//! Actions that only the sandbox's user can perform: change users, their services and the queue, and
//! add servers.

use std::time::Duration;

use serde_json::{Value, json};

use super::servers::{Profile, Server};
use super::state::{Account, ServiceState, State};
use crate::clock::DAY;
use crate::provider::{Action, fields, text};
use crate::random::LETTERS;

/// Ten years: tests advance the clock, and few of them are about the service's end.
const SERVICE_SECONDS: i64 = 3650 * DAY;
/// The values of the document's sample.
const DEVICES: u32 = 10;

/// The actions over HTTP, at `/_sandbox/vpnscript/…`.
pub(super) static ACTIONS: &[Action<State>] = &[
    Action { name: "add-account", act: add_account },
    Action { name: "set-service", act: set_service },
    Action { name: "suspend", act: suspend },
    Action { name: "set-job-duration", act: set_job_duration },
    Action { name: "fail-next-job", act: fail_next_job },
    Action { name: "add-hostile-servers", act: add_hostile_servers },
];

fn add_account(state: &mut State, input: &Value) -> Result<Value, String> {
    let [username, password] = fields(input, ["username", "password"])?;
    let (username, password) = (text(username, "username")?, text(password, "password")?);
    let token = state
        .add_user(username, password)
        .ok_or("the sandbox already has 1000 accounts, or the account 1000 tokens")?;
    Ok(json!({ "token": token }))
}

fn set_service(state: &mut State, input: &Value) -> Result<Value, String> {
    let [username, service] = fields(input, ["username", "state"])?;
    let service = match text(service, "state")? {
        "none" => ServiceState::None,
        "inactive" => ServiceState::Inactive,
        "active" => ServiceState::Active,
        "expired" => ServiceState::Expired,
        other => {
            return Err(format!("unknown state {other:?}; use none, inactive, active or expired"));
        }
    };
    let username = text(username, "username")?;
    done(state.set_service(username, service), username)
}

fn suspend(state: &mut State, input: &Value) -> Result<Value, String> {
    let [username, reason] = fields(input, ["username", "reason"])?;
    let reason = match reason {
        Value::Null => None,
        reason => Some(text(reason, "reason")?.to_owned()),
    };
    let username = text(username, "username")?;
    done(state.suspend(username, Some(reason)), username)
}

fn set_job_duration(state: &mut State, input: &Value) -> Result<Value, String> {
    let [seconds] = fields(input, ["seconds"])?;
    let seconds = seconds.as_u64().ok_or("\"seconds\" is missing; it must be a whole number")?;
    state.job_duration = Duration::from_secs(seconds);
    Ok(json!({ "seconds": seconds }))
}

fn fail_next_job(state: &mut State, input: &Value) -> Result<Value, String> {
    let [reason] = fields(input, ["reason"])?;
    let reason = text(reason, "reason")?;
    state.failures.push_back(reason.to_owned());
    Ok(json!({ "reason": reason }))
}

fn add_hostile_servers(state: &mut State, _: &Value) -> Result<Value, String> {
    let (openvpn, wireguard) = state.add_hostile_servers();
    Ok(json!({ "openvpn": openvpn, "wireguard": wireguard }))
}

fn done(found: bool, username: &str) -> Result<Value, String> {
    match found {
        true => Ok(json!({ "username": username })),
        false => Err(format!("there is no account {username:?}")),
    }
}

impl State {
    /// Creates a token for the user, adding the user if there is none of that name; `None` if a limit
    /// is reached.
    pub(super) fn add_user(&mut self, username: &str, password: &str) -> Option<String> {
        if self.named(username).is_none() {
            self.last_account += 1;
            let created_at = self.now();
            let account = Account {
                id: self.last_account,
                username: username.to_owned(),
                password: String::new(),
                suspended: None,
                service: ServiceState::Active,
                next_payment: created_at.saturating_add(SERVICE_SECONDS),
                devices: DEVICES,
                openvpn_password: self.random.text(12, LETTERS),
                tokens: Vec::new(),
                configs: Vec::new(),
                created_at,
            };
            self.add_account(account).ok()?;
        }
        let place = self.accounts.iter().position(|account| account.username == username)?;
        self.accounts[place].password = password.to_owned();
        self.add_token(place).map(str::to_owned).ok()
    }

    pub(super) fn set_service(&mut self, username: &str, service: ServiceState) -> bool {
        let now = self.now();
        let next_payment = match service {
            ServiceState::Expired => now,
            _ => now.saturating_add(SERVICE_SECONDS),
        };
        let set = |account: &mut Account| {
            account.service = service;
            account.next_payment = next_payment;
        };
        self.named(username).map(set).is_some()
    }

    /// Suspends the user, with or without a reason, or lifts the suspension.
    pub(super) fn suspend(&mut self, username: &str, suspended: Option<Option<String>>) -> bool {
        self.named(username).map(|account| account.suspended = suspended).is_some()
    }

    pub(super) fn add_server(&mut self, server: Server) -> u64 {
        self.servers.push(server);
        self.servers.len() as u64
    }

    pub(super) fn add_hostile_servers(&mut self) -> (u64, u64) {
        let hostile = |server: Server| Server { profile: Profile::Hostile, ..server };
        let openvpn = self.add_server(hostile(Server::openvpn("Hostile OpenVPN")));
        (openvpn, self.add_server(hostile(Server::wireguard("Hostile WireGuard"))))
    }
}
