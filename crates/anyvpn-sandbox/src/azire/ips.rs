//! `/v3/ips`: each is a WireGuard device.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::answer::{
    Answer, body, deleted, invalid, not_found, refusal, success, success_with, wrong,
};
use super::state::{Account, Caller, Device, Key, State};
use super::users::require_active;
use crate::provider::Call;
use crate::reply::Reply;

pub(super) const MOST_DEVICES: usize = 10;
const MOST_KEYS: usize = 3;
const DNS: [&str; 3] = ["10.0.0.1", "2a0e:1c80:1337:1:10::1", "91.231.153.2"];

fn ip(account: &Account, device: &Device) -> Value {
    let id = device.token.as_ref();
    let token = id.and_then(|id| account.tokens.iter().find(|token| token.id == *id));
    json!({
        "id": device.id,
        "ipv4_address": device.address,
        "ipv4_netmask": 32,
        "ipv6_address": device.address_v6,
        "ipv6_netmask": 128,
        "dns": DNS,
        "device_name": token.and_then(|token| token.device_name.as_deref()),
        "keys": keys(device),
    })
}

fn keys(device: &Device) -> Value {
    let shown = |key: &Key| json!({ "key": key.key, "created_at": key.created_at });
    device.keys.iter().map(shown).collect()
}

pub(super) fn list(state: &mut State, caller: &Caller, _call: &Call) -> Answer {
    let account = &state.accounts[caller.account];
    let devices = account.devices.iter().map(|device| ip(account, device));
    Ok(success(devices.collect::<Vec<_>>()))
}

pub(super) fn create(state: &mut State, caller: &Caller, call: &Call) -> Answer {
    let key = key(call)?;
    let known = state.accounts[caller.account].device_with(&key);
    if known.is_some() && state.quirks.duplicate_key != 200 {
        return Err(taken(state));
    }
    require_active(state, caller)?;
    let place = match known {
        // The vendor's command-line tool registers the same key each time it is run.
        Some(place) => place,
        None if state.accounts[caller.account].devices.len() >= MOST_DEVICES => {
            return Err(refusal(state.quirks.too_many, "The account has no address left."));
        }
        None => state.add_device(caller.account, Some(caller.token.clone()), key)?,
    };
    let account = &state.accounts[caller.account];
    let made = ip(account, &account.devices[place]);
    Ok(match state.quirks.created_ip_is_bare {
        true => Reply::json(state.quirks.created, &made),
        false => success_with(state.quirks.created, made),
    })
}

pub(super) fn get(state: &mut State, caller: &Caller, call: &Call) -> Answer {
    let account = &state.accounts[caller.account];
    Ok(success(ip(account, &account.devices[place(account, call)?])))
}

/// Deletes a device and its ports.
pub(super) fn delete(state: &mut State, caller: &Caller, call: &Call) -> Answer {
    let account = &mut state.accounts[caller.account];
    account.devices.remove(place(account, call)?);
    Ok(deleted(state.quirks.deleted))
}

pub(super) fn put_key(state: &mut State, caller: &Caller, call: &Call) -> Answer {
    let place = place(&state.accounts[caller.account], call)?;
    let key = key(call)?;
    if state.accounts[caller.account].device_with(&key).is_some() {
        return Err(taken(state));
    }
    let created_at = state.now();
    let device = &mut state.accounts[caller.account].devices[place];
    if device.keys.len() >= MOST_KEYS {
        if !state.quirks.fourth_key_drops_oldest {
            return Err(wrong(422, "key", "The address has three keys already."));
        }
        device.keys.remove(0);
    }
    device.keys.push(Key { key, created_at });
    Ok(success(keys(device)))
}

fn place(account: &Account, call: &Call) -> Result<usize, Reply> {
    account.devices.iter().position(|device| device.id == call.param("id")).ok_or_else(not_found)
}

/// Returns the WireGuard key of a request.
fn key(call: &Call) -> Result<String, Reply> {
    let mut fields = body(call)?;
    let key = fields.required_text("key");
    let whole = STANDARD.decode(&key).is_ok_and(|bytes| bytes.len() == 32);
    if !key.is_empty() && !whole {
        fields.refuse("key", "must be a WireGuard public key");
    }
    fields.done().map_err(invalid)?;
    Ok(key)
}

fn taken(state: &State) -> Reply {
    let status = if state.quirks.duplicate_key == 409 { 409 } else { 422 };
    wrong(status, "key", "The key has already been taken.")
}
