//! `/v3/portforwardings`

use std::net::Ipv4Addr;

use serde::Serialize;
use serde_json::json;

use super::answer::{
    Answer, body, deleted, invalid, not_found, refusal, success, success_with, wrong,
};
use super::quirks::EmptyList;
use super::state::{Caller, Device, Forward, State};
use super::users::require_active;
use crate::clock::DAY;
use crate::fields::Fields;
use crate::provider::Call;
use crate::reply::Reply;

const PORTS_PER_DEVICE: usize = 5;
const DEFAULT_DAYS: i64 = 30;
const MOST_DAYS: i64 = 365;
pub(super) const PORTS: std::ops::RangeInclusive<i64> = 1..=65_535;

#[derive(Serialize)]
struct ListReply {
    internal_ipv4: Ipv4Addr,
    internal_ipv6: String,
    ports: Vec<ListedPort>,
}

#[derive(Serialize)]
struct ListedPort {
    port: u16,
    hidden: bool,
    expires_at: i64,
}

pub(super) fn list(state: &mut State, caller: &Caller, call: &Call) -> Answer {
    let mut fields = Fields::of_query(call);
    let address = address(&mut fields);
    fields.done().map_err(invalid)?;
    let device = device(state, caller, address)?;
    let visible = device.ports.iter().filter(|forward| !forward.hidden);
    let ports: Vec<ListedPort> = visible
        .map(|&Forward { port, hidden, expires_at }| ListedPort { port, hidden, expires_at })
        .collect();
    let list =
        ListReply { internal_ipv4: address, internal_ipv6: device.address_v6.clone(), ports };
    if !list.ports.is_empty() {
        return Ok(success(list));
    }
    match state.quirks.empty_list {
        EmptyList::NotFound => Err(not_found()),
        EmptyList::NoneFound => Err(refusal(404, "No port forwardings found")),
        EmptyList::Array => Ok(success(list)),
    }
}

pub(super) fn create(state: &mut State, caller: &Caller, call: &Call) -> Answer {
    let mut fields = body(call)?;
    let address = address(&mut fields);
    let least = if state.quirks.zero_days_is_absent { 0 } else { 1 };
    let days = fields.integer("expires_in", least..=MOST_DAYS);
    let days = days.filter(|days| *days > 0).unwrap_or(DEFAULT_DAYS);
    let hidden = fields.boolean("hidden").unwrap_or(false);
    fields.done().map_err(invalid)?;
    require_active(state, caller)?;
    if device(state, caller, address)?.ports.len() >= PORTS_PER_DEVICE {
        // The input is valid, so no field is named.
        return Err(refusal(state.quirks.too_many, "The device has no port left."));
    }
    let now = state.now();
    let today = now.div_euclid(DAY);
    let created = match state.accounts[caller.account].created_ports {
        (day, created) if day == today => created,
        _ => 0,
    };
    if created >= state.quirks.daily_port_cap {
        return Err(refusal(406, "todays limit reached"));
    }

    let port = state.free_port()?;
    let expires_at = now.saturating_add(days * DAY);
    state.accounts[caller.account].created_ports = (today, created + 1);
    let device = device(state, caller, address)?;
    device.ports.push(Forward { port, hidden, expires_at });
    let reply = json!({
        "internal_ipv4": address,
        "internal_ipv6": device.address_v6,
        "port": port,
        "hidden": hidden,
        "expires_at": expires_at,
    });
    Ok(success_with(state.quirks.created, reply))
}

pub(super) fn hide(state: &mut State, caller: &Caller, call: &Call) -> Answer {
    let mut fields = body(call)?;
    let address = address(&mut fields);
    let port = fields.required_integer("port", PORTS);
    match fields.boolean("hidden") {
        Some(true) => {}
        Some(false) => fields.refuse("hidden", "must be true"),
        None => fields.require("hidden"),
    }
    fields.done().map_err(invalid)?;
    let device = device(state, caller, address)?;
    let place = place(device, port)?;
    device.ports[place].hidden = true;
    Ok(success(json!({
        "internal_ipv4": address,
        "internal_ipv6": device.address_v6,
        "port": null,
        "hidden": true,
        "expires_at": device.ports[place].expires_at,
    })))
}

pub(super) fn delete(state: &mut State, caller: &Caller, call: &Call) -> Answer {
    let mut fields = body(call)?;
    let address = address(&mut fields);
    let port = fields.required_integer("port", PORTS);
    fields.done().map_err(invalid)?;
    let device = device(state, caller, address)?;
    device.ports.remove(place(device, port)?);
    Ok(deleted(state.quirks.deleted))
}

/// Returns the field `internal_ipv4`; if it is wrong, records an error and returns the unspecified
/// address.
fn address(fields: &mut Fields) -> Ipv4Addr {
    let text = fields.required_text("internal_ipv4");
    text.parse().unwrap_or_else(|_| {
        if !text.is_empty() {
            fields.refuse("internal_ipv4", "must be a valid IPv4 address");
        }
        Ipv4Addr::UNSPECIFIED
    })
}

fn device<'a>(
    state: &'a mut State,
    caller: &Caller,
    address: Ipv4Addr,
) -> Result<&'a mut Device, Reply> {
    let status = state.quirks.unknown_device;
    let device = state.accounts[caller.account].device(address);
    device.ok_or_else(|| match status {
        404 => not_found(),
        _ => wrong(status, "internal_ipv4", "The selected internal ipv4 is invalid."),
    })
}

fn place(device: &Device, port: i64) -> Result<usize, Reply> {
    let place = device.ports.iter().position(|forward| i64::from(forward.port) == port);
    place.ok_or_else(not_found)
}
