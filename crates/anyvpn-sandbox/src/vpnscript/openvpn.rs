//! `/api/openvpn/…`

use serde_json::json;

use super::answer::{Answer, NOT_OPENVPN, SUCCESS, failure, input, invalid, refused, success};
use super::profile;
use super::servers::{OPENVPN, Profile, Server};
use super::state::State;
use crate::certificate::certificate;
use crate::provider::Call;
use crate::reply::Reply;

const ANY: std::ops::RangeInclusive<i64> = i64::MIN..=i64::MAX;

pub(super) fn profile(state: &mut State, account: usize, call: &Call) -> Answer {
    let mut fields = input(call)?;
    let server = fields.required_integer("server_id", ANY);
    let cert_only = fields.boolean("cert_only").unwrap_or(false);
    fields.done().map_err(invalid)?;
    if state.quirks.profile_names_the_state {
        state.require_service(account)?;
    } else if state.accounts[account].service(state.now()).check().is_err() {
        return Err(refused(&state.quirks, "You do not have an active service."));
    }
    let (id, server) = openvpn(state, server)?;
    if server.profile == Profile::Missing {
        let message = "OpenVPN profile is not found for this server.";
        return Err(refused(&state.quirks, message));
    }
    let ca = certificate(state.seed, id, state.started);
    let ca = ca.map_err(|error| failure(500, &error.to_string()))?;
    let data = if cert_only { ca } else { profile::text(server, &ca) };
    Ok(success(&state.quirks, SUCCESS, data))
}

pub(super) fn auth(state: &mut State, account: usize, call: &Call) -> Answer {
    let mut fields = input(call)?;
    let server = fields.integer("server_id", ANY);
    fields.done().map_err(invalid)?;
    state.require_service(account)?;
    if let Some(server) = server {
        openvpn(state, server)?;
    }
    let quirks = &state.quirks;
    let account = &state.accounts[account];
    let auth = json!({
        "id": quirks.id(account.id),
        "user_id": quirks.id(account.id),
        "service_id": quirks.id(account.id),
        "username": account.username,
        "password": account.openvpn_password,
        "devices": account.devices,
        "enabled": quirks.switch(true),
        "created_at": quirks.time(account.created_at),
        "updated_at": quirks.time(account.created_at),
    });
    Ok(success(quirks, SUCCESS, auth))
}

fn openvpn(state: &State, server: i64) -> Result<(u64, &Server), Reply> {
    let (id, server) = state.server(server)?;
    match server.protocol {
        OPENVPN => Ok((id, server)),
        _ => Err(refused(&state.quirks, NOT_OPENVPN)),
    }
}
