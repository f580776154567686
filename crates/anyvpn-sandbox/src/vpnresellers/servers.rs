//! `/v4_1/servers`, `/v4_1/vless-servers` and `/v4_1/ports`

use std::net::Ipv4Addr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::answer::{Answer, page, paging, refusal, success, wrong};
use super::state::State;
use crate::data_plane::VpnServer;
use crate::provider::Call;
use crate::random::Random;
use crate::reply::Reply;

/// More than a page of 15.
const PLACES: [(&str, &str, &str); 18] = [
    ("ams", "NL", "Amsterdam"),
    ("fra", "DE", "Frankfurt"),
    ("lon", "GB", "London"),
    ("par", "FR", "Paris"),
    ("mad", "ES", "Madrid"),
    ("mil", "IT", "Milan"),
    ("vie", "AT", "Vienna"),
    ("zrh", "CH", "Zurich"),
    ("sto", "SE", "Stockholm"),
    ("osl", "NO", "Oslo"),
    ("hel", "FI", "Helsinki"),
    ("waw", "PL", "Warsaw"),
    ("nyc", "US", "New York"),
    ("lax", "US", "Los Angeles"),
    ("tor", "CA", "Toronto"),
    ("sin", "SG", "Singapore"),
    ("tyo", "JP", "Tokyo"),
    ("syd", "AU", "Sydney"),
];
/// The protocol and number of each port; the first is the default.
pub(super) const PORTS: [(&str, u16); 4] = [("udp", 1194), ("udp", 53), ("tcp", 443), ("tcp", 80)];
/// The number of servers that support VLESS: the first ones.
const VLESS: usize = 3;

pub(super) struct Server {
    pub(super) name: String,
    pub(super) address: Ipv4Addr,
    country_code: &'static str,
    city: &'static str,
    capacity: u32,
    pub(super) public_key: String,
}

pub(super) fn all(random: &mut Random, vpn_server: Option<&VpnServer>) -> Vec<Server> {
    let server = |(number, (name, country_code, city)): (usize, _)| Server {
        // A name that can never belong to a real server.
        name: format!("{name}-s01.vpnresellers.example"),
        address: match vpn_server {
            Some(server) => *server.endpoint.ip(),
            None => Ipv4Addr::from(0xcb00_7128 + number as u32),
        },
        country_code,
        city,
        capacity: random.below(100),
        public_key: {
            let key = random.key();
            STANDARD.encode(vpn_server.map_or(key, VpnServer::public_key))
        },
    };
    PLACES.into_iter().enumerate().map(server).collect()
}

fn told((place, server): (usize, &Server)) -> Value {
    json!({
        "id": place + 1,
        "name": server.name,
        "ip": server.address,
        "country_code": server.country_code,
        "city": server.city,
        "capacity": server.capacity,
    })
}

pub(super) fn list(state: &mut State, _reseller: usize, call: &Call) -> Answer {
    let all: Vec<_> = state.servers.iter().enumerate().map(told).collect();
    if state.quirks.servers_come_by_page {
        return page(&state.quirks, call, "/servers", all);
    }
    paging(&state.quirks, call)?;
    Ok(success(&state.quirks, all))
}

pub(super) fn list_vless(state: &mut State, _reseller: usize, _call: &Call) -> Answer {
    let all: Vec<_> = state.servers.iter().enumerate().take(VLESS).map(told).collect();
    Ok(success(&state.quirks, all))
}

pub(super) fn list_ports(state: &mut State, _reseller: usize, _call: &Call) -> Answer {
    let port = |(place, (protocol, number)): (usize, (&str, u16))| {
        let mut port = json!({ "id": place + 1, "protocol": protocol, "number": number });
        match state.quirks.default_port {
            "number" => port["default"] = u8::from(place == 0).into(),
            "boolean" => port["default"] = (place == 0).into(),
            _ => {}
        }
        port
    };
    let ports: Vec<_> = PORTS.into_iter().enumerate().map(port).collect();
    Ok(success(&state.quirks, ports))
}

impl State {
    /// Returns the server with this id.
    pub(super) fn server(&self, id: i64) -> Result<&Server, Reply> {
        let place = usize::try_from(id - 1).ok();
        let server = place.and_then(|place| self.servers.get(place));
        server.ok_or_else(|| self.unknown("server_id", "Server not found."))
    }

    /// Returns the server with this id if it supports VLESS.
    pub(super) fn vless_server(&self, id: i64) -> Result<&Server, Reply> {
        match id {
            1..=3 => self.server(id),
            _ => Err(self.unknown("server_id", "Server not found.")),
        }
    }

    /// Returns the protocol and number of the port with this id.
    pub(super) fn port(&self, id: i64) -> Result<(&'static str, u16), Reply> {
        let place = usize::try_from(id - 1).ok();
        let port = place.and_then(|place| PORTS.get(place).copied());
        port.ok_or_else(|| self.unknown("port_id", "Port not found."))
    }

    fn unknown(&self, field: &'static str, message: &str) -> Reply {
        match self.quirks.unknown_server {
            422 => wrong(&self.quirks, field, message),
            status => refusal(&self.quirks, status, message),
        }
    }
}
