//! PIA's replies.

use std::net::{IpAddr, Ipv4Addr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HOST};
use jiff::Timestamp;
use serde_json::json;
use url::form_urlencoded;
use x25519_dalek::{PublicKey, StaticSecret};

use super::servers::HOSTS;
use super::state::{Key, OPEN, Open, Reserved, State};
use crate::clock::DAY;
use crate::fields::Fields;
use crate::provider::Call;
use crate::random::{HEXADECIMAL, Random};
use crate::reply::Reply;

type Answer = Result<Reply, Reply>;

/// The server's address inside the tunnel.
const VIP: Ipv4Addr = Ipv4Addr::new(10, 4, 128, 1);
/// How long a port is reserved, in days.
const RESERVED: i64 = 62;

pub(super) fn refused(status: u16, word: &str, message: &str) -> Reply {
    Reply::json(status, &json!({ "status": word, "message": message }))
}

fn access_denied() -> Reply {
    Reply::text(401, "HTTP Token: Access denied.\n".to_owned())
}

/// Refuses because of the sandbox's own limit, which bounds its memory. PIA does not have it.
fn full() -> Reply {
    refused(503, "error", "The sandbox is full.")
}

/// Returns the index of the account to which the credential in the header belongs.
fn caller(state: &State, call: &Call) -> Result<usize, Reply> {
    let token = call.header(AUTHORIZATION).and_then(|value| value.strip_prefix("Token "));
    token.and_then(|token| state.holder(token)).ok_or_else(access_denied)
}

fn query(call: &Call, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(call.query.as_bytes());
    pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
}

pub(super) fn create_token(state: &mut State, call: &Call) -> Answer {
    if state.locked {
        let body = json!({ "status": "error", "code": "too_many_attempts", "message": "Try again later." });
        return Err(Reply::json(state.quirks.locked, &body));
    }
    let mut fields = Fields::of_body(call).map_err(|why| refused(400, "error", &why))?;
    let (username, password) = (fields.text("username"), fields.text("password"));
    let matches = |account: &super::state::Account| {
        Some(&account.username) == username.as_ref() && Some(&account.password) == password.as_ref()
    };
    let Some(account) = state.accounts.iter().position(matches) else {
        return Err(match state.quirks.wrong_password_is_text {
            true => access_denied(),
            false => refused(401, "error", "Invalid username or password."),
        });
    };
    let token = state.add_token(account).ok_or_else(full)?;
    Ok(Reply::json(200, &json!({ "token": token })))
}

pub(super) fn expire_token(state: &mut State, call: &Call) -> Answer {
    let account = caller(state, call)?;
    let token = call.header(AUTHORIZATION).and_then(|value| value.strip_prefix("Token "));
    state.accounts[account].tokens.retain(|known| Some(known.as_str()) != token);
    Ok(Reply::json(200, &json!({ "status": "success" })))
}

pub(super) fn account(state: &mut State, call: &Call) -> Answer {
    let account = caller(state, call)?;
    let now = state.now();
    let account = &state.accounts[account];
    let expired = account.expires_at <= now;
    if state.quirks.account_is_sparse {
        let body = json!({ "username": account.username, "active": !expired, "expired": expired });
        return Ok(Reply::json(200, &body));
    }
    Ok(Reply::json(
        200,
        &json!({
            "username": account.username, "active": !expired, "expired": expired,
            "expire_alert": false, "expiration_time": account.expires_at,
            "days_remaining": (account.expires_at - now) / DAY, "canceled": false,
            "recurring": true, "needs_payment": false, "renewable": true, "plan": "yearly",
            "product_id": null, "email": format!("{}@mail.example", account.username),
            "can_invite": false,
        }),
    ))
}

pub(super) fn status(state: &mut State, _: &Call) -> Answer {
    Ok(Reply::json(200, &json!({ "connected": state.connected, "ip": "203.0.113.7" })))
}

pub(super) fn list(state: &mut State, _: &Call) -> Answer {
    let text = state
        .list()
        .ok_or_else(|| refused(500, "error", "The server list could not be signed."))?;
    Ok(Reply::text(200, text))
}

pub(super) fn add_key(state: &mut State, call: &Call) -> Answer {
    let now = state.now();
    let holder = query(call, "pt").and_then(|token| state.holder(&token));
    let holder = holder.filter(|place| state.accounts[*place].expires_at > now);
    let failed = || refused(state.quirks.login_failed, "ERROR", "Login failed!");
    let account = holder.ok_or_else(failed)?;
    let public = query(call, "pubkey").unwrap_or_default();
    if STANDARD.decode(&public).map_or(true, |key| key.len() != 32) {
        return Err(refused(400, "ERROR", "Invalid public key"));
    }
    let host = call.header(HOST).unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let server = HOSTS.iter().find(|cn| cn.eq_ignore_ascii_case(host)).unwrap_or(&HOSTS[0]);

    state.last_key += 1;
    let address = Ipv4Addr::from(0x0a04_8200 + state.last_key % 0x4000);
    let keys = &mut state.accounts[account].keys;
    let known = keys.iter().find(|key| key.server == *server && key.public == public);
    let address = known.map_or(address, |key| key.address);
    keys.retain(|key| key.server != *server);
    keys.push(Key { server: (*server).to_owned(), public: public.clone(), address });

    let place = HOSTS.iter().position(|cn| cn == server).unwrap_or_default() as u64;
    let own_key = StaticSecret::from(Random::new(0, place << 8 | 22).key());
    let own = (PublicKey::from(&own_key).to_bytes(), state.hosts.address.ip(), 1337);
    let of_data_plane = state.vpn_server.as_ref().map(|server| {
        (server.public_key(), IpAddr::from(*server.endpoint.ip()), server.endpoint.port())
    });
    let (server_key, server_ip, server_port) = of_data_plane.unwrap_or(own);
    let mask = if state.quirks.peer_ip_has_mask { "/32" } else { "" };
    Ok(Reply::json(
        200,
        &json!({
            "status": "OK", "server_key": STANDARD.encode(server_key),
            "server_port": server_port, "server_ip": server_ip, "server_vip": VIP,
            "peer_ip": format!("{address}{mask}"), "peer_pubkey": public,
            "dns_servers": ["10.0.0.243", "10.0.0.242"],
        }),
    ))
}

/// Returns the calling device if there is a data plane, where only devices call from inside the tunnel.
fn require_tunnel(state: &State, call: &Call) -> Result<Option<Ipv4Addr>, Reply> {
    let device = state.vpn_server.as_ref().map(|_| {
        let mut keys = state.accounts.iter().flat_map(|account| &account.keys);
        keys.find(|key| call.peer == key.address).map(|key| key.address)
    });
    match (state.connected, device) {
        (true, None) => Ok(None),
        (true, Some(Some(device))) => Ok(Some(device)),
        _ => Err(refused(401, "ERROR", "Unauthorized client")),
    }
}

pub(super) fn get_signature(state: &mut State, call: &Call) -> Answer {
    require_tunnel(state, call)?;
    let token = query(call, "token").ok_or_else(|| refused(401, "ERROR", "no auth data"))?;
    let failed = || refused(state.quirks.login_failed, "ERROR", "Login failed!");
    state.holder(&token).ok_or_else(failed)?;
    let taken = |port: u32| state.reserved.iter().any(|it| u32::from(it.port) == port);
    let port = state.random.free(20_000..60_000, taken);
    let port = port.and_then(|port| u16::try_from(port).ok()).ok_or_else(full)?;
    let ends_at = state.now() + RESERVED * DAY;
    let time = |second| {
        let time = Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
        time.strftime("%Y-%m-%dT%H:%M:%S.123456789Z").to_string()
    };
    let token = state.random.text(40, HEXADECIMAL);
    let payload = match state.quirks.payload_lacks_end {
        false => json!({ "token": token, "port": port, "expires_at": time(ends_at) }),
        true => json!({ "token": token, "port": port, "created_at": time(state.now()) }),
    };
    let payload = STANDARD.encode(payload.to_string());
    let signature = STANDARD.encode([state.random.key(), state.random.key()].concat());
    let reply = json!({ "status": "OK", "payload": payload, "signature": signature });
    state.reserved.push(Reserved { payload, signature, port, ends_at });
    Ok(Reply::json(200, &reply))
}

pub(super) fn bind_port(state: &mut State, call: &Call) -> Answer {
    let device = require_tunnel(state, call)?;
    let (payload, signature) = (query(call, "payload"), query(call, "signature"));
    let now = state.now();
    let is_it = |it: &&Reserved| {
        Some(&it.payload) == payload.as_ref() && Some(&it.signature) == signature.as_ref()
    };
    let Some(&Reserved { port, ends_at, .. }) = state.reserved.iter().find(is_it) else {
        return Err(refused(401, "", "bad signature"));
    };
    if ends_at <= now {
        return Err(refused(state.quirks.port_expired, "ERROR", "port expired"));
    }
    if std::mem::take(&mut state.busy) {
        let message = format!("Port {port} is busy. Please use another server");
        return Err(refused(409, "", &message));
    }
    // A tunnel has one port.
    state.open.retain(|open| open.device != device);
    state.open.push(Open { port, closes_at: now + OPEN, device });
    Ok(Reply::json(200, &json!({ "status": "OK", "message": "port scheduled for add" })))
}
