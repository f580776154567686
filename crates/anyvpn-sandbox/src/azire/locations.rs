//! `/v3/locations`

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::answer::Answer;
use super::state::State;
use crate::data_plane::VpnServer;
use crate::provider::Call;
use crate::random::Random;
use crate::reply::Reply;

/// Name, city, country. The last place is returned only to callers who are signed in.
const PLACES: [(&str, &str, &str); 9] = [
    ("se-sto", "Stockholm", "Sweden"),
    ("se-got", "Gothenburg", "Sweden"),
    ("no-osl", "Oslo", "Norway"),
    ("nl-ams", "Amsterdam", "Netherlands"),
    ("de-fra", "Frankfurt", "Germany"),
    ("gb-lon", "London", "United Kingdom"),
    ("us-nyc", "New York", "United States"),
    ("sg-sin", "Singapore", "Singapore"),
    ("se-own", "Stockholm", "Sweden"),
];
/// The location that has no servers: locations can be without servers for a while.
const WITHOUT_POOL: &str = "gb-lon";
const CUSTOM: &str = "se-own";

pub(super) struct Location {
    name: &'static str,
    city: &'static str,
    country: &'static str,
    /// The host name that stands for the location's servers, or empty.
    pub(super) pool: String,
    pubkey: String,
}

pub(super) fn all(random: &mut Random, vpn_server: Option<&VpnServer>) -> Vec<Location> {
    let location = |(name, city, country)| Location {
        name,
        city,
        country,
        // A name that can never belong to a real server.
        pool: match name {
            WITHOUT_POOL => String::new(),
            _ => format!("{name}.azirevpn.example"),
        },
        pubkey: {
            let key = random.key();
            STANDARD.encode(vpn_server.map_or(key, VpnServer::public_key))
        },
    };
    PLACES.map(location).into()
}

pub(super) fn list(state: &mut State, call: &Call) -> Answer {
    let signed_in = state.caller(call).is_ok();
    let arrays = state.quirks.locations_have_arrays;
    let value = |text: &str| match (arrays, text) {
        (false, _) => Value::from(text),
        (true, "") => Value::Array(Vec::new()),
        (true, _) => Value::from([text].as_slice()),
    };
    let visible = state.locations.iter().filter(|place| signed_in || place.name != CUSTOM);
    let shown = |place: &Location| {
        json!({
            "name": place.name,
            "city": place.city,
            "country": place.country,
            "iso": place.name.split('-').next(),
            "pool": value(&place.pool),
            "pubkey": value(&place.pubkey),
        })
    };
    let locations: Value = visible.map(shown).collect();
    // This is the only list that is not under `data`.
    Ok(Reply::json(200, &json!({ "status": "success", "locations": locations })))
}
