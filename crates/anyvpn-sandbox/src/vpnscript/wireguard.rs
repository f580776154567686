//! `/api/wireguard/…`

use std::net::{Ipv4Addr, SocketAddrV4};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use x25519_dalek::{PublicKey, StaticSecret};

use super::answer::{
    Answer, NOT_WIREGUARD, STATUS, SUCCESS, dispatched, full, input, invalid, refused, success,
};
use super::servers::{Profile, Server, WIREGUARD};
use super::state::{Config, ConfigState, State};
use crate::provider::Call;
use crate::random::Random;
use crate::reply::Reply;

const ANY: std::ops::RangeInclusive<i64> = i64::MIN..=i64::MAX;
/// The sandbox's own limit; a plan may allow less.
const MOST_CONFIGS: usize = 10_000;

pub(super) fn list(state: &mut State, account: usize, call: &Call) -> Answer {
    let mut fields = input(call)?;
    let server = fields.integer("server_id", ANY);
    fields.done().map_err(invalid)?;
    state.require_service(account)?;
    let server = server.map(|server| wireguard(state, server)).transpose()?;
    let quirks = &state.quirks;
    let wanted = |config: &&Config| server.is_none_or(|(id, _)| config.server == id);
    let configs = state.accounts[account].configs.iter().filter(wanted);
    let shown = |config: &Config| {
        json!({
            "id": quirks.id(config.id),
            // Present only while the configuration is active.
            "config": state.config_text(config),
            "status": match config.state {
                ConfigState::PendingCreation => 0,
                ConfigState::Active => 1,
                ConfigState::PendingDeletion => 2,
            },
            "fail_reason": config.fail_reason,
            "created_at": quirks.time(config.created_at),
            "updated_at": quirks.time(config.updated_at),
        })
    };
    let configs: Vec<_> = configs.map(shown).collect();
    if configs.is_empty() && quirks.no_configs_is_refused {
        return Err(refused(quirks, "No configuration found for this server."));
    }
    Ok(success(quirks, STATUS, configs))
}

pub(super) fn create(state: &mut State, account: usize, call: &Call) -> Answer {
    let mut fields = input(call)?;
    let server = fields.required_integer("server_id", ANY);
    fields.done().map_err(invalid)?;
    state.require_service(account)?;
    let (server, Server { slots, .. }) = wireguard(state, server)?;
    if state.taken_slots().get(&server).is_some_and(|taken| taken >= slots) || *slots == 0 {
        let message = "The server has reached the maximum allowed user limit. Please try again \
                       later or choose a different server.";
        return Err(refused(&state.quirks, message));
    }
    let user = &state.accounts[account];
    if user.used_devices() >= user.devices as usize {
        let message = "Looks like you reached maximum allowed device limit on your plan. Please \
                       retry after disconnecting from OpenVPN or deleting WireGuard \
                       configurations that you have generated before.";
        return Err(refused(&state.quirks, message));
    }
    if user.configs.len() >= MOST_CONFIGS {
        return Err(full());
    }

    let number = state.free_number(server)?;
    state.last_config += 1;
    let created_at = state.now();
    let config = Config {
        id: state.last_config,
        server,
        private_key: state.random.private_key(),
        preshared_key: state.random.key(),
        number,
        state: ConfigState::PendingCreation,
        job: Some(state.dispatch()),
        fail_reason: None,
        created_at,
        updated_at: created_at,
    };
    state.accounts[account].configs.push(config);
    Ok(dispatched(&state.quirks, STATUS, "create"))
}

pub(super) fn delete(state: &mut State, account: usize, call: &Call) -> Answer {
    let mut fields = input(call)?;
    let id = fields.required_integer("config_id", ANY);
    fields.done().map_err(invalid)?;
    let mut configs = state.accounts[account].configs.iter();
    let Some(place) = configs.position(|config| i64::try_from(config.id) == Ok(id)) else {
        return Err(refused(&state.quirks, "The WireGuard configuration is not found."));
    };
    let config = &state.accounts[account].configs[place];
    let failed = config.job.is_none() && state.quirks.failed_may_be_deleted;
    if config.state != ConfigState::Active && !failed {
        let message = "The WireGuard configuration is pending creation or deletion.";
        return Err(refused(&state.quirks, message));
    }
    let (now, job) = (state.now(), state.dispatch());
    let config = &mut state.accounts[account].configs[place];
    config.state = ConfigState::PendingDeletion;
    config.job = Some(job);
    config.fail_reason = None;
    config.updated_at = now;
    Ok(dispatched(&state.quirks, SUCCESS, "delete"))
}

fn wireguard(state: &State, server: i64) -> Result<(u64, &Server), Reply> {
    let (id, server) = state.server(server)?;
    match server.protocol {
        WIREGUARD => Ok((id, server)),
        _ => Err(refused(&state.quirks, NOT_WIREGUARD)),
    }
}

impl Config {
    /// Returns the configuration's address inside the tunnel.
    pub(super) fn address(&self) -> Ipv4Addr {
        Ipv4Addr::from(0x0a42_0000 + self.number)
    }
}

impl State {
    /// Returns the key of a server, which is generated when it is needed.
    pub(super) fn server_key(&self, server: u64) -> [u8; 32] {
        let of_data_plane = self.vpn_server.as_ref().map(|server| server.private_key);
        of_data_plane.unwrap_or_else(|| Random::new(self.seed, server << 8 | 14).private_key())
    }

    /// Returns the lowest free address of the server. The server itself has the first address.
    fn free_number(&self, server: u64) -> Result<u32, Reply> {
        let configs = || self.accounts.iter().flat_map(|account| &account.configs);
        // With a data plane, all servers share one network.
        let is_one = self.vpn_server.is_some();
        let is_taken = |it: &Config, number| (is_one || it.server == server) && it.number == number;
        let taken = |number| configs().any(|it| is_taken(it, number));
        (2..0x1_0000).find(|number| !taken(*number)).ok_or_else(full)
    }

    /// Returns the content of the file, if there is one.
    pub(super) fn config_text(&self, config: &Config) -> Option<String> {
        let server = self.servers.get(usize::try_from(config.server).ok()?.checked_sub(1)?)?;
        if config.state != ConfigState::Active {
            return None;
        }
        let server_key = StaticSecret::from(self.server_key(config.server));
        let own = SocketAddrV4::new(server.address, server.port);
        let endpoint = self.vpn_server.as_ref().map_or(own, |server| server.endpoint);
        let hostile = match server.profile {
            Profile::Hostile => "PostUp = /usr/bin/hostile %i\n",
            _ => "",
        };
        Some(format!(
            "[Interface]\nPrivateKey = {}\nAddress = {}/32\nDNS = 1.1.1.1\n{hostile}\n\
             [Peer]\nPublicKey = {}\nPresharedKey = {}\nAllowedIPs = 0.0.0.0/0, ::/0\n\
             Endpoint = {}:{}\n",
            STANDARD.encode(config.private_key),
            config.address(),
            STANDARD.encode(PublicKey::from(&server_key)),
            STANDARD.encode(config.preshared_key),
            endpoint.ip(),
            endpoint.port(),
        ))
    }
}
