//! `/api/servers`

use std::collections::HashMap;
use std::net::Ipv4Addr;

use serde::Serialize;
use serde_json::Value;

use super::answer::{Answer, input, invalid};
use super::page::Page;
use super::quirks::Quirks;
use super::state::State;
use crate::provider::Call;
use crate::reply::Reply;

pub(super) const OPENVPN: &str = "openvpn";
pub(super) const WIREGUARD: &str = "wireguard";

/// The place of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Such as `Germany`.
    pub country: &'static str,
    /// In lower case, such as `de`.
    pub iso_code: &'static str,
    /// Empty in the document's sample, which has the city's name in `state`.
    pub city: &'static str,
    /// The part of the country; may be empty.
    pub state: &'static str,
}

const fn place(
    country: &'static str,
    iso_code: &'static str,
    city: &'static str,
    state: &'static str,
) -> Place {
    Place { country, iso_code, city, state }
}

/// The first is the document's.
static PLACES: [Place; 8] = [
    place("Germany", "de", "", "Frankfurt"),
    place("United States", "us", "New York", "New York"),
    place("Sweden", "se", "Stockholm", ""),
    place("Netherlands", "nl", "Amsterdam", "North Holland"),
    place("United Kingdom", "gb", "London", "England"),
    place("Singapore", "sg", "Singapore", ""),
    place("Norway", "no", "Oslo", ""),
    place("Sweden", "se", "Gothenburg", ""),
];

/// The content of the files that a server returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// Content that the real programs accept.
    Usual,
    /// OpenVPN only: exactly what the document shows. OpenVPN 2.6 refuses it because of
    /// `client-cert-not-required`, and because `block-outside-dns` comes before the line that allows
    /// it.
    AsDocumented,
    /// With lines that run programs: `up` and `plugin`, or `PostUp`.
    Hostile,
    /// OpenVPN only: the server has no file.
    Missing,
}

/// A server, as [`Service::add_server`](super::Service::add_server) takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The name; if empty, it is made from the city and id.
    pub name: String,
    /// The server's place.
    pub place: &'static Place,
    /// `openvpn`, `wireguard`, or a protocol that no client knows.
    pub protocol: &'static str,
    /// The address at which clients reach it.
    pub address: Ipv4Addr,
    /// The port on which it listens.
    pub port: u16,
    /// The number of WireGuard configurations that it has room for.
    pub slots: u32,
    /// Whether users can see and use it.
    pub enabled: bool,
    /// The files that it returns.
    pub profile: Profile,
}

impl Server {
    /// Returns an OpenVPN server at `127.0.0.1:1194`.
    #[must_use]
    pub fn openvpn(name: &str) -> Server {
        Server {
            name: name.to_owned(),
            place: &PLACES[0],
            protocol: OPENVPN,
            address: Ipv4Addr::LOCALHOST,
            port: 1194,
            slots: 253,
            enabled: true,
            profile: Profile::Usual,
        }
    }

    /// Returns a WireGuard server at `127.0.0.1:51820`, with 253 slots.
    #[must_use]
    pub fn wireguard(name: &str) -> Server {
        Server { protocol: WIREGUARD, port: 51_820, ..Server::openvpn(name) }
    }

    /// Creates one of many servers. They have no name, so that 20,000 of them need little memory.
    pub(super) fn numbered(number: usize) -> Server {
        let server =
            if number.is_multiple_of(2) { Server::openvpn("") } else { Server::wireguard("") };
        Server { place: &PLACES[number % PLACES.len()], ..server }
    }
}

/// Returns the servers of a new sandbox.
pub(super) fn world() -> Vec<Server> {
    let at = |place: usize, server: Server| Server { place: &PLACES[place], ..server };
    vec![
        at(0, Server::openvpn("")),
        at(0, Server::wireguard("")),
        at(1, Server::openvpn("")),
        at(2, Server::wireguard("")),
        at(3, Server { slots: 2, ..Server::wireguard("") }),
        at(4, Server { protocol: "ikev2", port: 500, ..Server::openvpn("") }),
        at(
            5,
            Server { profile: Profile::AsDocumented, ..Server::openvpn("Profile as documented") },
        ),
    ]
}

#[derive(Serialize)]
struct Listed {
    id: Value,
    name: String,
    country: &'static str,
    country_slug: String,
    country_iso_code: &'static str,
    city: &'static str,
    state: &'static str,
    host: &'static str,
    ipaddr: Ipv4Addr,
    protocol: &'static str,
    config_id: Option<Value>,
    wg_available_slots: u32,
    wg_slots: u32,
}

impl Server {
    fn listed(&self, id: u64, taken: u32, quirks: &Quirks) -> Listed {
        let Place { country, iso_code, city, state } = *self.place;
        let town = if city.is_empty() { state } else { city };
        let has_profile = self.protocol == OPENVPN && self.profile != Profile::Missing;
        Listed {
            id: quirks.id(id),
            name: if self.name.is_empty() { format!("{town} {id}") } else { self.name.clone() },
            country,
            country_slug: country.to_lowercase().replace(' ', "-"),
            country_iso_code: iso_code,
            city,
            state,
            host: "",
            ipaddr: self.address,
            protocol: self.protocol,
            config_id: has_profile.then(|| quirks.id(id)),
            wg_available_slots: self.slots.saturating_sub(taken),
            wg_slots: taken,
        }
    }
}

pub(super) fn list(state: &mut State, _account: usize, call: &Call) -> Answer {
    let mut fields = input(call)?;
    let per_page = fields.integer("paginate", 1..=i64::MAX);
    fields.done().map_err(invalid)?;
    // Laravel treats a page that is not a number as the first page.
    let page = input(call)?.integer("page", 1..=i64::MAX).unwrap_or(1);

    let taken = state.taken_slots();
    let numbered = (1..).zip(&state.servers).filter(|(_, server)| server.enabled);
    let listed = |(id, server): (u64, &Server)| {
        server.listed(id, taken.get(&id).copied().unwrap_or(0), &state.quirks)
    };
    let Some(per_page) = per_page else {
        let all: Vec<_> = numbered.map(listed).collect();
        return Ok(Reply::json(200, &HashMap::from([("data", all)])));
    };
    let total = numbered.clone().count() as u64;
    let page = Page { number: page.unsigned_abs(), per_page: per_page.unsigned_abs(), total };
    let data: Vec<Listed> = numbered.skip(page.skipped()).take(page.most()).map(listed).collect();
    Ok(Reply::json(200, &page.reply(data, &state.quirks)))
}
